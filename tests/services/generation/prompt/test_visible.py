"""Which fields are told of, and which never."""

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct

from services.generation.prompt import words
from services.generation.prompt.visible import facts


def told(**data: Any) -> dict[str, list[str]]:
    struct = Struct()
    struct.update(data)
    return {fact.label: [*fact.values] for fact in facts(struct)}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("hair", "hair"),
        ("eyeColor", "eye color"),
        ("EYE_COLOUR", "eye colour"),
        ("eyecolour", "eyecolour"),
        ("eyes", "eyes"),
        ("Apperance", "apperance"),
        ("appearance.eyeColor", "eye color"),
        ("appearance.description", "appearance"),
        ("clothing.colours", "clothing colours"),
        ("attributes.hair", "hair"),
        ("distinguishing features of the face", "distinguishing features of the face"),
    ],
)
def test_what_can_be_seen_is_told_however_it_is_spelled(name: str, label: str) -> None:
    assert told(**{name: "grey"}) == {label: ["grey"]}


@pytest.mark.parametrize(
    "name",
    """_hair appearance._hair secret hairSecret secrets.hair Motivatoin fears backStory notes password father
    occupation description name mother.hair moodSwings faceOfTheTraitor .""".split(),  # noqa: SIM905
)
def test_what_is_private_or_unknown_is_not(name: str) -> None:
    assert told(**{name: "x"}) == {}
    assert told(appearance={name: "x"}) == ({"appearance": ["x"]} if name == "description" else {})


def test_groups_are_read_one_level_deep() -> None:
    assert told(appearance={"hair": "red", "eyes": {"left": "blue"}}, deep={"hair": "x"}) == {"hair": ["red"]}


def test_values_are_said_on_one_line() -> None:
    assert told(
        hair=" long\n red ", age=41, weight=5.5, beard=True, horns=False, coat=None, hat="", mood=["a", 2]
    ) == {
        "age": ["41"],
        "weight": ["5.5"],
        "beard": ["yes"],
        "hair": ["long red"],
        "horns": ["no"],
        "mood": ["a", "2"],
    }


def test_what_tells_most_comes_first_whatever_the_order() -> None:
    assert [*told(mood="x", coat="x", hair="x", age=1)] == [*told(age=1, hair="x", coat="x", mood="x")]
    assert [*told(mood="x", coat="x", hair="x", age=1)] == ["age", "hair", "coat", "mood"]


def test_no_word_is_both_seen_and_private() -> None:
    assert not words.PRIVATE & (words.RANK.keys() | words.BESIDE | words.GROUPS)
