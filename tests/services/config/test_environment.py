"""What the environment says, variable by variable, in both spellings."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest
import structlog
from google.protobuf.field_mask_pb2 import FieldMask
from inkweld.config.v1 import providers_pb2, settings_pb2
from inkweld.config.v1.providers_pb2_grpc import ProviderServiceStub
from inkweld.config.v1.settings_pb2 import Source
from inkweld.config.v1.settings_pb2_grpc import SettingsServiceStub

from services.config import environment
from services.config.environment import EnvironmentProblem
from tests.house import Keys
from tests.services.config.instance import Config, running

KEY, OTHER = "key-of-one-0001", "key-of-two-0002"
SIZES = '[{"id": "wide", "name": "Wide", "width": 2048, "height": 512}]'


class Row(NamedTuple):
    """What a variable speaks of, in which spellings (the winner first), and two values."""

    provider: str
    field: str
    names: tuple[str, ...]
    one: str
    two: str


ROWS = [
    Row("openai", "enabled", ("AI_IMAGE_OPENAI_ENABLED",), "true", "false"),
    Row("openai", "key", ("OPENAI_API_KEY",), KEY, OTHER),
    Row("openai", "endpoint", ("OPENAI_API_BASE",), "https://one.example/v1", "https://two.example/v1"),
    Row("openrouter", "enabled", ("AI_IMAGE_OPENROUTER_ENABLED",), "true", "false"),
    Row("openrouter", "key", ("OPENROUTER_API_KEY", "AI_IMAGE_OPENROUTER_API_KEY"), KEY, OTHER),
    Row("falai", "enabled", ("AI_IMAGE_FALAI_ENABLED", "AI_FALAI_ENABLED"), "true", "false"),
    Row("falai", "key", ("FALAI_API_KEY", "AI_FALAI_API_KEY"), KEY, OTHER),
    Row("stable-diffusion", "enabled", ("AI_IMAGE_SD_ENABLED",), "true", "false"),
    Row(
        "stable-diffusion",
        "endpoint",
        ("SD_API_ENDPOINT", "AI_IMAGE_SD_ENDPOINT"),
        "http://one.example:7860",
        "http://two.example:7860",
    ),
    Row("stable-diffusion", "key", ("SD_API_KEY", "AI_IMAGE_SD_API_KEY"), KEY, OTHER),
    Row("workersai", "enabled", ("AI_IMAGE_WORKERSAI_ENABLED",), "true", "false"),
    Row("workersai", "key", ("WORKERSAI_API_TOKEN",), KEY, OTHER),
    Row("workersai", "account_id", ("WORKERSAI_ACCOUNT_ID",), "one", "two"),
]
SPELLINGS = [pytest.param(row, name, id=name) for row in ROWS for name in row.names]
TWICE = [pytest.param(row, id=row.names[0]) for row in ROWS if len(row.names) > 1]


class Setting(NamedTuple):
    """What a variable says of a setting, and another value to store."""

    field: str
    name: str
    text: str
    said: Any
    stored: Any


SETTINGS = [
    Setting("images_enabled", "AI_IMAGE_ENABLED", "true", said=True, stored=False),
    Setting(
        "custom_sizes",
        "AI_IMAGE_CUSTOM_SIZES",
        SIZES,
        settings_pb2.CustomSizes(
            sizes=[settings_pb2.CustomSize(id="wide", title="Wide", width=2048, height=512)]
        ),
        settings_pb2.CustomSizes(),
    ),
]


def said_of(environ: Mapping[str, str], provider: str, field: str) -> object:
    """What the environment says of a provider's field, as text."""
    if field == "key":
        return environment.read_keys(environ).get(provider)
    value = getattr(environment.read(environ).provider(provider), field)
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


@pytest.mark.parametrize("spelling", [0, -1], ids=["read", "documented"])
async def test_a_database_value_wins_and_removing_it_brings_the_environments_back(
    keys: Keys, database_url: str, spelling: int
) -> None:
    async with running(keys, database_url, {row.names[spelling]: row.one for row in ROWS}) as config:
        for row in ROWS:
            read = await _provider(config, row.provider)
            stored = await _store(config, row.provider, row.field, row.two)
            removed = await _store(config, row.provider, row.field, None)

            shown = [_shown(one, row.field) for one in (read, stored, removed)]
            one, two = (row.one[-4:], row.two[-4:]) if row.field == "key" else (row.one, row.two)
            said = (one, Source.ENVIRONMENT)
            assert shown == [said, (two, Source.DATABASE), said], row.names


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
async def test_a_database_setting_wins_and_removing_it_brings_the_environments_back(
    keys: Keys, database_url: str, setting: Setting
) -> None:
    field, name, text, said, stored = setting
    async with running(keys, database_url, {name: text}) as config:
        service = await config.admin(SettingsServiceStub)
        seen = [await service.GetSettings(settings_pb2.GetSettingsRequest())]
        for wanted in (settings_pb2.Settings(**{field: stored}), settings_pb2.Settings()):
            request = settings_pb2.UpdateSettingsRequest(
                settings=wanted, update_mask=FieldMask(paths=[field])
            )
            seen.append(await service.UpdateSettings(request))

    assert [(getattr(one, field), one.sources[field]) for one in seen] == [
        (said, Source.ENVIRONMENT),
        (stored, Source.DATABASE),
        (said, Source.ENVIRONMENT),
    ]


@pytest.mark.parametrize("row", TWICE)
def test_of_two_spellings_the_first_wins_with_a_warning_that_names_both(row: Row) -> None:
    provider, field, names, one, two = row
    with structlog.testing.capture_logs() as logs:
        said = said_of({names[1]: two, names[0]: one}, provider, field)

    assert said == one
    assert {tuple(log["variables"]) for log in logs} == {names}
    assert not any(value in str(logs) for value in (KEY, OTHER, "one.example", "two.example"))


@pytest.mark.parametrize("row", TWICE)
def test_two_spellings_that_agree_warn_of_nothing(row: Row) -> None:
    provider, field, names, one, _ = row
    with structlog.testing.capture_logs() as logs:
        assert said_of(dict.fromkeys(names, one), provider, field) == one

    assert not logs


@pytest.mark.parametrize(("row", "name"), SPELLINGS)
def test_an_empty_variable_says_nothing(row: Row, name: str) -> None:
    assert said_of({name: " "}, row.provider, row.field) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("false", False), ("0", False), ("TRUE", False), ("yes", False)],
)
def test_only_true_and_1_are_true(text: str, value: object) -> None:
    assert environment.read({"AI_IMAGE_ENABLED": text}).images_enabled is value


@pytest.mark.parametrize(
    ("environ", "value"),
    [
        ({}, None),
        ({"AI_KILL_SWITCH": "false"}, False),
        ({"AI_KILL_SWITCH": "true"}, True),
        ({"AI_KILL_SWITCH": "0"}, True),
        ({"AI_KILL_SWITCH": "FALSE"}, True),
        ({"AI_KILL_SWITCH": " false"}, True),
        ({"AI_KILL_SWITCH": ""}, True),
    ],
)
def test_only_one_word_turns_the_kill_switch_off(environ: dict[str, str], value: object) -> None:
    assert environment.read(environ).kill_switch is value


async def test_images_are_on_by_default_only_with_an_openai_key(keys: Keys, database_url: str) -> None:
    async with running(keys, database_url, {"OPENAI_API_KEY": KEY}) as config:
        service = await config.admin(SettingsServiceStub)
        settings = await service.GetSettings(settings_pb2.GetSettingsRequest())

    assert (settings.images_enabled, settings.sources["images_enabled"]) == (True, Source.DEFAULT)


@pytest.mark.parametrize(
    "text", ["{", "{}", '[{"id": "a"}]', SIZES.replace("512", "5"), SIZES[:-1] + "," + SIZES[1:]]
)
def test_sizes_that_are_none_are_ignored_with_a_warning(text: str) -> None:
    with structlog.testing.capture_logs() as logs:
        assert environment.read({"AI_IMAGE_CUSTOM_SIZES": text}).custom_sizes is None

    assert [log["variable"] for log in logs] == ["AI_IMAGE_CUSTOM_SIZES"]


@pytest.mark.parametrize("name", ["OPENAI_API_BASE", "SD_API_ENDPOINT", "AI_IMAGE_SD_ENDPOINT"])
def test_a_wrong_endpoint_stops_the_start_by_name(name: str) -> None:
    with pytest.raises(EnvironmentProblem) as problem:
        environment.read({name: "http://user:password@host"})

    assert name in str(problem.value)
    assert "password" not in str(problem.value)


def test_a_key_of_two_lines_stops_the_start_by_name() -> None:
    with pytest.raises(EnvironmentProblem) as problem:
        environment.read_keys({"AI_FALAI_API_KEY": "canary\nX-Injected: 1"})

    assert "AI_FALAI_API_KEY" in str(problem.value)
    assert "canary" not in str(problem.value)


@pytest.mark.parametrize("name", environment.UNUSED)
def test_a_variable_that_profiles_replaced_is_ignored_with_a_warning(name: str) -> None:
    with structlog.testing.capture_logs() as logs:
        environment.read({name: "[]"})

    assert [log["variable"] for log in logs] == [name]


async def _provider(config: Config, provider: str) -> providers_pb2.Provider:
    providers = await config.admin(ProviderServiceStub)
    return await providers.GetProvider(providers_pb2.GetProviderRequest(name=f"providers/{provider}"))


async def _store(config: Config, provider: str, field: str, text: str | None) -> providers_pb2.Provider:
    """Store a value for a field, or remove what is stored."""
    providers = await config.admin(ProviderServiceStub)
    name = f"providers/{provider}"
    if field == "key":
        if text is None:
            return await providers.DeleteProviderKey(providers_pb2.DeleteProviderKeyRequest(name=name))
        return await providers.SetProviderKey(providers_pb2.SetProviderKeyRequest(name=name, api_key=text))
    wanted = providers_pb2.Provider(name=name)
    if text is not None:
        setattr(wanted, field, text == "true" if field == "enabled" else text)
    mask = FieldMask(paths=[field])
    return await providers.UpdateProvider(
        providers_pb2.UpdateProviderRequest(provider=wanted, update_mask=mask)
    )


def _shown(provider: providers_pb2.Provider, field: str) -> tuple[object, Source]:
    """A field and its source, as an administrator sees them."""
    value = provider.key.last_four if field == "key" else getattr(provider, field)
    value = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    return value, provider.sources[field]
