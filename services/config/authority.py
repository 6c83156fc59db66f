"""What config's own server must know of people, from the database it keeps them in."""

import time
from dataclasses import dataclass

import asyncpg
from inkweld.access.v1 import access_pb2 as pb

from runtime import identity
from runtime.identity import USER_TOKEN_SECONDS, Caller, Signer
from services.config import effective, proofs, store_projects
from services.config import store_proofs as store
from services.config.live import Live


@dataclass(frozen=True)
class DatabaseAuthority:
    """An `Authority` that asks the database, and the live copy for what must cost nothing."""

    db: asyncpg.Pool
    signer: Signer
    live: Live

    async def exchange(self, secret: str) -> str:
        """The JWT for the secret of a session or token. Raises CALLER_UNKNOWN."""
        return (await self.access_token(secret)).jwt

    def forget(self, secret: str) -> None:
        """Nothing is kept."""

    async def access_token(self, secret: str) -> pb.AccessToken:
        """The JWT and when it ends: in five minutes, or with its proof. Raises CALLER_UNKNOWN."""
        secret_hash = proofs.digest(secret)
        if secret.startswith(proofs.SESSION):
            holder = await store.select_holder_of_session(self.db, secret_hash)
        else:
            holder = await store.select_holder_of_token(self.db, secret_hash)
        if holder is None:
            raise identity.unknown()
        if not secret.startswith(proofs.SESSION):
            await store.touch_token(self.db, holder.proof)
        seconds = min(USER_TOKEN_SECONDS, holder.expire_time.timestamp() - time.time())
        jwt = self.signer.user_token(
            holder.user, admin=holder.admin, scope=holder.scope, proof=holder.proof, seconds=seconds
        )
        token = pb.AccessToken(jwt=jwt)
        token.expire_time.FromMilliseconds(int((time.time() + seconds) * 1000))
        return token

    def revoked(self, caller: Caller) -> bool:
        """Whether the caller, or the proof behind the call, has been shut out since the JWT was made."""
        return any(
            revocation.subject in (caller.name, caller.proof)
            and caller.issued < revocation.not_before.ToMicroseconds() / 1e6
            for revocation in self.live.current.revocations
        )

    async def role(self, project: str, user: str) -> int:
        """The user's role in the project; zero for none."""
        return await store_projects.select_role(self.db, project, user)

    def off(self) -> str | None:
        """The switch that turns AI off; None while it is on."""
        return effective.off(self.live.current.settings)
