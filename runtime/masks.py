"""What an Update changes."""

from collections.abc import Collection

from google.protobuf.message import Message

from runtime.failure import invalid


def paths(request: Message, resource: Message) -> set[str]:
    """The fields that an update names: the mask's, or those that are set in the resource when it is empty."""
    mask = set(request.update_mask.paths)  # type: ignore[attr-defined]
    return mask or {field.name for field, _ in resource.ListFields()}


def changed(request: Message, resource: Message, allowed: Collection[str]) -> set[str]:
    """The fields to change. Raises FIELD_INVALID when the mask names others than `allowed`.

    Fields outside `allowed` that are merely set, as in a resource read and sent back, are left alone.
    """
    named = paths(request, resource)
    if request.update_mask.paths and (others := named - set(allowed)):  # type: ignore[attr-defined]
        choices = ", ".join(sorted(allowed))
        raise invalid({"update_mask": f"cannot change {', '.join(sorted(others))}; only {choices}"})
    return named & set(allowed)
