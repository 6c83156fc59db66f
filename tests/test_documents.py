import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from deploy.local.__main__ import Settings as RunSettings
from deploy.local.parts import ROOT
from gateway.__main__ import Settings as GatewaySettings
from services.config import environment
from services.config.__main__ import Settings as ConfigSettings
from services.generation.__main__ import Settings as GenerationSettings
from services.media.__main__ import Settings as MediaSettings

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
PAGES = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize(
    "settings", [RunSettings, ConfigSettings, GenerationSettings, MediaSettings, GatewaySettings]
)
def test_every_setting_is_documented(settings: type[BaseSettings]) -> None:
    prefix = settings.model_config.get("env_prefix", "")
    names = [f"{prefix}{field}".upper() for field in settings.model_fields]

    assert [name for name in names if f"`{name}`" not in OPERATIONS] == []


def test_every_variable_of_ai_is_documented() -> None:
    names = {environment.KILL_SWITCH, environment.IMAGES_ENABLED, environment.CUSTOM_SIZES}
    names.update(environment.UNUSED)
    for built_in in environment.BUILT_IN.values():
        names.update(
            *(built_in.enabled_names, built_in.key_names),
            *(built_in.endpoint_names, built_in.account_id_names),
        )

    assert [name for name in sorted(names) if f"`{name}`" not in OPERATIONS] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []
