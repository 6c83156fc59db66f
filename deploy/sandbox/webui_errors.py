"""How a WebUI says no. The builds differ: Forge and SD.Next do without AUTOMATIC1111's wrapper."""

from typing import Literal

from deploy.sandbox.desk import Refusal, Refuse

Build = Literal["a1111", "forge", "sdnext"]

REFUSALS: dict[str, tuple[int, str, str]] = {
    "wrong_key": (401, "HTTPException", "Incorrect username or password"),
    "out_of_memory": (500, "OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB"),
    "bad_picture": (500, "HTTPException", "Invalid encoded image"),
    "no_picture": (404, "HTTPException", "Init image not found"),
    "no_requests": (500, "HTTPException", "Requests not allowed"),
    "no_script": (422, "HTTPException", "Script not found"),
    "server_error": (500, "RuntimeError", "Expected all tensors to be on the same device"),
    "overloaded": (503, "HTTPException", "Service Unavailable"),
}
BY_STATUS = {401: "wrong_key", 404: "no_picture", 503: "overloaded"}


def refuser(build: Build) -> Refuse:
    def refuse(name: str, status: int) -> Refusal:
        """A refusal by name, or the likeliest one with this status."""
        known = REFUSALS.get(name or BY_STATUS.get(status, "server_error"), REFUSALS["server_error"])
        return said(build, *known)

    return refuse


def said(build: Build, status: int, error: str, message: str) -> Refusal:
    deliberate = error == "HTTPException"
    if build == "a1111":
        detail, errors = (message, "") if deliberate else ("", message)
        return Refusal(status, {"error": error, "detail": detail, "body": "", "errors": errors})
    if deliberate:
        return Refusal(status, {"detail": message})
    if error == "OutOfMemoryError":
        return Refusal(status, {"detail": f"{error}: {message}"})
    return Refusal(status, "Internal Server Error")
