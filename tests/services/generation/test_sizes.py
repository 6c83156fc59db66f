import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.generation.sizes import Range, Sizes, came_out, honours, parse, resolve

FREE = Range(step=16, min_edge=256, max_edge=3840, max_ratio=3, min_pixels=655_360, max_pixels=8_294_400)
RANGED = Sizes(offer=("1024x1024",), default="1024x1024", auto=True, range=FREE)
LISTED = Sizes(offer=("1024x1024", "1536x1024", "1024x1536"), default="1024x1024")

sizes = (
    st.builds("{}x{}".format, st.integers(10, 99_999), st.integers(10, 99_999))
    | st.builds("{}:{}".format, st.integers(1, 999), st.integers(1, 999))
    | st.builds("{}:{}@{}K".format, st.integers(1, 999), st.integers(1, 999), st.integers(1, 9))
    | st.just("auto")
)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("1024x1024", "1024x1024"),
        ("auto", "auto"),
        ("1600x2560", "1600x2560"),  # in range, though not offered
        ("1:1", "1024x1024"),
        ("1:1@2K", "2048x2048"),
        ("16:9", "1360x768"),
        ("512x512", "816x816"),  # too few pixels
        ("8000x8000", "2880x2880"),  # too many
        ("4000x1000", "3456x1152"),  # too wide: the widest there is
    ],
)
def test_any_size_in_range_or_the_nearest(asked: str, sent: str) -> None:
    assert resolve(asked, RANGED) == sent


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("auto", "1024x1024"),
        ("16:9", "1536x1024"),
        ("9:16", "1024x1536"),
        ("512x512", "1024x1024"),
        ("1920x1080", "1536x1024"),
        ("3:2@1K", "1536x1024"),
    ],
)
def test_a_list_gives_the_nearest_shape(asked: str, sent: str) -> None:
    assert resolve(asked, LISTED) == sent


def test_among_equal_shapes_the_pixels_decide() -> None:
    squares = Sizes(offer=("512x512", "1024x1024", "2048x2048"), default="512x512")

    assert resolve("1100x1100", squares) == "1024x1024"
    assert resolve("1:1@2K", squares) == "2048x2048"
    assert resolve("1:1", squares) == "512x512"


@given(sizes)
def test_what_is_sent_is_always_taken(asked: str) -> None:
    for model in (RANGED, LISTED):
        sent = resolve(asked, model)

        wish = parse(sent)
        assert (
            sent in model.offer
            or sent == "auto"
            or (wish is not None and wish.exact is not None and FREE.fits(*wish.exact))
        )
        assert resolve(sent, model) == sent


@pytest.mark.parametrize(
    ("asked", "sent", "kept"),
    [
        ("16:9", "1360x768", True),
        ("16:9", "1536x1024", False),
        ("1:1@4K", "2048x2048", False),
        ("1000x1000", "1024x1024", False),
        ("auto", "1024x1024", False),
        ("2.3:1", "1568x672", False),
        ("21:9", "1568x672", True),
    ],
)
def test_a_shape_is_kept_when_nobody_could_tell(asked: str, sent: str, kept: bool) -> None:  # noqa: FBT001
    assert honours(asked, sent) is kept


SHAPES = Sizes(offer=("1:1", "16:9", "9:16", "1:1@2K", "16:9@2K"), default="1:1", auto=True)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("16:9", "16:9"),
        ("16:9@2K", "16:9@2K"),
        ("1920x1080", "16:9"),
        ("2048x2048", "1:1@2K"),
        ("1:1@4K", "1:1@2K"),
        ("3:4", "1:1"),
        ("auto", "auto"),
    ],
)
def test_shapes_are_offered_as_they_are(asked: str, sent: str) -> None:
    assert resolve(asked, SHAPES) == sent


def test_pixels_asked_and_a_shape_sent_is_told() -> None:
    assert not honours("1024x1024", "1:1")
    assert not honours("1:1@4K", "1:1@2K")


def test_who_takes_no_size_is_sent_none() -> None:
    assert resolve("16:9", Sizes(offer=(), default="auto", auto=True)) == "auto"


@pytest.mark.parametrize(
    ("asked", "width", "height", "same"),
    [
        ("1024x1024", 1024, 1024, True),
        ("1024x1024", 1024, 1023, False),
        ("16:9", 1344, 768, True),
        ("16:9", 1024, 1024, False),
        ("1:1@2K", 2048, 2048, True),
        ("1:1@2K", 1024, 1024, False),
        ("auto", 3, 4, True),
    ],
)
def test_what_was_drawn_is_held_against_what_was_asked(
    asked: str, width: int, height: int, *, same: bool
) -> None:
    assert came_out(asked, width, height) == same
