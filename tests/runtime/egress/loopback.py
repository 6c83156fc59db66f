"""Small servers on loopback that do exactly what a test says, and remember who came."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runtime.egress import Egress, Endpoint, Refusal

Play = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
PROVIDER = "providers/test"


class Plain:
    """A kind that knows no error of its own."""

    AUTHORIZATION = "Bearer {key}"

    def refusal(self, status: int, body: bytes) -> Refusal | None:
        return None


class Loopback:
    """A server that plays one answer to each connection."""

    def __init__(self, play: Play) -> None:
        self._play = play
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(headers(head).get("content-length", "0"))
            self.requests.append(head + await reader.readexactly(length))
            await self._play(head, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def headers(head: bytes) -> dict[str, str]:
    lines = head.decode().split("\r\n")[1:]
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}


def answer(body: bytes = b"{}", *, status: int = 200, **fields: str) -> Play:
    """Plays one whole answer."""
    lines = {
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): text for name, text in fields.items()},
    }
    head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
    return raw(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body)


def raw(data: bytes) -> Play:
    async def play(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return play


def drip(first: bytes, again: bytes, *, pause: float = 0.02, times: int = 500) -> Play:
    """Plays a beginning, then a little again and again."""

    async def play(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        for _ in range(times):
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(pause)

    return play


@asynccontextmanager
async def serving(play: Play, tls: ssl.SSLContext | None = None) -> AsyncIterator[Loopback]:
    loopback = Loopback(play)
    server = await asyncio.start_server(loopback.handle, "127.0.0.1", 0, ssl=tls)
    loopback.port = server.sockets[0].getsockname()[1]
    try:
        yield loopback
    finally:
        server.close()


def endpoint(
    url: str,
    *,
    egress: Egress | None = None,
    key: str | None = "k3y",
    seconds: float = 5,
    max_bytes: int = 10**7,
) -> Endpoint:
    made = egress or _egress()
    return made.endpoint(
        url, key, Plain(), provider=PROVIDER, attempt_id="attempt-1", seconds=seconds, max_bytes=max_bytes
    )


@cache
def _egress() -> Egress:
    """Certificates take a while to read."""
    return Egress()


def certificate(directory: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What a server on localhost needs, and a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = directory / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))
