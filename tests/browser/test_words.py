"""What a writer sees of the words that are sent, and an administrator of models that end."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.steps import describe, open_project
from tests.stack import Stack

pytestmark = pytest.mark.stack


async def test_the_plan_shows_whose_words_are_sent(signed_in: Page, shots: Path) -> None:
    page = signed_in
    await open_project(page, "Tales of Low Quay")
    await describe(page, "Night market in the rain")

    await page.get_by_test_id("add-element-subject").click()
    await page.get_by_role("textbox", name="Name").fill("Tamsin Vale")
    await page.get_by_role("textbox", name="What it looks like").fill("A weathered ferrywoman")
    await page.get_by_role("textbox", name="What is known").fill("hair: grey\nsecret: she sank the bell")
    await page.get_by_text("The words as they are sent").click()

    words = page.get_by_test_id("compiled-prompt")
    await expect(words).to_contain_text("Night market in the rain")
    hers = words.get_by_title("From Tamsin Vale")
    await expect(hers).to_contain_text("weathered ferrywoman")
    await expect(hers).to_contain_text("grey")
    await expect(words).not_to_contain_text("bell")
    await page.get_by_test_id("element-row").screenshot(path=shots / "element.png")
    await hers.scroll_into_view_if_needed()
    await page.screenshot(path=shots / "words.png")

    await page.get_by_test_id("element-facts-switch").click()
    await expect(hers).not_to_contain_text("grey")
    await expect(hers).to_contain_text("weathered ferrywoman")


async def test_a_profile_says_that_its_model_ends(signed_in: Page, stack: Stack, shots: Path) -> None:
    page = signed_in
    profile = {
        "title": "Old Brush",
        "provider": "providers/openai",
        "model": "gpt-image-1.5",
        "enabled": True,
    }
    async with stack.http() as http:
        (await http.post("/v1/profiles", json=profile)).raise_for_status()

    await page.goto("/admin/ai")

    notice = page.get_by_test_id("model-notice").first
    await expect(notice).to_contain_text("gpt-image-2.6-sunburst takes its place.")
    await expect(notice).to_contain_text("December 1, 2026")
    await notice.scroll_into_view_if_needed()
    await page.screenshot(path=shots / "model-notice.png")
