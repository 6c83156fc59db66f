"""The prompt: golden files show how it reads, properties hold for whatever is put in."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inkweld.generation.v1.generations_pb2 import Element

from services.generation.prompt import Compiled, compiled

GOLDEN = Path(__file__).with_name("golden")
FAMILIES = ("prose", "tags")
LIMIT = 32_000
SECRET = "Zq"  # stands in every private value, and nowhere else


def element(name: str, role: Element.Role = Element.SUBJECT, does: str = "", **data: Any) -> Element:
    made = Element(name=name, type="character", role=role, role_description=does)
    made.data.update(data)
    return made


def world() -> list[Element]:
    """One element of each role, out of order, and each with something to keep to itself."""
    ink = element(
        "Woodcut", Element.STYLE, "for the whole picture", style="thick lines", palette=["teal", "amber"]
    )
    ink.type = "style"
    bell = element(
        "The Drowned Bell (old)", Element.REFERENCE, "", material="green bronze", secret="it rings"
    )
    bell.type = "object"
    bell.description = "A bell as tall as a man, cracked down one side. Weed hangs from it."
    quay = element("Low Quay", Element.SETTING, "seen from the water", lighting="paper lanterns", history="x")
    quay.type = "place"
    quay.description = "Tarred sheds, nets drying."
    appearance = {
        "eyeColour": "grey",
        "hair": "long silver",
        "age": 41,
        "fears": "water",
        "beard": False,
    }
    tamsin = element(
        "Tamsin Vale", Element.SUBJECT, "stands left of centre,\nfacing us", appearance=appearance
    )
    tamsin.data.update({"clothing.coat": "oilskin, brass buttons", "_internal": "x", "motivation": "revenge"})
    return [bell, ink, quay, tamsin]


def shown(prompt: Compiled) -> str:
    changes = [f"{one.asked} | {one.sent or 'not sent'} | {one.why}" for one in prompt.adaptations]
    return "\n".join([prompt.text, "", "--- adaptations", *changes, ""])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("budget", [None, 500, 300, 120])
def test_prompts_read_as_the_golden_files_say(family: str, budget: int | None) -> None:
    prompt = compiled("Night market in the rain", world(), family=family, limit=LIMIT, budget=budget)

    assert shown(prompt) == (GOLDEN / f"{family}-{budget or 'all'}.txt").read_text()


def test_without_elements_the_words_are_the_prompt() -> None:
    prompt = compiled(" A fox.\n", [], family="prose", limit=LIMIT)

    assert (prompt.text, prompt.adaptations) == (" A fox.\n", [])


@pytest.mark.parametrize(
    ("words", "text"), [("a fox", "a fox, Ann"), ("a fox,", "a fox, Ann"), ("A fox. ", "A fox.  Ann")]
)
def test_tags_go_on_after_the_words(words: str, text: str) -> None:
    assert compiled(words, [Element(name="Ann", role=Element.SUBJECT)], family="tags", limit=99).text == text


def test_switches_keep_description_and_data_back() -> None:
    fox = element("Fox", hair="red")
    fox.description = "Sly."
    both = compiled("x", [fox], family="prose", limit=LIMIT).text
    fox.omit_description = True
    data = compiled("x", [fox], family="prose", limit=LIMIT)
    fox.omit_description, fox.omit_data = False, True
    description = compiled("x", [fox], family="prose", limit=LIMIT)

    assert both == "x\n\nSubject: Fox (character). Sly. Hair: red."
    assert data.text == "x\n\nSubject: Fox (character). Hair: red."
    assert description.text == "x\n\nSubject: Fox (character). Sly."
    assert not data.adaptations and not description.adaptations


def test_a_long_element_does_not_push_the_others_out() -> None:
    long = element("Long", face="word " * 2000)
    short = element("Short", Element.SETTING, hair="red")

    prompt = compiled("x", [long, short], family="prose", limit=300)

    assert "Setting: Short (character). Hair: red." in prompt.text
    assert [(one.asked, one.sent) for one in prompt.adaptations] == [("Long", "shortened")]
    assert prompt.adaptations[0].why == "The model's prompt has no room for all of its face."


def test_words_that_fill_the_limit_leave_the_elements_out() -> None:
    prompt = compiled("w" * 100, [element("Fox")], family="prose", limit=100)

    assert prompt.text == "w" * 100
    assert [(one.asked, one.sent) for one in prompt.adaptations] == [("Fox", "")]


def test_writing_without_spaces_is_cut_between_its_signs() -> None:
    fox = Element(name="狐", role=Element.SUBJECT, description="赤い狐。" * 200)

    prompt = compiled("x", [fox], family="prose", limit=200)

    assert 150 < len(prompt.text) <= 200
    assert prompt.text.endswith("。")


WORD = st.sampled_from(["grey", "tall.", "oak,", "(red)", "狐狐狐", "a", "moss-grown", "!", "\n", "é"])
TEXT = st.lists(WORD, max_size=20).map(" ".join)
SEEN = st.sampled_from(["hair", "eyeColor", "coat", "Colours", "lighting", "mood", "unheard"])
PRIVATE = st.sampled_from(
    """_hair secret Fears MOTIVATION back_story authorNotes passwords secretHair appearance.secret eye.fear
    hairNotes private.hair appearance._note inner-thoughts""".split()  # noqa: SIM905
)
ROLES = (Element.ROLE_UNSPECIFIED, Element.SUBJECT, Element.SETTING, Element.STYLE, Element.REFERENCE)
VALUE = st.one_of(TEXT, st.lists(TEXT, max_size=3), st.integers(0, 99), st.booleans())


@st.composite
def elements(draw: st.DrawFn) -> Element:
    made = Element(name=draw(st.text(min_size=1, max_size=60)), type=draw(TEXT), role_description=draw(TEXT))
    made.role = draw(st.sampled_from(ROLES))
    made.description = draw(TEXT)
    made.omit_description, made.omit_data = draw(st.booleans()), draw(st.booleans())
    hidden = dict.fromkeys(draw(st.sets(PRIVATE)), f"{SECRET} {SECRET}")
    seen = draw(st.dictionaries(SEEN, VALUE, max_size=6))
    made.data.update({**seen, **hidden})
    made.data.update({"appearance": {**seen, **hidden}, "secrets": dict(seen, hair=SECRET)})
    return made


@given(
    st.text(max_size=80),
    st.lists(elements(), max_size=5),
    st.integers(80, 900),
    st.none() | st.integers(1, 600),
    st.sampled_from(FAMILIES),
)
def test_what_holds_for_every_prompt(
    words: str, world: list[Element], limit: int, budget: int | None, family: str
) -> None:
    prompt = compiled(words, world, family=family, limit=limit, budget=budget)
    again = compiled(words, world, family=family, limit=limit, budget=budget)

    told = {part.element for part in prompt.parts} | {one.asked for one in prompt.adaptations}
    of_elements = sum(len(part.text) for part in prompt.parts[2:])
    assert prompt.text.startswith(words) and prompt.parts[0].text == words, "the writer's words are intact"
    assert len(prompt.text) <= max(limit, len(words)), "no limit is exceeded"
    assert budget is None or of_elements <= budget, "no budget is exceeded"
    assert SECRET not in prompt.text.removeprefix(words), "no private field leaks"
    assert told >= {one.name for one in world}, "no element vanishes unreported"
    assert prompt.text.encode() == again.text.encode() and prompt.adaptations == again.adaptations


@given(st.lists(elements(), max_size=4), st.sampled_from(FAMILIES))
def test_with_room_for_all_nothing_is_left_out(world: list[Element], family: str) -> None:
    prompt = compiled("x", world, family=family, limit=1_000_000)

    assert not prompt.adaptations
    assert [part.element for part in prompt.parts if part.element] == [
        one.name for one in sorted(world, key=lambda one: one.role or 4)
    ]
