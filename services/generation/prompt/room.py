"""Room: how a length is shared out, and how much of a text fits into it."""

from collections.abc import Sequence

# Less of a text than this tells nothing.
_LEAST = 12
STOPS = tuple(".!?…。\uff01\uff1f")
_PAUSES = tuple(",;:\u3001\uff0c\uff1b")
_WIDE = "\u2e80"  # from here on, writing without spaces


def shares(wanted: Sequence[int], room: int) -> Sequence[int]:
    """Divides room: who wants less than an equal part leaves the rest to the others."""
    given = [0] * len(wanted)
    left = max(room, 0)
    by_need = sorted(range(len(wanted)), key=lambda index: wanted[index])
    for place, index in enumerate(by_need):
        given[index] = min(wanted[index], left // (len(wanted) - place))
        left -= given[index]
    return given


def start(text: str, length: int) -> str:
    """As much of a text as fits, to the end of a sentence, phrase or word; nothing where that is little."""
    if len(text) <= length:
        return text
    if length < _LEAST:
        return ""
    words = [end for end in range(1, length + 1) if _is_border(text, end)]
    sentences = [end for end in words if text[end - 1] in STOPS and end > length * 2 // 3]
    phrases = [end for end in words if text[end - 1] in _PAUSES and end > length // 2]
    return text[: max(sentences or phrases or words, default=0)].rstrip(" ,:;-\u2013\u2014(")


def _is_border(text: str, end: int) -> bool:
    return text[end].isspace() or (text[end] >= _WIDE and text[end - 1] >= _WIDE)
