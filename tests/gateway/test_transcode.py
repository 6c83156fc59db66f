"""Every annotated method over HTTP."""

import asyncio
import re
import time

import httpx
import pytest
from inkweld.access.v1 import projects_pb2
from inkweld.config.v1 import profiles_pb2
from inkweld.generation.v1 import generations_pb2
from inkweld.media.v1 import images_pb2

from gateway.methods import Method, methods
from runtime.failure import not_found
from tests.gateway.front import Front

pytestmark = pytest.mark.asyncio(loop_scope="session")

METHODS = list(methods())


def _address(method: Method) -> str:
    """An address that the template fits: ada's, or in atlas."""
    path = re.sub(r"\{[a-z_.]+=([^}]+)\}", r"\1", method.template)
    return path.replace("projects/*", "projects/atlas").replace("users/*", "users/ada").replace("*", "x1")


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.descriptor.full_name)
async def test_every_annotated_method_is_reached(front: Front, method: Method) -> None:
    front.memory.answers["DownloadImage"] = not_found("projects/atlas/images/x1")

    reply = await front.http.request(
        method.verb, _address(method), json={} if method.body else None, headers=front.bearer(admin=True)
    )

    # Most requests lack something their rules want: then it was the service that said so.
    reached = bool(front.memory.seen) or reply.json()["error"]["details"][0]["reason"] == "FIELD_INVALID"
    assert reached, reply.text


async def test_a_path_sets_the_fields_it_names(front: Front) -> None:
    front.memory.answers["GetImage"] = images_pb2.Image(name="projects/atlas/images/x", width=7)

    reply = await front.http.get("/v1/projects/atlas/images/x", headers=front.bearer())

    assert reply.status_code == 200
    assert front.memory.last == images_pb2.GetImageRequest(name="projects/atlas/images/x")
    assert reply.json()["width"] == 7


async def test_json_is_camel_case_with_defaults_and_without_what_is_absent(front: Front) -> None:
    front.memory.answers["GetProfile"] = profiles_pb2.Profile(name="profiles/p", revision=3)

    shown = (await front.http.get("/v1/profiles/p", headers=front.bearer())).json()

    assert shown["imageInput"] is False
    assert shown["revision"] == "3"
    assert shown["sizes"] == []
    assert "enabled" not in shown
    assert "createTime" not in shown


async def test_a_body_field_takes_both_spellings(front: Front) -> None:
    body = {"profile": "profiles/p", "prompt": "a fox", "negative_prompt": "rain", "outputFormat": "png"}

    reply = await front.http.post("/v1/projects/atlas/generations", json=body, headers=front.bearer())

    assert reply.status_code == 200, reply.text
    generation = front.memory.last.generation
    assert (generation.negative_prompt, generation.output_format) == ("rain", "png")
    assert front.memory.last.parent == "projects/atlas"


async def test_a_custom_verb_is_not_a_name(front: Front) -> None:
    reply = await front.http.post("/v1/projects/atlas/generations/g:cancel", json={}, headers=front.bearer())

    assert reply.status_code == 200, reply.text
    assert front.memory.last == generations_pb2.CancelGenerationRequest(name="projects/atlas/generations/g")


async def test_an_unknown_verb_is_no_resource(front: Front) -> None:
    reply = await front.http.get("/v1/projects/atlas/generations/g:burn", headers=front.bearer())

    assert reply.status_code == 404
    assert reply.json()["error"]["details"][0]["reason"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    "path",
    ["/v1/projects/a%2Fb", "/v1/projects/", "/v1/projects/%FF", "/v1/projects/a%3Ab", "/v1", "/v1/a%0Ab"],
)
async def test_no_odd_segment_is_a_name(front: Front, path: str) -> None:
    reply = await front.http.get(path, headers=front.bearer())

    assert reply.status_code == 404
    assert not front.memory.seen


async def test_query_parameters_fill_the_request(front: Front) -> None:
    reply = await front.http.get(
        "/v1/projects/atlas/images?pageSize=7&page_token=abc", headers=front.bearer()
    )

    assert reply.status_code == 200
    assert (front.memory.last.page_size, front.memory.last.page_token) == (7, "abc")


async def test_create_takes_id_and_idempotency_key(front: Front) -> None:
    await front.http.post(
        "/v1/projects?projectId=atlas-2",
        json={"title": "Atlas"},
        headers=front.bearer() | {"idempotency-key": "k1"},
    )

    expected = projects_pb2.CreateProjectRequest(project_id="atlas-2", request_id="k1")
    expected.project.title = "Atlas"
    assert front.memory.last == expected


async def test_a_patch_changes_what_its_body_names(front: Front) -> None:
    body = {"name": "projects/other", "description": "", "title": "Atlas", "role": "OWNER"}

    await front.http.patch("/v1/projects/atlas", json=body, headers=front.bearer())

    assert front.memory.last.project.name == "projects/atlas"
    assert sorted(front.memory.last.update_mask.paths) == ["description", "title"]


@pytest.mark.parametrize("spelling", ["update_mask=title,description", "updateMask=title,description"])
async def test_a_patch_may_name_its_mask(front: Front, spelling: str) -> None:
    await front.http.patch(f"/v1/projects/atlas?{spelling}", json={"title": "A"}, headers=front.bearer())

    assert list(front.memory.last.update_mask.paths) == ["title", "description"]


async def test_masks_take_both_spellings_of_a_field(front: Front) -> None:
    for mask in ("custom_sizes,killSwitch", "customSizes,kill_switch"):
        reply = await front.http.patch(
            f"/v1/settings?updateMask={mask}", json={}, headers=front.bearer(admin=True)
        )

        assert reply.status_code == 200, reply.text
        assert list(front.memory.last.update_mask.paths) == ["custom_sizes", "kill_switch"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("pageSize=many", "page_size"),
        ("pageSize=99999999999", "page_size"),
        ("pageSize=1&pageSize=2", "page_size"),
        ("parent=projects/other", "parent"),
        ("pageSize.x=1", "pageSize.x"),
        ("pageToken=%FF", "query"),
    ],
)
async def test_a_wrong_parameter_is_named(front: Front, query: str, field: str) -> None:
    reply = await front.http.get(f"/v1/projects/atlas/images?{query}", headers=front.bearer())

    assert reply.status_code == 400
    assert _fields(reply.json()) == [field]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"colour": "red"}', "generation.colour"),
        (b'{"count": "many"}', "generation.count"),
        (b'{"count": 1.5}', "generation.count"),
        (b'{"count": 99999999999}', "generation.count"),
        (b'{"prompt": 7}', "generation.prompt"),
        (b'{"elements": [{"name": "Bo", "role": "KING"}]}', "generation.elements.role"),
        (b'{"elements": [{"names": "Bo"}]}', "generation.elements.names"),
        (b'{"elements": {"name": "Bo"}}', "generation.elements"),
        (b'{"elements": [null]}', "generation.elements"),
        (b'{"createTime": 5}', "generation.create_time"),
        (b'{"createTime": "yesterday"}', "generation.create_time"),
        (b'{"error": {"details": [{"@type": "x/unknown.Type"}]}}', "generation.error"),
        (b"[]", "generation"),
        (b"{", "body"),
        (b'{"prompt": "\xff"}', "body"),
        (b'{"prompt": "a", "prompt": 7}', "generation.prompt"),
    ],
)
async def test_a_wrong_body_names_its_field(front: Front, body: bytes, field: str) -> None:
    headers = front.bearer() | {"content-type": "application/json"}

    reply = await front.http.post("/v1/projects/atlas/generations", content=body, headers=headers)

    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["details"][0]["reason"] == "FIELD_INVALID"
    assert _fields(reply.json()) == [field]


async def test_two_choices_of_one_are_refused(front: Front) -> None:
    body = {"code": "c", "password": {"user": "ada", "password": "p"}}

    reply = await front.http.post("/v1/session", json=body)

    assert reply.status_code == 400
    assert _fields(reply.json()) == ["body"]


async def test_another_method_is_405_with_those_allowed(front: Front) -> None:
    reply = await front.http.put("/v1/projects/atlas/images/x", json={}, headers=front.bearer())

    assert reply.status_code == 405
    assert reply.headers["allow"] == "DELETE, GET, HEAD, PATCH"
    assert reply.json()["error"]["code"] == 405


async def test_a_form_is_no_json(front: Front) -> None:
    reply = await front.http.post(
        "/v1/projects", content=b'{"title": "A"}', headers=front.bearer() | {"content-type": "text/plain"}
    )

    assert reply.status_code == 415
    assert not front.memory.seen


async def test_head_answers_without_a_body(front: Front) -> None:
    reply = await front.http.head("/v1/me", headers=front.bearer())

    assert (reply.status_code, reply.content) == (200, b"")


async def test_a_client_that_leaves_ends_the_call(front: Front) -> None:
    front.memory.answers["GetMe"] = 5.0

    with pytest.raises(httpx.ReadTimeout):
        await front.http.get("/v1/me", headers=front.bearer(), timeout=0.2)

    ends = time.monotonic() + 1
    while "GetMe" not in front.memory.cancelled:
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


async def test_public_methods_need_no_one(front: Front) -> None:
    reply = await front.http.get("/v1/features")

    assert reply.status_code == 200
    assert front.memory.callers == [""]


def _fields(body: dict[str, object]) -> list[str]:
    details: list[dict[str, object]] = body["error"]["details"]  # type: ignore[index]
    bad = next(detail for detail in details if str(detail["@type"]).endswith("BadRequest"))
    return [violation["field"] for violation in bad["fieldViolations"]]  # type: ignore[attr-defined]
