"""How OpenAI says no."""

import uuid
from typing import Any

from deploy.sandbox.desk import Refusal

USER = "image_generation_user_error"
REQUEST = "invalid_request_error"

# Status, code, type, message of each refusal a rule can ask for by name.
REFUSALS: dict[str, tuple[int, str | None, str, str]] = {
    "moderation": (
        400,
        "moderation_blocked",
        USER,
        "Your request was rejected by the safety system. safety_violations=[violence].",
    ),
    "no_credit": (
        400,
        "billing_hard_limit_reached",
        "billing_limit_user_error",
        "Billing hard limit has been reached.",
    ),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "rate_limit": (429, "rate_limit_exceeded", "images", "Rate limit reached for images per minute."),
    "wrong_key": (401, "invalid_api_key", REQUEST, "Incorrect API key provided."),
    "missing_scopes": (
        403,
        None,
        REQUEST,
        "You have insufficient permissions. Missing scopes: api.model.images.request.",
    ),
    "unverified": (403, None, REQUEST, "Your organization must be verified to use the model."),
    "model_gone": (
        404,
        "model_not_found",
        REQUEST,
        "The model does not exist or you do not have access to it.",
    ),
    "bad_value": (400, "invalid_value", REQUEST, "Invalid value."),
    "bad_picture": (400, "invalid_image_file", USER, "Invalid image file or mode for image 1."),
    "server_error": (500, None, "image_generation_server_error", "The server had an error while drawing."),
    "overloaded": (503, None, "server_error", "The engine is currently overloaded, please try again later."),
}
BY_STATUS = {
    400: "bad_value",
    401: "wrong_key",
    403: "unverified",
    404: "model_gone",
    429: "rate_limit",
    503: "overloaded",
}


def headers() -> dict[str, str]:
    """What comes with every answer, good or bad."""
    return {
        "x-request-id": f"req_{uuid.uuid4().hex}",
        "openai-processing-ms": "42",
        "openai-organization": "sandbox",
        "openai-version": "2020-10-01",
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "120ms",
        "x-ratelimit-limit-tokens": "250000",
        "x-ratelimit-remaining-tokens": "248900",
        "x-ratelimit-reset-tokens": "58.891s",
        "x-ratelimit-limit-input-images": "250",
        "x-ratelimit-remaining-input-images": "250",
        "x-ratelimit-reset-input-images": "1m3s",
    }


def error(status: int, code: str | None, kind: str, message: str, param: str | None = None) -> Refusal:
    body: dict[str, Any] = {"message": message, "type": kind, "param": param, "code": code}
    if code == "moderation_blocked":
        body["moderation_details"] = {"moderation_stage": "input", "categories": ["violence"]}
    return Refusal(status, {"error": body}, headers())


def invalid(param: str | None, message: str, code: str = "invalid_value") -> Refusal:
    return error(400, code, REQUEST, message, param)


def no_such_model(model: str) -> Refusal:
    return error(404, "model_not_found", REQUEST, f"The model '{model}' does not exist.", "model")


def refuse(name: str, status: int) -> Refusal:
    """A refusal by name, or the likeliest one with this status."""
    known = REFUSALS.get(name or BY_STATUS.get(status, "server_error"), REFUSALS["server_error"])
    return error(*known)
