"""A new user's first picture, as they see it."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.steps import describe, draw, open_project, saved, script
from tests.stack import Stack

pytestmark = pytest.mark.stack

PROMPT = "A lighthouse on a cliff at dusk, the sea below"


async def test_the_first_image_survives_a_reload(signed_in: Page, stack: Stack, shots: Path) -> None:
    page = signed_in
    await script(stack, {"match": {"prompt": "lighthouse"}, "act": {"seconds": 4}})
    await open_project(page, "Tales of the Coast")
    await page.screenshot(path=shots / "empty-project.png")
    await describe(page, PROMPT)
    await page.screenshot(path=shots / "describe.png")

    await draw(page)
    await page.get_by_role("progressbar").first.wait_for()
    await page.screenshot(path=shots / "draw.png")
    await page.reload()
    # The address says which generation was open, and the project's tray has it too.
    await page.get_by_role("region", name="Generations").get_by_text(PROMPT).wait_for()

    await expect(page.get_by_role("button", name="Picture 1").get_by_role("img", name=PROMPT)).to_be_visible()
    await page.screenshot(path=shots / "choose.png")
    await saved(page)
    await page.reload()
    await expect(page.get_by_test_id("media-item-card")).to_have_count(1)
    await page.screenshot(path=shots / "library.png")
    assert stack.charges(PROMPT) == ["answered"]


async def test_the_viewer_tells_the_prompt_and_the_facts(signed_in: Page, stack: Stack, shots: Path) -> None:
    page = signed_in
    await script(stack, {"act": {"seconds": 0}})
    await open_project(page, "Rooms with a View")
    await describe(page, "A quiet library in the rain")
    await draw(page)
    await saved(page)

    await page.get_by_test_id("media-item-card").click()
    viewer = page.get_by_test_id("image-viewer-dialog")
    await expect(viewer.get_by_text("A quiet library in the rain").first).to_be_visible()
    await expect(viewer.get_by_text(re.compile("1024")).first).to_be_visible()
    await page.screenshot(path=shots / "viewer.png")
    await page.keyboard.press("Escape")
    await expect(viewer).to_be_hidden()


async def test_a_refused_key_is_said_in_a_sentence_and_can_be_tried_again(
    signed_in: Page, stack: Stack, shots: Path
) -> None:
    page = signed_in
    refusal = {"status": 401, "body": {"detail": "canary-of-the-provider"}}
    await script(stack, {"match": {"prompt": "storm"}, "act": refusal})
    await open_project(page, "Storm Glass")
    await describe(page, "A storm in a glass")

    await draw(page)

    told = page.get_by_test_id("image-gen-error-message")
    await expect(told).to_have_attribute("data-reason", "KEY_REJECTED")
    await expect(told).to_contain_text("key")
    await page.screenshot(path=shots / "failed.png")
    assert "canary-of-the-provider" not in await page.content()
    await page.get_by_test_id("image-gen-try-again-button").click()
    await expect(page.get_by_role("textbox", name="Prompt")).to_have_value("A storm in a glass")


async def test_an_upload_is_shown_and_text_is_refused(signed_in: Page, tmp_path: Path, shots: Path) -> None:
    from PIL import Image

    page = signed_in
    Image.new("RGB", (640, 400), "#c98b4e").save(tmp_path / "dunes.png")
    (tmp_path / "fake.png").write_text("I am no picture.")
    await open_project(page, "Dunes")

    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Upload").first.click()
    await (await choosing.value).set_files(tmp_path / "dunes.png")
    await expect(page.get_by_test_id("media-item-card")).to_have_count(1)

    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="Upload").first.click()
    await (await choosing.value).set_files(tmp_path / "fake.png")
    await expect(page.get_by_text("PNG, JPEG or WebP").first).to_be_visible()
    await page.screenshot(path=shots / "refused-upload.png")
    await expect(page.get_by_test_id("media-item-card")).to_have_count(1)


async def test_without_a_server_nothing_is_offered(signed_in: Page, shots: Path) -> None:
    page = signed_in
    await open_project(page, "Offline Isle")
    await expect(page.get_by_role("button", name="Generate Image").first).to_be_enabled()

    await page.context.set_offline(True)
    await page.evaluate("window.dispatchEvent(new Event('offline'))")

    await expect(page.get_by_role("alert").get_by_text("cannot be reached")).to_be_visible()
    offered = page.get_by_role("button", name="Generate Image").and_(page.locator(":not([disabled])"))
    await expect(offered).to_have_count(0)
    await page.screenshot(path=shots / "offline.png")
    await page.context.set_offline(False)
