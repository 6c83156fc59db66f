"""Names, pages, masks, failures and settings."""

import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from google.protobuf import field_mask_pb2
from hypothesis import given
from hypothesis import strategies as st
from inkweld.access.v1 import projects_pb2
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import failure, masks, names, pages
from runtime.failure import Failure


def test_ids_sort_by_age_and_do_not_repeat() -> None:
    ids = [names.new_id() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert [i[:9] for i in ids] == sorted(i[:9] for i in ids)


@given(st.text(max_size=80))
def test_a_slug_is_an_id(title: str) -> None:
    slug = names.slug(title)

    assert slug[0].isalpha()
    assert len(slug) <= 62
    assert not set(slug) - set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_names_come_apart() -> None:
    assert names.leaf("projects/a/images/b") == "b"
    assert names.project_of("projects/a/images/b") == "projects/a"


def test_a_page_token_gives_back_its_keys() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)

    assert pages.decode(pages.encode(moment, "id", 7), datetime, str, int) == (moment, "id", 7)
    assert pages.decode("", str) is None


def test_a_page_holds_what_one_answer_can_carry() -> None:
    small, large = projects_pb2.Project(title="a"), projects_pb2.Project(title="a" * pages.MAX_BYTES)

    assert pages.cut([small] * 3, 3) == ([small] * 3, False)
    assert pages.cut([small] * 4, 3) == ([small] * 3, True)
    assert pages.cut([small, large, small], 3) == ([small], True)
    assert pages.cut([large, small], 3) == ([large], True)


@pytest.mark.parametrize("token", ["nonsense", "!!", pages.encode("a", "b"), "é"])
def test_a_foreign_page_token_is_refused(token: str) -> None:
    with pytest.raises(Failure) as caught:
        pages.decode(token, int)

    assert set(caught.value.fields) == {"page_token"}


def test_an_update_changes_what_its_mask_names() -> None:
    project = projects_pb2.Project(name="projects/a", title="New")
    request = projects_pb2.UpdateProjectRequest(project=project)
    assert masks.changed(request, request.project, {"title", "description"}) == {"title"}

    request.update_mask.CopyFrom(field_mask_pb2.FieldMask(paths=["description"]))
    assert masks.changed(request, request.project, {"title", "description"}) == {"description"}

    request.update_mask.paths.append("role")
    with pytest.raises(Failure) as caught:
        masks.changed(request, request.project, {"title", "description"})
    assert "role" in caught.value.fields["update_mask"]


def test_every_reason_has_a_code() -> None:
    reasons = {value for value in ErrorReason.values() if value}

    assert reasons == set(failure.CODES)


def test_a_failure_survives_the_wire() -> None:
    sent = Failure(
        ErrorReason.PROVIDER_RATE_LIMITED,
        "Wait.",
        fields={"a.b": "c"},
        retry_after=1.5,
        provider="providers/x",
    )

    got = Failure.from_status(sent.to_status("id"))

    assert got is not None
    assert (got.reason, got.message, got.fields) == (sent.reason, "Wait.", {"a.b": "c"})
    assert (got.retry_after, got.metadata) == (1.5, {"provider": "providers/x"})


def test_wrong_settings_are_named_together_without_their_values() -> None:
    code = "from runtime import settings; settings.load(settings.ServiceSettings)"
    environment = {"INKWELD_DRAIN_SECONDS": "hunter2", "PATH": os.environ["PATH"]}

    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "INKWELD_SIGNING_KEY_FILE" in done.stderr
    assert "INKWELD_DRAIN_SECONDS" in done.stderr
    assert "hunter2" not in done.stderr
