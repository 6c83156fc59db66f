"""Path templates."""

import pytest

from gateway import routes
from gateway.errors import Refusal
from runtime.failure import Failure

TABLE = routes.Table(
    [
        ("GET", "/v1/things", "list"),
        ("GET", "/v1/{name=things/*}", "get"),
        ("GET", "/v1/things/special", "special"),
        ("PATCH", "/v1/{thing.name=things/*}", "update"),
        ("POST", "/v1/{name=things/*}:stop", "stop"),
        ("GET", "/v1/{name=things/*/detail}", "detail"),
        ("GET", "/v1/{id}/x", "plain"),
    ]
)


@pytest.mark.parametrize(
    ("verb", "path", "target", "variables"),
    [
        ("GET", "/v1/things", "list", {}),
        ("GET", "/v1/things/a", "get", {"name": "things/a"}),
        ("HEAD", "/v1/things/a", "get", {"name": "things/a"}),
        ("GET", "/v1/things/special", "special", {}),
        ("PATCH", "/v1/things/a", "update", {"thing.name": "things/a"}),
        ("POST", "/v1/things/a:stop", "stop", {"name": "things/a"}),
        ("GET", "/v1/things/a/detail", "detail", {"name": "things/a/detail"}),
        ("GET", "/v1/things/%C3%BC", "get", {"name": "things/ü"}),
        ("GET", "/v1/seven/x", "plain", {"id": "seven"}),
    ],
)
def test_the_most_literal_template_wins(verb: str, path: str, target: str, variables: dict[str, str]) -> None:
    assert TABLE.find(verb, path) == (target, variables)


@pytest.mark.parametrize(
    "path",
    ["/v1/things/", "/v1//x", "/v1/things/a:b:stop", "/v1/things/a:go", "/v1/things/a/b", "/v1", "", "/"],
)
def test_nothing_is_found_elsewhere(path: str) -> None:
    with pytest.raises(Failure):
        TABLE.find("POST", path)


def test_other_methods_learn_which_are_allowed() -> None:
    with pytest.raises(Refusal) as refused:
        TABLE.find("DELETE", "/v1/things/a")

    assert refused.value.headers == {"allow": "GET, HEAD, PATCH"}


@pytest.mark.parametrize(
    "template", ["/v1/{name=a/**}", "v1", "/v1/{name", "/v1/{name=a/*}:stop:now", "/v1/"]
)
def test_a_template_that_is_not_understood_stops_the_start(template: str) -> None:
    with pytest.raises(ValueError, match="template"):
        routes.parse(template)


def test_two_methods_cannot_share_an_address() -> None:
    with pytest.raises(ValueError, match="share"):
        routes.Table([("GET", "/v1/{a=x/*}", 1), ("GET", "/v1/{b=x/*}", 2)])
