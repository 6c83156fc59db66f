"""fal's platform: its models, what they cost, and what an order would."""

from decimal import Decimal
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from deploy.sandbox import fal_errors as errors
from deploy.sandbox.fal_door import authorize, read_object
from deploy.sandbox.fal_facts import MODELS

MOST = 50
QUANTITIES = {"unit_price": "unit_quantity", "historical_api_price": "call_quantity"}


def routes() -> list[Mount]:
    api = [
        Route("/models", models),
        Route("/models/pricing", pricing),
        Route("/models/pricing/estimate", estimate, methods=["POST"]),
        Route("/account/billing", billing),
        Route("/meta", meta),
    ]
    return [Mount("/api/v1", routes=api)]


async def models(request: Request) -> Response:
    """Works without a key."""
    authorize(request)
    query = request.query_params
    named, words = _named(request), query.get("q", "").lower()
    wanted = {"category": query.get("category", ""), "status": query.get("status", "")}
    found = []
    for model in MODELS.values():
        told = model.listed()
        said = f"{model.id} {model.title}".lower()
        fits = all(value in ("", told["metadata"][name]) for name, value in wanted.items())
        if fits and words in said and (not named or model.id in named):
            found.append(told)
    cursor, limit = query.get("cursor", "0"), query.get("limit", str(MOST))
    if not cursor.isdigit() or not limit.isdigit() or not int(limit):
        raise errors.detail(400, "Invalid cursor or limit", "bad_request")
    start, end = int(cursor), int(cursor) + min(MOST, int(limit))
    more = end < len(found)
    page = {"models": found[start:end], "next_cursor": str(end) if more else None, "has_more": more}
    return _json(page)


async def pricing(request: Request) -> Response:
    authorize(request, needed=True)
    prices = [
        {
            "endpoint_id": name,
            "unit_price": float(MODELS[name].unit_price),
            "unit": MODELS[name].unit,
            "currency": "USD",
        }
        for name in _known(_named(request))
    ]
    return _json({"prices": prices, "next_cursor": None, "has_more": False})


async def estimate(request: Request) -> Response:
    authorize(request, needed=True)
    wanted = await read_object(request)
    kind, endpoints = str(wanted.get("estimate_type")), wanted.get("endpoints")
    if kind not in QUANTITIES or not isinstance(endpoints, dict):
        raise errors.detail(400, "Invalid estimate_type or endpoints", "bad_request")
    total = Decimal()
    for name in _known(list(endpoints)):
        # A call is taken for a picture of a megapixel.
        each = MODELS[name].units(1, [1024 * 1024], "", "") if kind != "unit_price" else Decimal(1)
        total += _quantity(endpoints[name], QUANTITIES[kind]) * each * MODELS[name].unit_price
    return _json({"estimate_type": kind, "total_cost": float(total), "currency": "USD"})


def _quantity(given: Any, name: str) -> Decimal:
    quantity = given.get(name) if isinstance(given, dict) else None
    if not isinstance(quantity, int | float) or quantity <= 0:
        raise errors.detail(400, f"{name}: a number above 0 is needed", "bad_request")
    return Decimal(str(quantity))


async def billing(request: Request) -> Response:
    """Asks for a key of the scope ADMIN, and the sandbox has none."""
    authorize(request, needed=True)
    raise errors.detail(403, "Access denied: an ADMIN key is needed", "authorization_error")


async def meta(_: Request) -> Response:
    return _json({"webhook_ip_ranges": ["127.0.0.0/8"]})


def _named(request: Request) -> list[str]:
    said = request.query_params.getlist("endpoint_id")
    return [name for one in said for name in one.split(",") if name]


def _known(names: list[str]) -> list[str]:
    if not 0 < len(names) <= MOST:
        raise errors.detail(400, f"endpoint_id: from 1 to {MOST} are needed", "bad_request")
    if unknown := [name for name in names if name not in MODELS]:
        raise errors.detail(404, f"Endpoint '{unknown[0]}' not found", "not_found")
    return names


def _json(document: Any) -> Response:
    return Response(orjson.dumps(document), media_type="application/json")
