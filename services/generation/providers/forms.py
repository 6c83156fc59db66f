"""Forms with files in them, as browsers send them."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import msgspec

from services.generation.providers import Picture

_ENDINGS: Mapping[str, str] = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def form(fields: Mapping[str, object], files: Sequence[tuple[str, Picture]]) -> tuple[bytes, str]:
    """The body and its content type. Numbers are text, and every file has a name and a type."""
    boundary = secrets.token_hex(16)
    return b"".join(_parts(fields, files, boundary)), f"multipart/form-data; boundary={boundary}"


def _parts(
    fields: Mapping[str, object], files: Sequence[tuple[str, Picture]], boundary: str
) -> Iterator[bytes]:
    for name, value in fields.items():
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        yield f"--{boundary}\r\n{_disposition(name)}\r\n\r\n{text}\r\n".encode()
    for number, (name, picture) in enumerate(files):
        file = f'{_disposition(name)}; filename="{number}.{_ENDINGS[picture.content_type]}"'
        yield f"--{boundary}\r\n{file}\r\nContent-Type: {picture.content_type}\r\n\r\n".encode()
        yield picture.data
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{quote(name, safe="[]")}"'
