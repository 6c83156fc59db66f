"""How OpenRouter says no."""

from typing import Any

from deploy.sandbox.desk import Refusal

MODERATED = {
    "reasons": ["violence"],
    "flagged_input": "…",
    "provider_name": "Sandbox",
    "model_slug": "sandbox",
}

# Status, message, metadata of each refusal a rule can ask for by name.
REFUSALS: dict[str, tuple[int, str, dict[str, Any] | None]] = {
    "moderation": (403, "Your chosen model requires moderation and your input was flagged.", MODERATED),
    "content_policy": (
        400,
        "The request was rejected by the provider's content policy.",
        {"error_type": "content_policy_violation", "provider_name": "Sandbox"},
    ),
    "guardrail": (403, "This request is not allowed by a guardrail of your organization.", None),
    "no_credit": (402, "Insufficient credits. Add more using https://openrouter.ai/credits", None),
    "key_limit": (402, "This key has reached its spending limit.", {"error_type": "payment_required"}),
    "rate_limit": (429, "Rate limit exceeded", None),
    "wrong_key": (401, "User not found.", None),
    "model_gone": (404, "No endpoints found for this model.", {"error_type": "no_endpoints"}),
    "bad_value": (400, "Invalid request parameters", None),
    "bad_picture": (400, "An input image cannot be read.", {"error_type": "invalid_image"}),
    "too_large": (413, "Request payload too large", None),
    "server_error": (502, "Provider returned error", {"provider_name": "Sandbox", "raw": "upstream"}),
    "internal": (500, "Internal Server Error", None),
    "overloaded": (
        503,
        "No instance is available right now.",
        {"code": "overloaded", "retryable": True, "retry_after": 5, "fallback_models": []},
    ),
    "timeout": (504, "The provider did not answer in time.", None),
    "edge_timeout": (524, "Request timed out. Please try again later.", None),
    "provider_overloaded": (529, "Provider returned error", None),
}
BY_STATUS = {
    400: "bad_value",
    401: "wrong_key",
    402: "no_credit",
    403: "moderation",
    404: "model_gone",
    413: "too_large",
    429: "rate_limit",
    500: "internal",
    503: "overloaded",
    504: "timeout",
    524: "edge_timeout",
    529: "provider_overloaded",
}


def error(status: int, message: str, metadata: dict[str, Any] | None = None) -> Refusal:
    body: dict[str, Any] = {"code": status, "message": message}
    if metadata is not None:
        body["metadata"] = metadata
    return Refusal(status, {"error": body, "user_id": "user_sandbox"})


def invalid(message: str, kind: str | None = None) -> Refusal:
    return error(400, message, {"error_type": kind} if kind else None)


def refuse(name: str, status: int) -> Refusal:
    """A refusal by name, or the likeliest one with this status."""
    return error(*REFUSALS.get(name or BY_STATUS.get(status, "server_error"), REFUSALS["server_error"]))
