"""Planted words: a key and a prompt that must not be found where they do not belong."""

import asyncio
import base64
import subprocess
from collections.abc import Iterator

import pytest
from inkweld.config.v1 import profiles_pb2, providers_pb2
from inkweld.config.v1.profiles_pb2_grpc import ProfileServiceStub
from inkweld.config.v1.providers_pb2_grpc import ProviderServiceStub
from inkweld.generation.v1 import generations_pb2 as pb

from deploy.local.stack import DATABASES
from tests.end_to_end import writing
from tests.stack import Stack

pytestmark = pytest.mark.stack

KEY = "sk-canary-4e1f0c9a7b2d"
PROMPT = "A vixen named Quillonwyr crossing the ice"
SPY = "providers/canary"


@pytest.fixture(scope="module")
def told(stack: Stack) -> str:
    """All that the API said to one who used the key and the prompt, well and badly."""
    return asyncio.run(_use_by_grpc(stack)) + asyncio.run(_misuse_by_http(stack))


async def _use_by_grpc(stack: Stack) -> str:
    provider = providers_pb2.Provider(
        kind="openai", title="Canary", endpoint=f"{stack.sandbox_url}/v1", enabled=True
    )
    profile = profiles_pb2.Profile(title="Canary", provider=SPY, model="gpt-image-2", enabled=True)
    async with stack.channel("config") as config, stack.channel("generation") as generation:
        providers = ProviderServiceStub(config)
        await providers.CreateProvider(
            providers_pb2.CreateProviderRequest(provider=provider, provider_id="canary")
        )
        shown = await providers.SetProviderKey(providers_pb2.SetProviderKeyRequest(name=SPY, api_key=KEY))
        await ProfileServiceStub(config).CreateProfile(
            profiles_pb2.CreateProfileRequest(profile=profile, profile_id="canary")
        )
        refused = await writing.draw(generation, PROMPT, profile="profiles/canary", size="1024x1024")
        drawn = await writing.draw(generation, PROMPT)
    assert refused.state == pb.Generation.FAILED
    assert drawn.state == pb.Generation.SUCCEEDED
    return f"{shown}{refused.error}"


async def _misuse_by_http(stack: Stack) -> str:
    generations, set_key = f"/v1/{writing.PROJECT}/generations", f"/v1/{SPY}:setKey"
    calls: list[tuple[str, dict[str, object]]] = [
        (set_key, {"apiKey": [KEY]}),
        (set_key, {"apiKey": f"{KEY}\n"}),
        (set_key, {"apiKey": KEY, "extra": KEY}),
        (generations, {"prompt": [PROMPT]}),
        (generations, {"prompt": PROMPT, "profile": "profiles/none"}),
        (generations, {"prompt": PROMPT * 999, "profile": writing.SKETCH}),
        (generations, {"prompt": PROMPT, "profile": writing.SKETCH, "size": PROMPT}),
    ]
    async with stack.http() as client:
        answers = [await client.post(path, json=body) for path, body in calls]
        answers.append(await client.get("/v1/providers"))
    assert {answer.status_code for answer in answers[:-1]} <= {400, 404}
    return "".join(answer.text for answer in answers)


def dump(stack: Stack, database: str) -> bytes:
    """Every row of a database, as text."""
    command = (stack.postgres.programs / "pg_dump", "--data-only", "--inserts", stack.postgres.url(database))
    return subprocess.run(command, check=True, capture_output=True, env={}).stdout


def spellings(word: str) -> Iterator[bytes]:
    """How a word looks in plain text, in hex as bytea is dumped, and in base64 at any offset."""
    raw = word.encode()
    yield raw
    yield raw.hex().encode()
    for offset in range(3):
        # The first and last group mix with what stands beside the word.
        yield base64.b64encode(b"\0" * offset + raw)[4:-4]


@pytest.mark.parametrize("database", DATABASES)
async def test_no_database_holds_a_key(stack: Stack, told: str, database: str) -> None:
    rows = dump(stack, database)

    assert not [spelling for spelling in spellings(KEY) if spelling in rows]


@pytest.mark.parametrize("database", ["config", "media"])
async def test_only_generation_keeps_prompts(stack: Stack, told: str, database: str) -> None:
    rows = dump(stack, database)

    assert not [spelling for spelling in spellings(PROMPT) if spelling in rows]


async def test_the_dump_would_show_them(stack: Stack, told: str) -> None:
    rows = dump(stack, "generation")

    assert [spelling for spelling in spellings(PROMPT) if spelling in rows]


async def test_no_log_holds_a_key_or_a_prompt(stack: Stack, told: str) -> None:
    logs = stack.logs().encode()

    assert not [spelling for word in (KEY, PROMPT) for spelling in spellings(word) if spelling in logs]
    assert b"task.finished" in logs


async def test_no_answer_repeats_a_key_or_a_prompt(stack: Stack, told: str) -> None:
    answers = told.encode()

    assert not [spelling for word in (KEY, PROMPT) for spelling in spellings(word) if spelling in answers]
    assert b"********" in answers


async def test_config_is_not_told_where_the_private_ring_is(stack: Stack) -> None:
    ring = str(stack.folder.key("ring.private"))

    knowing = [name for name, part in stack.parts.items() if ring in part.environment.values()]

    assert knowing == ["generation"]
