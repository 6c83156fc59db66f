"""How fal says no: a sentence for what its platform refuses, a list for what a model does."""

from collections.abc import Sequence
from typing import Any

from deploy.sandbox.desk import Refusal

LOCKED = "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing."

# Of the platform: status, sentence, error type.
PLATFORM: dict[str, tuple[int, str, str | None]] = {
    "no_credit": (403, LOCKED, None),
    "forbidden": (403, "Access denied: this endpoint is not enabled for your account.", None),
    "wrong_key": (401, "Cannot authenticate: invalid key credentials", None),
    "rate_limit": (429, "Too many requests", "concurrent_requests_limit"),
    "model_gone": (404, "Application not found", None),
    "cancelled": (499, "Request was cancelled", "client_cancelled"),
    "start_timeout": (504, "Request timed out before it was started", "request_timeout"),
    "overloaded": (503, "No runner is available", "runner_scheduling_failure"),
    "disconnected": (503, "The runner went away", "runner_disconnected"),
    "incomplete": (502, "The runner's answer was incomplete", "runner_incomplete_response"),
    "server_error": (500, "Internal error", "internal_error"),
}
# Of a model: status, message, type.
MODEL: dict[str, tuple[int, str, str]] = {
    "moderation": (
        422,
        "The content could not be processed because it was flagged by a content checker.",
        "content_policy_violation",
    ),
    "no_media": (422, "The model did not generate any media.", "no_media_generated"),
    "bad_picture": (422, "Could not load the image.", "image_load_error"),
    "bad_value": (422, "The value is not valid.", "value_error"),
    "model_error": (500, "Internal server error", "internal_server_error"),
    "model_timeout": (504, "Generation timed out", "generation_timeout"),
    "downstream": (500, "A downstream service failed", "downstream_service_error"),
}
BY_STATUS = {
    401: "wrong_key",
    403: "no_credit",
    404: "model_gone",
    422: "bad_value",
    429: "rate_limit",
    502: "incomplete",
    503: "overloaded",
    504: "model_timeout",
}


def detail(status: int, text: str, kind: str | None = None) -> Refusal:
    """What the platform says."""
    body = {"detail": text} | ({"error_type": kind} if kind else {})
    return Refusal(status, body, _headers(status, kind))


def wrong(place: Sequence[str | int], message: str, kind: str, value: Any, **more: Any) -> Refusal:
    """What a model says of a value."""
    return model(422, place, message, kind, input=value, **more)


def model(status: int, place: Sequence[str | int], message: str, kind: str, **more: Any) -> Refusal:
    """What a model says; the real one repeats the whole input beside it."""
    trouble = {"loc": ["body", *place], "msg": message, "type": kind}
    trouble |= {"url": f"https://docs.fal.ai/errors#{kind}", **more}
    return Refusal(status, {"detail": [trouble]}, _headers(status, kind))


def _headers(status: int, kind: str | None) -> dict[str, str]:
    retryable = kind == "no_media_generated" or status in (429, 500, 502, 503)
    told = {"x-fal-retryable": str(retryable).lower()}
    return told | ({"x-fal-error-type": kind} if kind else {})


def refuse(name: str, status: int) -> Refusal:
    """A refusal by name, or the likeliest one with this status."""
    known = name or BY_STATUS.get(status, "server_error")
    if known in MODEL:
        code, message, kind = MODEL[known]
        return model(code, ["prompt"], message, kind, input="…")
    return detail(*PLATFORM.get(known, PLATFORM["server_error"]))
