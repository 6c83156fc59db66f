"""What a model of fal gives back: pictures as files or inside the answer, and a few words beside them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pybase64

from deploy.sandbox import data_url
from deploy.sandbox.desk import Desk
from deploy.sandbox.fal_files import File, Files
from deploy.sandbox.fal_input import Asked
from deploy.sandbox.scripts import Act


@dataclass(frozen=True)
class Painter:
    desk: Desk
    files: Files

    async def paint(self, asked: Asked, origin: str, act: Act) -> dict[str, Any]:
        count = asked.count if act.pictures is None else act.pictures
        begun = time.monotonic()
        images = [await self._image(asked, index, origin, act) for index in range(count)]
        model = asked.model
        output: dict[str, Any] = {"images": images}
        if model.seeds:
            output["seed"] = asked.seed
        if model.flags:
            output |= {"has_nsfw_concepts": [act.black] * count, "prompt": asked.prompt}
            output["timings"] = {"inference": round(time.monotonic() - begun, 3)}
        if model.describes:
            output["description"] = "A picture drawn by the sandbox."
        return output

    async def _image(self, asked: Asked, index: int, origin: str, act: Act) -> Mapping[str, Any]:
        data = await self.desk.drawn(asked.subject(index), asked.form, act)
        kind, (width, height) = asked.form.name, asked.size
        name = f"sandbox-{index}.{kind}"
        told = {"content_type": f"image/{kind}", "file_name": name, "width": width, "height": height}
        if asked.inline:
            url = data_url.write(kind, (pybase64.b64encode(data),)).decode()
            return {"url": url, **told, "file_size": None}
        until = None if act.expires_seconds is None else time.monotonic() + act.expires_seconds
        path = self.files.add(File(data, f"image/{kind}", act.redirect, until), name)
        return {"url": act.url or origin + path, **told, "file_size": len(data)}


def units(asked: Asked, act: Act) -> dict[str, str]:
    """The header that says what was billed; some answers lack it."""
    return {} if act.plain_usage else {"x-fal-billable-units": f"{asked.units.normalize():f}"}
