"""Speaks for people, their sessions and the tokens of their programs."""

import time
from datetime import UTC, datetime, timedelta

import asyncpg
from google.protobuf.empty_pb2 import Empty
from inkweld.access.v1 import access_pb2 as pb
from inkweld.access.v1.access_pb2_grpc import AccessServiceServicer
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from runtime import identity, masks, pages
from runtime.database import Database
from runtime.failure import Failure, invalid, not_found
from runtime.identity import caller
from runtime.names import leaf, new_id
from runtime.server import Context
from services.config import proofs, repetition, store_configuration, store_proofs, store_users, updates
from services.config.authority import DatabaseAuthority
from services.config.live import Live
from services.config.proofs import Passwords

SESSION_LIFE = timedelta(days=30)
CODE_LIFE = timedelta(days=1)
TOKEN_LIFE = timedelta(days=365)
# Who loses a right gets no access token for this long, or one issued on the old right might outlive it.
LOSS_AHEAD = timedelta(seconds=2)
# A window begins with its first try; a sign-in that works ends it.
TRIES = 10
TRIES_SECONDS = 15 * 60


class AccessService(AccessServiceServicer):
    def __init__(
        self, db: asyncpg.Pool, live: Live, authority: DatabaseAuthority, passwords: Passwords
    ) -> None:
        self._db = db
        self._live = live
        self._authority = authority
        self._passwords = passwords

    async def SignIn(self, request: pb.SignInRequest, context: Context) -> pb.Session:
        by_code = request.WhichOneof("proof") == "code"
        secret = proofs.new_secret(proofs.SESSION)
        if not by_code:
            await self._check_sign_in(request.password)
        async with self._db.acquire() as db, db.transaction():
            user = await _user_of_code(db, request.code) if by_code else _user_name(request.password.user)
            session = await store_proofs.insert_session(
                db, user, proofs.digest(secret), SESSION_LIFE, by_code=by_code
            )
            session.user.CopyFrom(await _user(db, user))
        session.secret = secret
        return session

    async def SignOut(self, request: pb.SignOutRequest, context: Context) -> Empty:
        async with self._live.change() as db:
            if not await store_proofs.delete_session(db, caller().proof):
                raise _forbidden("SignOut", "Only a session can be signed out of.")
            await store_configuration.end_proofs(db, [caller().proof])
        return Empty()

    async def GetMe(self, request: pb.GetMeRequest, context: Context) -> pb.User:
        return await _user(self._db, caller().name)

    async def ExchangeSecret(self, request: pb.ExchangeSecretRequest, context: Context) -> pb.AccessToken:
        return await self._authority.access_token(request.secret)

    async def ListUsers(self, request: pb.ListUsersRequest, context: Context) -> pb.ListUsersResponse:
        size = pages.size(request.page_size)
        (after,) = pages.decode(request.page_token, str) or ("",)
        found = await store_users.select_users(self._db, after, size + 1)
        users, more = pages.cut(found, size)
        page = pb.ListUsersResponse(users=users)
        if more:
            page.next_page_token = pages.encode(leaf(users[-1].name))
        return page

    async def GetUser(self, request: pb.GetUserRequest, context: Context) -> pb.User:
        return await _user(self._db, request.name)

    async def CreateUser(self, request: pb.CreateUserRequest, context: Context) -> pb.User:
        name = f"users/{request.user_id}"
        async with self._db.acquire() as db, db.transaction():
            if first := await repetition.earlier(db, request, name):
                return await _user(db, first)
            user = await store_users.insert_user(db, name, request.user)
            if user is None:
                raise Failure(ErrorReason.RESOURCE_EXISTS, f"{name} exists already.", resource=name)
            return user

    async def UpdateUser(self, request: pb.UpdateUserRequest, context: Context) -> pb.User:
        fields = masks.changed(request, request.user, ("title", "admin", "disabled"))
        async with self._live.change() as db:
            await store_users.lock_administrators(db)
            before = await _user(db, request.user.name)
            wanted = pb.User()
            wanted.CopyFrom(before)
            updates.put(fields, request.user, wanted)
            user = await store_users.update_user(db, wanted)
            if before.admin and not await store_users.count_administrators(db):
                raise Failure(
                    ErrorReason.RESOURCE_IN_USE,
                    "Nobody would be left to administer. Make someone else an administrator first.",
                    resource=user.name,
                )
            await _end_what_was_granted(db, before, user)
            return user

    async def SetPassword(self, request: pb.SetPasswordRequest, context: Context) -> pb.User:
        who = caller()
        if who.scope < pb.Scope.ADMIN:
            # Or a token of little scope could make itself a session of full scope.
            raise _forbidden("SetPassword", "This token's scope does not reach as far as the password.")
        if who.name == request.name and not await store_proofs.is_by_code(self._db, who.proof):
            await self._check_current_password(request)
        password_hash = await self._passwords.hash(request.password)
        async with self._live.change() as db:
            user = await store_users.update_password_hash(db, request.name, password_hash)
            if user is None:
                raise not_found(request.name)
            await store_proofs.delete_codes(db, request.name)
            ended = await store_proofs.delete_sessions(db, request.name, but=who.proof)
            await store_configuration.end_proofs(db, ended)
            return user

    async def CreateSignInCode(self, request: pb.CreateSignInCodeRequest, context: Context) -> pb.SignInCode:
        code = proofs.new_secret(proofs.CODE)
        expire_time = await store_proofs.insert_code(self._db, request.name, proofs.digest(code), CODE_LIFE)
        if expire_time is None:
            raise not_found(request.name)
        return pb.SignInCode(code=code, expire_time=expire_time)

    async def ListSessions(
        self, request: pb.ListSessionsRequest, context: Context
    ) -> pb.ListSessionsResponse:
        size = pages.size(request.page_size)
        (before,) = pages.decode(request.page_token, str) or (None,)
        found = await store_proofs.select_sessions(self._db, request.parent, before, size + 1)
        sessions, more = pages.cut(found, size)
        page = pb.ListSessionsResponse(sessions=sessions)
        if more:
            page.next_page_token = pages.encode(leaf(sessions[-1].name))
        return page

    async def DeleteSession(self, request: pb.DeleteSessionRequest, context: Context) -> Empty:
        async with self._live.change() as db:
            if not await store_proofs.delete_session(db, request.name):
                raise not_found(request.name)
            await store_configuration.end_proofs(db, [request.name])
        return Empty()

    async def ListTokens(self, request: pb.ListTokensRequest, context: Context) -> pb.ListTokensResponse:
        size = pages.size(request.page_size)
        (before,) = pages.decode(request.page_token, str) or (None,)
        found = await store_proofs.select_tokens(self._db, request.parent, before, size + 1)
        tokens, more = pages.cut(found, size)
        page = pb.ListTokensResponse(tokens=tokens)
        if more:
            page.next_page_token = pages.encode(leaf(tokens[-1].name))
        return page

    async def CreateToken(self, request: pb.CreateTokenRequest, context: Context) -> pb.Token:
        if request.token.scope > caller().scope:
            raise _forbidden("CreateToken", "A token may do no more than the proof that makes it.")
        name, secret = f"{request.parent}/tokens/{new_id()}", proofs.new_secret(proofs.TOKEN)
        expire_time = _expire_time(request.token)
        async with self._db.acquire() as db, db.transaction():
            if first := await repetition.earlier(db, request, name):
                raise Failure(
                    ErrorReason.RESOURCE_EXISTS,
                    "This request made a token before, whose secret cannot be shown again.",
                    resource=first,
                )
            token = await store_proofs.insert_token(
                db, name, request.token, proofs.digest(secret), expire_time
            )
            if token is None:
                raise not_found(request.parent)
        token.secret = secret
        return token

    async def DeleteToken(self, request: pb.DeleteTokenRequest, context: Context) -> Empty:
        async with self._live.change() as db:
            if not await store_proofs.delete_token(db, request.name):
                raise not_found(request.name)
            await store_configuration.end_proofs(db, [request.name])
        return Empty()

    async def _check_sign_in(self, given: pb.SignInRequest.Password) -> None:
        """Raise CALLER_UNKNOWN, after the same time, whatever was wrong."""
        user = _user_name(given.user)
        await self._count_try(user)
        password_hash = await store_users.select_password_hash(self._db, user)
        if not await self._passwords.fits(given.password, password_hash):
            raise identity.unknown()
        await store_users.delete_tries(self._db, proofs.digest(user))

    async def _check_current_password(self, request: pb.SetPasswordRequest) -> None:
        """Raise FIELD_INVALID when the user has a password and did not give it."""
        password_hash = await store_users.select_password_hash(self._db, request.name)
        if password_hash is None:
            return
        await self._count_try(request.name)
        if not await self._passwords.fits(request.current_password, password_hash):
            raise invalid({"current_password": "must be the password that is set now"})
        await store_users.delete_tries(self._db, proofs.digest(request.name))

    async def _count_try(self, user: str) -> None:
        count, ends = await store_users.count_try(self._db, proofs.digest(user), TRIES_SECONDS)
        if count > TRIES:
            raise Failure(
                ErrorReason.TOO_MANY_TRIES,
                "Too many tries. Wait before the next.",
                retry_after=max(1.0, ends.timestamp() - time.time()),
            )


async def _user(db: Database, name: str) -> pb.User:
    user = await store_users.select_user(db, name)
    if user is None:
        raise not_found(name)
    return user


async def _user_of_code(db: Database, code: str) -> str:
    user = await store_proofs.take_code(db, proofs.digest(code))
    if user is None:
        raise identity.unknown()
    return user


async def _end_what_was_granted(db: Database, before: pb.User, after: pb.User) -> None:
    """End all proofs of a user who is now kept out, and the access tokens of one whose standing changed."""
    if after.disabled and not before.disabled:
        ended = [
            *await store_proofs.delete_sessions(db, after.name),
            *await store_proofs.delete_tokens(db, after.name),
        ]
        await store_proofs.delete_codes(db, after.name)
        await store_configuration.end_proofs(db, ended)
    lost = (after.disabled and not before.disabled) or (before.admin and not after.admin)
    if lost or after.admin != before.admin:
        ahead = LOSS_AHEAD if lost else timedelta()
        await store_configuration.revoke(db, [after.name], ahead=ahead)


def _user_name(typed: str) -> str:
    """The user a person means by what they typed: ids are lower-case."""
    return f"users/{typed.strip().lower().removeprefix('users/')}"


def _expire_time(token: pb.Token) -> datetime:
    now = datetime.now(UTC)
    if not token.HasField("expire_time"):
        return now + TOKEN_LIFE
    if not now.timestamp() < token.expire_time.seconds <= (now + TOKEN_LIFE).timestamp():
        raise invalid({"token.expire_time": "must be in the future and at most a year ahead"})
    return token.expire_time.ToDatetime(tzinfo=UTC)


def _forbidden(method: str, message: str) -> Failure:
    return Failure(ErrorReason.CALLER_FORBIDDEN, message, method=method)
