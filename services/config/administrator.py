"""The operator's way in: an administrator and a token that are always there."""

from pathlib import Path

import asyncpg

from services.config import proofs, store_proofs, store_users
from services.config.servicer_access import TOKEN_LIFE

NAME = "users/admin"
TOKEN = f"{NAME}/tokens/operator"
# `ikw_` and the text of 256 random bits.
_SHORTEST_TOKEN = 47


async def ensure(db: asyncpg.Pool, token_file: Path) -> None:
    """Make sure that the user `admin` exists, administers, and has the token in the file.

    Another token in the file takes the place of the former one. Raises ValueError, without its content, when
    the file holds none.
    """
    token = token_file.read_text().strip()
    if not token.startswith(proofs.TOKEN) or len(token) < _SHORTEST_TOKEN:
        raise ValueError(f"{token_file} holds no token: {proofs.TOKEN} and at least 256 random bits as text.")
    async with db.acquire() as connection, connection.transaction():
        await store_users.ensure_administrator(connection, NAME, "Administrator")
        await store_proofs.ensure_token(connection, TOKEN, "Operator", proofs.digest(token), TOKEN_LIFE)
