"""The pictures in a model's input, fetched from where they are and opened."""

from dataclasses import dataclass
from typing import Any

from PIL import Image

from deploy.sandbox import data_url
from deploy.sandbox import fal_errors as errors
from deploy.sandbox.desk import Desk
from deploy.sandbox.drawing.guide import UnreadableError, from_transparency
from deploy.sandbox.fal_facts import Model
from deploy.sandbox.fal_files import Files


@dataclass(frozen=True)
class Loader:
    """Takes pictures out of addresses and out of our own files; the sandbox calls nobody."""

    desk: Desk
    files: Files
    origin: str

    async def pictures(self, model: Model, body: dict[str, Any]) -> list[Image.Image]:
        if not model.pictures:
            return []
        given = body.get(model.pictures)
        if given is None:
            raise errors.wrong([model.pictures], "Field required", "missing", "…")
        if model.pictures == "image_url":
            return [await self._picture([model.pictures], given)]
        if not isinstance(given, list) or not given:
            message = "List should have at least 1 item"
            raise errors.wrong([model.pictures], message, "sequence_too_short", given, ctx={"min_length": 1})
        return [await self._picture([model.pictures, index], one) for index, one in enumerate(given)]

    async def mask(self, model: Model, body: dict[str, Any]) -> Image.Image | None:
        """These masks are OpenAI's: what is transparent is painted anew."""
        if not model.mask or body.get(model.mask) is None:
            return None
        return from_transparency(await self._picture([model.mask], body[model.mask]))

    async def _picture(self, place: list[str | int], url: Any) -> Image.Image:
        if not isinstance(url, str):
            raise errors.wrong(place, "Input should be a valid string", "string_type", url)
        data = data_url.read(url) if url.startswith("data:") else self.files.find(url, self.origin)
        if data is None:
            raise errors.wrong(place, "Failed to download the file.", "file_download_error", url)
        try:
            return await self.desk.opened(data)
        except UnreadableError:
            raise errors.wrong(place, "Could not load the image.", "image_load_error", url) from None
