"""What HTTP's headers ask of stored bytes, and what they say of those that are sent."""

import re
from urllib.parse import quote

from inkweld.media.v1.images_pb2 import BytesInfo

from gateway.errors import Refusal

_RANGE = re.compile(r"bytes=\s*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))\s*")
_VERSION = re.compile(r"[0-9a-f]{16,64}")
_FRESH = "private, no-cache"
_FOREVER = "private, max-age=31536000, immutable"
# Whatever the bytes are, a browser that opens them runs nothing of them.
_INERT = {
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "accept-ranges": "bytes",
}


def span_of(header: str | None) -> tuple[int, int] | None:
    """Offset and limit of the one range asked for. Several, or nonsense, count as none, as HTTP allows."""
    found = _RANGE.fullmatch(header or "")
    if found is None:
        return None
    start, end, last = found.groups()
    if last is not None:
        if int(last) == 0:
            raise unsatisfiable(None)
        return -int(last), 0
    if end and int(end) < int(start):
        return None
    return int(start), int(end) - int(start) + 1 if end else 0


def answer_head(info: BytesInfo, kind: str, version: str, *, ranged: bool) -> tuple[int, dict[str, str]]:
    """Status and headers for what is to come."""
    # What a name stands for never changes, so any address with a hash in it can be kept; a rendition's own is
    # known to nobody before it has been made.
    kept = _VERSION.fullmatch(version) is not None
    headers = _INERT | {"etag": info.etag, "cache-control": _FOREVER if kept else _FRESH}
    if info.not_modified:
        return 304, headers
    headers |= {
        "content-type": kind,
        "content-length": str(info.length),
        "content-disposition": _disposition(info.file_name),
    }
    if not ranged:
        return 200, headers
    last = info.offset + info.length - 1
    headers["content-range"] = f"bytes {info.offset}-{last}/{info.total_bytes}"
    return 206, headers


def _disposition(file_name: str) -> str:
    """Shown where it is asked for; saved under a name that is no path and holds nothing odd."""
    name = re.sub(r"[^\w .()-]", "_", file_name).strip(". ") or "image"
    plain = re.sub(r"[^A-Za-z0-9 .()_-]", "_", name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def unsatisfiable(total: int | None) -> Refusal:
    """The refusal of a range that lies outside, with the size when it is known."""
    headers = {} if total is None else {"content-range": f"bytes */{total}"}
    return Refusal(416, "range", "The range is outside of the image.", headers)
