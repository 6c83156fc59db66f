"""How Workers AI says no. The numbers are not documented for pictures; these are what has been seen."""

from deploy.sandbox.desk import Refusal

# Status, number, message of each refusal a rule can ask for by name.
REFUSALS: dict[str, tuple[int, int, str]] = {
    "wrong_key": (401, 10000, "Authentication error"),
    "forbidden": (403, 10000, "Authentication error: the token lacks the permission Workers AI"),
    "moderation": (400, 3030, "AiError: Input prompt contains NSFW content"),
    "no_credit": (429, 3036, "You have used up your daily free allocation of 10,000 neurons"),
    "rate_limit": (429, 3040, "Capacity temporarily exceeded, please try again"),
    "model_gone": (404, 5007, "No such model or task"),
    "bad_value": (400, 5006, "AiError: Bad input"),
    "bad_picture": (400, 3010, "AiError: Invalid or incomplete input for the model: image"),
    "server_error": (500, 3043, "Internal server error"),
    "overloaded": (503, 3040, "Service unavailable"),
    "timeout": (504, 3007, "Request timeout"),
}
BY_STATUS = {
    400: "bad_value",
    401: "wrong_key",
    403: "forbidden",
    404: "model_gone",
    429: "rate_limit",
    503: "overloaded",
    504: "timeout",
}


def error(status: int, number: int, message: str) -> Refusal:
    trouble = {"code": number, "message": message}
    return Refusal(status, {"result": None, "success": False, "errors": [trouble], "messages": []})


def invalid(message: str) -> Refusal:
    return error(400, 5006, f"AiError: Bad input: Error: {message}")


def refuse(name: str, status: int) -> Refusal:
    """A refusal by name, or the likeliest one with this status."""
    return error(*REFUSALS.get(name or BY_STATUS.get(status, "server_error"), REFUSALS["server_error"]))
