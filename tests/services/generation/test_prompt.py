from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from inkweld.generation.v1.generations_pb2 import Element

from services.generation.prompt import compiled

LIMIT = 32_000


def element(name: str, role: Element.Role = Element.SUBJECT, does: str = "", **data: Any) -> Element:
    made = Element(name=name, type="character", role=role, role_description=does)
    made.data.update(data)
    return made


def test_without_elements_the_words_are_the_prompt() -> None:
    assert compiled(" A fox.\n", [], LIMIT) == (" A fox.\n", [])


def test_elements_follow_the_words_by_role() -> None:
    style = Element(name="Ink", type="style", role=Element.STYLE)
    quay = element("Low Quay", Element.SETTING, lighting="paper lanterns")
    tamsin = element(
        "Tamsin Vale", Element.SUBJECT, "stands left of centre,\nfacing us", age=41, eyeColor="grey"
    )

    assert compiled("Night market in the rain", [style, quay, tamsin], LIMIT).text == (
        "Night market in the rain\n"
        "\n"
        "Subject: Tamsin Vale (character), stands left of centre, facing us. Age: 41. Eye color: grey.\n"
        "Setting: Low Quay (character). Lighting: paper lanterns.\n"
        "Style: Ink (style)."
    )


def test_only_what_can_be_seen_is_told() -> None:
    fox = element(
        "Fox",
        coat="red",
        empty="  ",
        nothing=None,
        nested={"a": "b"},
        listed=["a"],
        _internal="x",
        fears="water",
        secretName="y",
        hidden_motivation="z",
        tame=True,
        legs=4,
        weight=5.5,
    )

    assert compiled("x", [fox], LIMIT).text.endswith(
        "Subject: Fox (character). Coat: red. Legs: 4. Tame: yes. Weight: 5.5."
    )


def test_the_same_input_gives_the_same_text() -> None:
    one, other = element("Fox", a="1", b="2"), element("Fox", b="2", a="1")

    assert compiled("x", [one], LIMIT) == compiled("x", [other], LIMIT)


def test_a_long_element_does_not_push_the_others_out() -> None:
    long = element("Long", story="word " * 2000)
    short = element("Short", Element.SETTING, coat="red")

    text, shortened = compiled("x", [long, short], 300)

    assert "Setting: Short (character). Coat: red." in text
    assert shortened == ["Long"]
    assert len(text) <= 300


def test_words_that_fill_the_limit_leave_the_elements_out() -> None:
    words = "w" * 100

    assert compiled(words, [element("Fox")], 100) == (words, ["Fox"])


@given(
    st.text(max_size=80),
    st.lists(st.tuples(st.text("ab ", min_size=1, max_size=50), st.text(max_size=400)), max_size=6),
    st.integers(80, 600),
)
def test_the_limit_holds_and_the_words_stay(words: str, elements: list[tuple[str, str]], limit: int) -> None:
    made = [element(name, Element.REFERENCE, does) for name, does in elements]

    text = compiled(words, made, limit).text

    assert text.startswith(words)
    assert len(text) <= limit
