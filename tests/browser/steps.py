"""What people do in the web client, as steps that tests are told in."""

import re
from typing import Any

import httpx
from playwright.async_api import Locator, Page, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tests.stack import Stack


async def script(stack: Stack, *rules: dict[str, Any]) -> None:
    """Tell the sandbox how to behave."""
    async with httpx.AsyncClient(trust_env=False) as http:
        await http.delete(f"{stack.sandbox_url}/sandbox/script")
        (await http.post(f"{stack.sandbox_url}/sandbox/script", json=list(rules))).raise_for_status()


async def open_project(page: Page, title: str) -> None:
    """Make a project and open it."""
    await page.goto("/projects")
    await page.get_by_test_id("create-project-button").first.click()
    await page.get_by_role("textbox", name="Title").fill(title)
    await page.get_by_role("button", name="Create Project").click()
    await page.get_by_role("heading", name=title, level=1).wait_for()


async def describe(page: Page, prompt: str, profile: str = "") -> None:
    """Open the dialog and describe a picture, for another profile than the first if one is named."""
    await page.get_by_role("button", name="Generate Image").first.click()
    await page.get_by_role("textbox", name="Prompt").fill(prompt)
    if profile:
        # Once the dialog is open it puts the cursor to the prompt, which closes any list.
        await expect(page.locator("dialog.show")).to_have_count(0)
        await _pick(
            page.get_by_role("combobox", name="Profile"), page.get_by_role("option", name=profile, exact=True)
        )


async def _pick(box: Locator, option: Locator) -> None:
    """Open a list and pick from it; on a busy machine the dialog may still settle and close it once."""
    for patience in (3_000, 3_000, 10_000):
        if not await option.is_visible():
            await box.click()
        try:
            await option.click(timeout=patience)
        except PlaywrightTimeout:
            continue
        return
    raise AssertionError("The list did not stay open.")


async def draw(page: Page) -> None:
    await page.get_by_role("button", name="Generate", exact=True).click()


async def saved(page: Page) -> None:
    """Wait for the pictures, and save them."""
    await page.get_by_role("button", name="Save to Library").click()
    await expect(page.get_by_test_id("media-item-card")).to_have_count(1)


async def open_card(page: Page, provider: str) -> Locator:
    """A provider's card on the administrator's page."""
    await page.goto("/admin/ai")
    card = page.get_by_test_id(f"ai-provider-card-{provider}")
    await card.scroll_into_view_if_needed()
    return card


async def set_value(card: Locator, field: str, value: str) -> None:
    """Set what a button with a pencil changes: the endpoint, the account id."""
    await card.get_by_role("button", name=f"Change {field}").click()
    await _answer(card.page, value)
    await expect(card.get_by_text(value, exact=True)).to_be_visible()


async def set_key(card: Locator, key: str) -> None:
    """Set the key, or replace it."""
    await card.get_by_test_id("set-key-button").or_(card.get_by_test_id("replace-key-button")).click()
    await _answer(card.page, key)
    await expect(card.get_by_test_id("ai-provider-key-configured")).to_contain_text("set here just now")


async def check_connection(card: Locator, sentence: str) -> Locator:
    """Test the connection; it must say this."""
    await card.get_by_role("button", name="Test connection").click()
    told = card.get_by_role("status").filter(has_text=sentence)
    await expect(told).to_be_visible()
    return told


async def begin_profile(page: Page, title: str, provider: str) -> Locator:
    """Open the dialog for a new profile of a provider, and name it."""
    await page.get_by_test_id("create-profile-button").click()
    dialog = page.locator("profile-dialog")
    await dialog.get_by_test_id("profile-name-input").locator("input").fill(title)
    await dialog.get_by_role("combobox", name="Provider").click()
    await dialog.get_by_role("option", name=provider, exact=True).click()
    return dialog


async def pick_model(dialog: Locator, search: str, model: str) -> None:
    """Search the model browser, and pick a model by the name its provider gives it."""
    typed = dialog.get_by_test_id("profile-model-input").locator("input")
    async with dialog.page.expect_response(re.compile(r"/models\?.*query=")):
        await typed.fill(search)
    await dialog.get_by_role("list", name="Models").get_by_text(model, exact=True).click()
    await expect(typed).to_have_value(model)


async def _answer(page: Page, value: str) -> None:
    """Answer the dialog that asks for one value; the page then reads its providers anew."""
    dialog = page.locator("wa-dialog[open]")
    await dialog.get_by_test_id("value-input").locator("input").fill(value)
    async with page.expect_response(re.compile(r"/v1/providers(\?|$)")):
        await dialog.get_by_test_id("value-save").click()
    await expect(dialog).to_have_count(0)
