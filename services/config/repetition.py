"""A create with a `request_id` that comes again makes nothing new."""

import hashlib

from google.protobuf.message import Message
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import identity
from runtime.database import Database
from runtime.failure import Failure
from services.config import store_requests as store


async def earlier(db: Database, request: Message, name: str) -> str | None:
    """Note that this request makes `name`; or the name that the same request made before.

    Belongs into the transaction that makes it. Raises REQUEST_ID_REUSED when the body is another.
    """
    request_id: str = request.request_id  # type: ignore[attr-defined]
    if not request_id:
        return None
    key = store.Key(identity.caller().name, request.DESCRIPTOR.name, request_id)
    digest = hashlib.sha256(request.SerializeToString(deterministic=True)).digest()
    if await store.insert_request(db, key, digest, name):
        return None
    first_digest, first_name = await store.select_request(db, key)
    if first_digest != digest:
        raise Failure(
            ErrorReason.REQUEST_ID_REUSED,
            "The same request_id came before with another request.",
            request_id=request_id,
        )
    return first_name
