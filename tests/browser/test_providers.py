"""Every kind of provider, from an empty card to a picture in the library."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser import steps
from tests.stack import Stack

pytestmark = pytest.mark.stack

WEBUI = "webui-with-password"
PASSWORD = "painter:cobalt"
ACCOUNT = "5a7db0c15a7db0c15a7db0c15a7db0c1"


@dataclass(frozen=True)
class Case:
    """A provider that comes with the system, and what its administrator has at hand."""

    id: str
    title: str
    path: str  # of the endpoint, at the sandbox
    key: str
    wrong_key: str
    search: str
    model: str
    account: str = ""
    advice: str = "set a new one"
    part: str = "sandbox"


CASES = (
    Case("openai", "OpenAI", "/v1", "sk-proj-sandbox", "sk-proj-mistyped", "image 2", "gpt-image-2"),
    Case(
        "openrouter",
        "OpenRouter",
        "/api/v1",
        "sk-or-v1-sandbox",
        "sk-or-v1-mistyped",
        "klein",
        "black-forest-labs/flux.2-klein-4b",
    ),
    Case(
        "falai",
        "Fal.ai",
        "/fal/queue",
        "sandbox-id:sandbox-secret",
        "sandbox-id:mistyped",
        "flux 2 pro",
        "fal-ai/flux-2-pro",
    ),
    Case(
        "stable-diffusion",
        "Stable Diffusion",
        "",
        PASSWORD,
        "painter:crimson",
        "portrait",
        "sandbox-portrait.safetensors [c3f1e94d70]",
        advice="Set the key to the user and password of --api-auth",
        part=WEBUI,
    ),
    Case(
        "workersai",
        "Cloudflare Workers AI",
        "/client/v4",
        "cf-sandbox",
        "cf-mistyped",
        "klein",
        "@cf/black-forest-labs/flux-2-klein-4b",
        account=ACCOUNT,
    ),
)


@pytest.fixture(scope="module")
def guarded(stack: Stack) -> Iterator[Stack]:
    """The stack beside which a WebUI runs that asks for a password, as those on a network should."""
    stack.add_sandbox(WEBUI, "--webui-auth", PASSWORD)
    yield stack
    stack.remove(WEBUI)


@pytest.fixture(params=CASES, ids=[case.id for case in CASES])
async def case(request: pytest.FixtureRequest, guarded: Stack) -> AsyncIterator[Case]:
    """Each of them; afterwards it is as it came."""
    case: Case = request.param
    yield case
    async with guarded.http() as http:
        for profile in (await http.get("/v1/profiles")).json()["profiles"]:
            if profile["provider"] == f"providers/{case.id}":
                (await http.delete(f"/v1/{profile['name']}")).raise_for_status()
        provider = f"/v1/providers/{case.id}"
        (await http.post(f"{provider}:deleteKey", json={})).raise_for_status()
        mask = {"updateMask": "endpoint,accountId,enabled"}
        (await http.patch(provider, params=mask, json={"name": f"providers/{case.id}"})).raise_for_status()


async def test_a_provider_is_set_up_tested_and_draws(
    case: Case, signed_in: Page, guarded: Stack, shots: Path
) -> None:
    page = signed_in
    await _set_up(case, page, guarded, shots)
    await _offer(case, page, shots)
    await _draw(case, page, shots)


async def _set_up(case: Case, page: Page, stack: Stack, shots: Path) -> None:
    card = await steps.open_card(page, case.id)
    await steps.set_value(card, "endpoint", f"http://{stack.parts[case.part].address}{case.path}")
    if case.account:
        await steps.set_value(card, "account id", case.account)
    await steps.set_key(card, case.wrong_key)
    told = await steps.check_connection(card, "The provider refused the key.")
    await expect(told).to_contain_text(case.advice)
    await card.screenshot(path=shots / f"provider-{case.id}-refused.png")

    await steps.set_key(card, case.key)
    await steps.check_connection(card, "The connection works.")
    await expect(card.get_by_text("Ready", exact=True)).to_be_visible()
    await page.screenshot(path=shots / f"provider-{case.id}.png")


async def _offer(case: Case, page: Page, shots: Path) -> None:
    dialog = await steps.begin_profile(page, f"Brush of {case.title}", case.title)
    await steps.pick_model(dialog, case.search, case.model)
    await page.screenshot(path=shots / f"provider-{case.id}-profile.png")
    await dialog.get_by_role("button", name="Create Profile").click()
    await expect(page.get_by_role("heading", name=f"Brush of {case.title}")).to_be_visible()


async def _draw(case: Case, page: Page, shots: Path) -> None:
    prompt = f"A heron over the marsh, drawn by {case.title}"
    await steps.open_project(page, f"Marsh of {case.title}")
    await steps.describe(page, prompt, f"Brush of {case.title}")
    await steps.draw(page)
    picture = page.get_by_role("button", name="Picture 1").get_by_role("img", name=prompt)
    await expect(picture).to_have_js_property("complete", value=True)
    await page.screenshot(path=shots / f"provider-{case.id}-choose.png")
    await steps.saved(page)

    await page.get_by_test_id("media-item-card").click()
    viewer = page.get_by_test_id("image-viewer-dialog")
    await expect(viewer.get_by_text(case.model, exact=True)).to_be_visible()
    await page.screenshot(path=shots / f"provider-{case.id}-picture.png")
