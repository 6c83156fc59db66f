"""What updates share: which fields they put, and that those made on an outdated reading are refused."""

from collections.abc import Collection

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime.failure import Failure


def put(fields: Collection[str], wanted: Message, into: Message) -> None:
    """Make these fields what is wanted; those that are not set there are cleared."""
    FieldMask(paths=sorted(fields)).MergeMessage(
        wanted, into, replace_message_field=True, replace_repeated_field=True
    )


def check_etag(read: str, current: str, name: str) -> None:
    """Raise ETAG_STALE unless the caller read the current state, or does not say what they read."""
    if read and read != current:
        raise stale(name)


def stale(name: str) -> Failure:
    """The resource changed since the caller read it."""
    return Failure(ErrorReason.ETAG_STALE, f"{name} has changed meanwhile; read it again.", resource=name)
