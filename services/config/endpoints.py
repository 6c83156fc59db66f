"""What may be an endpoint: an address an administrator named, and nothing hidden in it."""

import re
from urllib.parse import urlsplit

_PRINTABLE = re.compile(r"[!-~]+")
RULE = "must be http:// or https:// with a host, perhaps a port and a path; no user, query or fragment"


def problem(endpoint: str) -> str | None:
    """What is wrong with an endpoint; None when nothing is."""
    return None if _is_plain(endpoint) else RULE


def _is_plain(endpoint: str) -> bool:
    if not _PRINTABLE.fullmatch(endpoint) or set(endpoint) & set("@?#\\"):
        return False
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
