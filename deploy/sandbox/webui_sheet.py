"""The contact sheet a WebUI puts before several pictures."""

import io
import math
from collections.abc import Sequence

import pybase64
from PIL import Image

from deploy.sandbox.pieces import Text


def sheet(pictures: Sequence[Text]) -> Text:
    """All pictures side by side in one, in base64."""
    opened = [Image.open(io.BytesIO(pybase64.b64decode(b"".join(text)))) for text in pictures]
    width, height = opened[0].size
    across = math.ceil(math.sqrt(len(opened)))
    whole = Image.new("RGB", (across * width, -(-len(opened) // across) * height))
    for index, picture in enumerate(opened):
        whole.paste(picture.convert("RGB"), (index % across * width, index // across * height))
    out = io.BytesIO()
    whole.save(out, opened[0].format or "PNG")
    return (pybase64.b64encode(out.getvalue()),)
