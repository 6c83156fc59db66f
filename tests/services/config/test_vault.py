"""Keys come in and do not come out."""

import asyncio
import base64
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from grpc.aio import AioRpcError
from inkweld.config.v1 import providers_pb2 as pb
from inkweld.config.v1.providers_pb2_grpc import ProviderServiceStub

from runtime import contract, database, sealing
from runtime.failure import Failure
from services.config import proofs
from services.config.__main__ import MIGRATIONS, SERVICES
from tests import house
from tests.house import Keys
from tests.services.config.instance import Config, all_rows

CANARY = "sk-canary-7f3a9c51e0"


def forms(secret: str) -> list[str]:
    """The secret as it might hide in text."""
    shifted = [base64.b64encode(b"x" * offset + secret.encode()).decode()[4:-4] for offset in range(3)]
    return [secret, secret[::-1], secret.encode().hex(), json.dumps(secret)[1:-1], *shifted]


@asynccontextmanager
async def process(
    keys: Keys, url: str, ring: Path, **environ: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, bytearray]]:
    """Config as a process, and what it writes; both are complete when the block has ended."""
    environment = {
        "PYTHONPATH": ".:gen",
        "INKWELD_SIGNING_KEY_FILE": str(keys.directory / "config.pem"),
        "INKWELD_TRUSTED_KEYS_FILE": str(keys.trusted),
        "INKWELD_DATABASE_URL": url,
        "INKWELD_GENERATION_ADDRESS": "127.0.0.1:1",
        "INKWELD_SEAL_RING_FILE": str(ring),
        "INKWELD_LOG_LEVEL": "debug",
        "INKWELD_DRAIN_SECONDS": "0",
        **environ,
    }
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "services.config")
    started = await asyncio.create_subprocess_exec(*command, env=environment, stdout=pipe, stderr=pipe)
    assert started.stdout
    assert started.stderr
    written = bytearray()

    async def gather(stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(65536):
            written.extend(chunk)

    gathering = asyncio.gather(gather(started.stdout), gather(started.stderr))
    try:
        yield started, written
    finally:
        if started.returncode is None:
            started.terminate()
        await asyncio.wait_for(asyncio.gather(started.wait(), gathering), 10)


async def address_in(written: bytearray) -> str:
    """Where the process listens, as it says itself."""
    async with asyncio.timeout(20):
        while not (found := re.search(rb'"port":(\d+)', written)):  # noqa: ASYNC110 - it is another process
            await asyncio.sleep(0.02)
    return f"127.0.0.1:{int(found[1])}"


@pytest.mark.parametrize("source", ["database", "environment"])
async def test_a_planted_key_shows_up_nowhere(
    keys: Keys, database_url: str, tmp_path: Path, source: str
) -> None:
    token = proofs.new_secret(proofs.TOKEN)
    (tmp_path / "admin-token").write_text(token)
    environ = {"INKWELD_ADMIN_TOKEN_FILE": str(tmp_path / "admin-token")}
    if source == "environment":
        environ["OPENAI_API_KEY"] = CANARY
    async with process(keys, database_url, keys.public_ring, **environ) as (_, written):
        address = await address_in(written)
        async with house.dialled(address, keys, token) as channel:
            seen = await all_answers(ProviderServiceStub(channel), stored=source == "database")
        async with house.service_stub(
            ProviderServiceStub, address, keys, service="generation", audience="config"
        ) as generation:
            seen.append(await generation.GetSealedKey(pb.GetSealedKeyRequest(name="providers/openai")))
    dump = await dumped(database_url)

    text = f"{seen}{dump}{written.decode()}"
    assert CANARY[-4:] in str(seen)
    assert "users" in dump
    assert "call." in written.decode()
    assert not [form for form in forms(CANARY) if form in text]
    assert token not in text


async def all_answers(providers: Any, *, stored: bool) -> list[object]:
    """What an administrator sees while a key is set in every way, wrong ones too."""
    seen: list[object] = []
    for call in (
        providers.SetProviderKey(pb.SetProviderKeyRequest(name="providers/none", api_key=CANARY)),
        providers.SetProviderKey(pb.SetProviderKeyRequest(name="providers/openai", api_key=CANARY + "\n")),
        providers.SetProviderKey(pb.SetProviderKeyRequest(name="providers/stable-diffusion", api_key=CANARY)),
        providers.ListProviders(pb.ListProvidersRequest(page_token=CANARY)),
    ):
        with pytest.raises(AioRpcError) as refusal:
            await call
        seen.append((refusal.value.details(), refusal.value.trailing_metadata()))
    if stored:
        await providers.SetProviderKey(pb.SetProviderKeyRequest(name="providers/openai", api_key=CANARY))
    return [*seen, await providers.ListProviders(pb.ListProvidersRequest())]


async def dumped(url: str) -> str:
    """All rows of all tables."""
    async with database.connect(url, MIGRATIONS) as db:
        return await all_rows(db)


async def test_config_cannot_open_what_it_sealed(config: Config) -> None:
    """All that config holds: its signing key, the public keys, the public ring, the database."""
    providers = await config.admin(ProviderServiceStub)
    await providers.SetProviderKey(pb.SetProviderKeyRequest(name="providers/openai", api_key=CANARY))
    generation = await config.service(ProviderServiceStub, "generation")
    sealed = await generation.GetSealedKey(pb.GetSealedKeyRequest(name="providers/openai"))
    public = sealing.load_public(config.keys.public_ring)
    raw = public.keys[public.current].public_bytes_raw()
    held = [raw, sealed.sealed_key[-32:], sealed.sealed_key[:32]]

    for material in held:
        ring = sealing.Ring(public.current, {public.current: X25519PrivateKey.from_private_bytes(material)})
        with pytest.raises(Failure):
            sealing.open_sealed(
                ring,
                sealed.sealed_key,
                provider=sealed.provider,
                origin=sealed.origin,
                version=sealed.version,
            )
    with pytest.raises(ValueError, match="not a whole private ring"):
        sealing.load_private(config.keys.public_ring)
    own = sealing.open_sealed(
        sealing.load_private(config.keys.private_ring),
        sealed.sealed_key,
        provider=sealed.provider,
        origin=sealed.origin,
        version=sealed.version,
    )
    assert own == CANARY


@pytest.mark.parametrize("moved", ["provider", "origin", "version"])
async def test_a_sealed_key_is_bound_to_its_place(config: Config, moved: str) -> None:
    providers = await config.admin(ProviderServiceStub)
    await providers.SetProviderKey(pb.SetProviderKeyRequest(name="providers/openai", api_key=CANARY))
    generation = await config.service(ProviderServiceStub, "generation")
    sealed = await generation.GetSealedKey(pb.GetSealedKeyRequest(name="providers/openai"))
    place = {"provider": sealed.provider, "origin": sealed.origin, "version": sealed.version}
    place[moved] = 2 if moved == "version" else f"{place[moved]}x"

    with pytest.raises(Failure):
        sealing.open_sealed(
            sealing.load_private(config.keys.private_ring),
            sealed.sealed_key,
            **place,  # type: ignore[arg-type]
        )


def test_no_answer_has_a_place_for_a_key() -> None:
    """`api_key` is in no reply, and `sealed_key` only where generation alone may call."""
    for service in SERVICES:
        for method in contract.service(service).methods:
            fields = {field.name for field in _fields(method.output_type, set())}
            assert "api_key" not in fields
            if "sealed_key" in fields:
                allow = contract.method(f"/{service}/{method.name}").allow
                assert (list(allow.services), allow.who, allow.project) == (["generation"], 0, 0)


async def test_with_the_wrong_ring_it_stops_and_says_so(keys: Keys, database_url: str) -> None:
    async with process(keys, database_url, keys.private_ring) as (started, written):
        async with asyncio.timeout(20):
            code = await started.wait()

    assert code == 1
    assert b"is not a whole public ring" in written
    assert b"Traceback" not in written


async def test_with_a_wrong_variable_it_stops_and_names_it(keys: Keys, database_url: str) -> None:
    wrong = {"AI_IMAGE_SD_ENDPOINT": f"http://user:{CANARY}@host"}
    async with process(keys, database_url, keys.public_ring, **wrong) as (started, written):
        async with asyncio.timeout(20):
            code = await started.wait()

    assert code == 1
    assert b"AI_IMAGE_SD_ENDPOINT" in written
    assert CANARY.encode() not in written


def _fields(message: Descriptor, seen: set[str]) -> list[FieldDescriptor]:
    """All fields that an answer can reach."""
    if message.full_name in seen:
        return []
    seen.add(message.full_name)
    inner = [field.message_type for field in message.fields if field.message_type is not None]
    return [*message.fields, *(field for one in inner for field in _fields(one, seen))]
