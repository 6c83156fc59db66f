"""What an administrator does on the AI page."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.stack import Stack

pytestmark = pytest.mark.stack


async def test_a_key_is_set_and_never_shown(signed_in: Page, shots: Path) -> None:
    page = signed_in
    await page.goto("/admin/ai")
    card = page.get_by_test_id("ai-provider-card-openai")
    await expect(card.get_by_test_id("ai-provider-key-not-configured")).to_be_visible()
    await page.screenshot(path=shots / "admin.png", full_page=True)

    await card.get_by_role("button", name="Set Key").click()
    await (
        page.locator("wa-dialog[open]")
        .get_by_test_id("value-input")
        .locator("input")
        .fill("sk-canary-in-the-browser-1234")
    )
    await page.locator("wa-dialog[open]").get_by_test_id("value-save").click()

    await expect(card.get_by_test_id("ai-provider-key-configured")).to_contain_text("1234")
    assert "canary" not in await page.content()


async def test_a_profile_is_created_and_offered(signed_in: Page, stack: Stack, shots: Path) -> None:
    page = signed_in
    await page.goto("/admin/ai")

    await page.get_by_test_id("create-profile-button").click()
    dialog = page.get_by_role("dialog", name="Create Image Profile")
    await page.get_by_test_id("profile-name-input").locator("input").fill("Ink wash")
    await page.get_by_role("combobox", name="Provider").click()
    await page.get_by_role("option", name="Sandbox WebUI (demo)").click()
    await page.get_by_test_id("profile-model-input").locator("input").fill("sandbox-landscape")
    await page.get_by_role("button", name="More settings").click()
    await page.get_by_role("textbox", name="Model config").fill('{"steps": "many"}')
    await page.get_by_role("button", name="Create Profile").click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    await page.screenshot(path=shots / "profile-dialog.png")
    await page.get_by_role("textbox", name="Model config").fill('{"steps": 12}')
    await page.get_by_role("button", name="Create Profile").click()
    await expect(dialog).to_be_hidden()
    await expect(page.get_by_role("heading", name="Ink wash")).to_be_visible()

    async with stack.http() as http:
        offered = (await http.get("/v1/profiles")).json()["profiles"]
    assert {p["title"]: p.get("modelConfig") for p in offered}["Ink wash"] == {"steps": 12}


async def test_the_kill_switch_withdraws_the_offer(signed_in: Page, stack: Stack, shots: Path) -> None:
    page = signed_in
    async with stack.http() as http:
        await http.patch("/v1/settings", json={"killSwitch": True})
        try:
            await page.goto("/projects/lantern-coast/media")
            offered = page.get_by_role("button", name="Generate Image").and_(page.locator(":not([disabled])"))
            await expect(offered).to_have_count(0)
            await page.screenshot(path=shots / "switched-off.png")
        finally:
            await http.patch("/v1/settings", json={"killSwitch": False})


async def test_pages_fit_a_telephone_in_the_dark(signed_in: Page, shots: Path) -> None:
    page = signed_in
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size({"width": 375, "height": 812})
    for path, name in (
        ("/projects", "projects"),
        ("/admin/ai", "admin"),
        ("/projects/lantern-coast/media", "media"),
    ):
        await page.goto(path)
        await page.get_by_role("heading", level=1).first.wait_for()
        await page.wait_for_timeout(300)
        await page.screenshot(path=shots / f"phone-{name}.png")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 375, path


async def test_a_connection_is_tested_and_the_card_remembers(
    signed_in: Page, stack: Stack, shots: Path
) -> None:
    page = signed_in
    await page.goto("/admin/ai")
    card = page.get_by_test_id("ai-provider-card-sandbox-openai")

    await card.get_by_role("button", name="Test connection").click()
    await expect(card.get_by_role("status").filter(has_text="The connection works.")).to_be_visible()
    await page.screenshot(path=shots / "provider-checked.png", full_page=True)
    await page.reload()
    await expect(card.get_by_text("Worked just now")).to_be_visible()

    await stack.script({"match": {"call": "/v1/models"}, "act": {"refuse": "wrong_key"}, "times": 1})
    await card.get_by_role("button", name="Test connection").click()
    told = card.get_by_role("status").filter(has_text="The provider refused the key.")
    await expect(told).to_contain_text("set a new one")
    await page.screenshot(path=shots / "provider-refused.png", full_page=True)
    await page.reload()
    await expect(card.get_by_text("Key rejected just now; last worked")).to_be_visible()


async def test_a_provider_without_a_key_is_told_what_to_do(signed_in: Page) -> None:
    page = signed_in
    await page.goto("/admin/ai")
    card = page.get_by_test_id("ai-provider-card-openrouter")

    await card.get_by_role("button", name="Test connection").click()

    await expect(card.get_by_role("status").filter(has_text="Set its key.")).to_be_visible()


async def test_a_model_is_searched_picked_and_fills_in_what_it_can(signed_in: Page, shots: Path) -> None:
    page = signed_in
    await page.goto("/admin/ai")
    await page.get_by_test_id("create-profile-button").click()
    await page.get_by_role("combobox", name="Provider").click()
    await page.get_by_role("option", name="Sandbox OpenAI (demo)").click()
    models = page.get_by_role("list", name="Models")
    await expect(models.get_by_role("button").first).to_be_visible()

    typed = page.get_by_test_id("profile-model-input").locator("input")
    await typed.fill("no such model")
    await expect(page.get_by_text("No model is called")).to_be_visible()
    await typed.fill("GPT mini")
    await expect(models.get_by_role("button")).to_have_count(1)
    await models.get_by_role("button").click()

    await expect(typed).to_have_value("gpt-image-1-mini")
    sizes = page.locator("sizes-editor").get_by_role("listitem")
    await expect(sizes).to_contain_text(["1024", "1536", "1024", "Auto"])
    await expect(page.get_by_test_id("model-note")).to_contain_text("prompts of 32,000 characters")
    await page.screenshot(path=shots / "model-browser.png")


async def test_models_that_need_a_picture_are_filtered(signed_in: Page, stack: Stack) -> None:
    page = signed_in
    provider = {"kind": "falai", "title": "Sandbox fal", "endpoint": f"{stack.sandbox_url}/fal/queue"}
    async with stack.http() as http:
        await http.post("/v1/providers?providerId=sandbox-fal", json={**provider, "enabled": True})
        await http.post("/v1/providers/sandbox-fal:setKey", json={"apiKey": "sk-sandbox"})
        try:
            await page.goto("/admin/ai")
            await page.get_by_test_id("create-profile-button").click()
            await page.get_by_role("combobox", name="Provider").click()
            await page.get_by_role("option", name="Sandbox fal").click()
            await page.get_by_role("button", name="Image to image", exact=True).click()

            models = page.get_by_role("list", name="Models").get_by_role("button")
            needing = models.filter(has_text="needs a picture")
            await expect(models.filter(has_text="flux-2-pro/edit")).to_be_visible()
            await expect(needing).to_have_count(await models.count())
        finally:
            await http.delete("/v1/providers/sandbox-fal")


async def test_without_the_providers_list_the_catalogue_is_there(signed_in: Page, stack: Stack) -> None:
    page = signed_in
    provider = {"kind": "openai", "title": "Broken", "endpoint": f"{stack.sandbox_url}/nowhere"}
    async with stack.http() as http:
        await http.post("/v1/providers?providerId=broken", json={**provider, "enabled": True})
        await http.post("/v1/providers/broken:setKey", json={"apiKey": "sk-sandbox"})
        try:
            await page.goto("/admin/ai")
            await page.get_by_test_id("create-profile-button").click()
            await page.get_by_role("combobox", name="Provider").click()
            await page.get_by_role("option", name="Broken").click()

            await expect(page.get_by_test_id("model-list-error")).to_contain_text("list is missing")
            await expect(page.get_by_role("list", name="Models").get_by_role("button").first).to_be_visible()
        finally:
            await http.delete("/v1/providers/broken")
