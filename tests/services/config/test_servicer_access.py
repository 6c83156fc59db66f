"""People, sessions and tokens, through the front door."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from grpc.aio import AioRpcError
from inkweld.access.v1 import access_pb2 as pb
from inkweld.access.v1.access_pb2_grpc import AccessServiceStub
from inkweld.errors.v1.error_reason_pb2 import ErrorReason

from services.config.servicer_access import TRIES
from tests.house import failure_of
from tests.services.config.instance import Config, all_rows

PASSWORD = "correct horse battery"


def by_password(user: str, password: str = PASSWORD) -> pb.SignInRequest:
    return pb.SignInRequest(password=pb.SignInRequest.Password(user=user, password=password))


async def signed_in(config: Config, user: str = "users/ada") -> pb.Session:
    """A session begun with a one-time code."""
    access = await config.admin(AccessServiceStub)
    given = await access.CreateSignInCode(pb.CreateSignInCodeRequest(name=user))
    return await access.SignIn(pb.SignInRequest(code=given.code))


async def with_password(config: Config) -> None:
    """Give ada a password, in a session of her own."""
    session = await signed_in(config)
    access = await config.stub(AccessServiceStub, token=session.secret)
    await access.SetPassword(pb.SetPasswordRequest(name="users/ada", password=PASSWORD))


async def refusal(call: object) -> bytes:
    """All that the caller sees of a refusal, but for the id of the call."""
    with pytest.raises(AioRpcError) as refused:
        await call  # type: ignore[misc]
    failure = failure_of(refused.value)
    assert failure.reason == ErrorReason.CALLER_UNKNOWN
    return bytes(failure.to_status().SerializeToString())


async def test_a_code_signs_in_once(config: Config) -> None:
    access = await config.admin(AccessServiceStub)
    given = await access.CreateSignInCode(pb.CreateSignInCodeRequest(name="users/ada"))
    nobody = await config.stub(AccessServiceStub, token="")

    session = await nobody.SignIn(pb.SignInRequest(code=given.code))

    assert session.user.title == "Ada"
    life = session.expire_time.ToDatetime(UTC) - datetime.now(UTC)
    assert timedelta(days=29) < life <= timedelta(days=30)
    me = await (await config.stub(AccessServiceStub, token=session.secret)).GetMe(pb.GetMeRequest())
    assert me.name == "users/ada"
    await refusal(nobody.SignIn(pb.SignInRequest(code=given.code)))


async def test_a_password_signs_in(config: Config) -> None:
    await with_password(config)
    nobody = await config.stub(AccessServiceStub, token="")

    for user in ("users/ada", "ada", " Ada "):
        session = await nobody.SignIn(by_password(user))
        assert session.user.has_password


async def test_every_refusal_is_the_same(config: Config) -> None:
    await with_password(config)
    await config.db.execute("UPDATE users SET disabled = true WHERE id = 'bob'")
    nobody = await config.stub(AccessServiceStub, token="")
    expired = await signed_in(config)
    await config.db.execute("UPDATE sessions SET expire_time = now() - interval '1 second'")

    refusals = [
        await refusal(nobody.SignIn(by_password("ada", "wrong"))),
        await refusal(nobody.SignIn(by_password("bob", "wrong"))),
        await refusal(nobody.SignIn(by_password("nobody", "wrong"))),
        await refusal(nobody.SignIn(pb.SignInRequest(code="ikc_wrong"))),
        *[
            await refusal(nobody.ExchangeSecret(pb.ExchangeSecretRequest(secret=secret)))
            for secret in (expired.secret, "ikw_", "iks_", "x", "ikw_" + "0" * 59, "🐙")
        ],
        *[
            await refusal((await config.stub(AccessServiceStub, token=token)).GetMe(pb.GetMeRequest()))
            for token in (
                expired.secret,
                "ikw_wrong",
                "a.b.c",
                "..",
                config.keys.signer("media").user_token("users/ada", admin=True, scope=3, proof="", seconds=9),
            )
        ],
        await refusal(nobody.GetMe(pb.GetMeRequest())),
    ]

    assert len(set(refusals)) == 1


async def test_guessing_ends_soon(config: Config) -> None:
    nobody = await config.stub(AccessServiceStub, token="")

    answers = await asyncio.gather(
        *(nobody.SignIn(by_password("nobody", f"guess {n}")) for n in range(TRIES + 3)),
        return_exceptions=True,
    )

    late = [
        failure_of(answer)
        for answer in answers
        if isinstance(answer, AioRpcError) and answer.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    ]
    assert len(late) == 3
    assert all(failure.reason == ErrorReason.TOO_MANY_TRIES for failure in late)
    assert 800 < (late[0].retry_after or 0) <= 900
    assert await config.db.fetchval("SELECT count(*) FROM tries WHERE subject = 'users/nobody'") == 0


async def test_a_sign_in_that_works_ends_the_count(config: Config) -> None:
    await with_password(config)
    nobody = await config.stub(AccessServiceStub, token="")
    await refusal(nobody.SignIn(by_password("ada", "wrong")))

    await nobody.SignIn(by_password("ada"))

    assert await config.db.fetchval("SELECT count(*) FROM tries") == 0


async def test_signing_out_ends_the_session_at_once(config: Config) -> None:
    session = await signed_in(config)
    exchange = pb.ExchangeSecretRequest(secret=session.secret)
    nobody = await config.stub(AccessServiceStub, token="")
    jwt = (await nobody.ExchangeSecret(exchange)).jwt
    with_jwt = await config.stub(AccessServiceStub, token=jwt)
    await with_jwt.GetMe(pb.GetMeRequest())

    await with_jwt.SignOut(pb.SignOutRequest())

    await refusal(nobody.ExchangeSecret(exchange))
    await refusal(with_jwt.GetMe(pb.GetMeRequest()))


async def test_only_a_session_is_signed_out_of(config: Config) -> None:
    access = await config.stub(AccessServiceStub, proof="users/ada/tokens/x")

    with pytest.raises(AioRpcError) as refused:
        await access.SignOut(pb.SignOutRequest())

    assert failure_of(refused.value).reason == ErrorReason.CALLER_FORBIDDEN


async def test_a_jwt_lives_five_minutes(config: Config) -> None:
    session = await signed_in(config)
    nobody = await config.stub(AccessServiceStub, token="")

    given = await nobody.ExchangeSecret(pb.ExchangeSecretRequest(secret=session.secret))

    assert 295 < given.expire_time.ToMilliseconds() / 1000 - time.time() <= 300


async def test_a_jwt_ends_with_its_proof(config: Config) -> None:
    session = await signed_in(config)
    await config.db.execute("UPDATE sessions SET expire_time = now() + interval '10 seconds'")
    nobody = await config.stub(AccessServiceStub, token="")

    given = await nobody.ExchangeSecret(pb.ExchangeSecretRequest(secret=session.secret))

    assert given.expire_time.ToMilliseconds() / 1000 - time.time() <= 10


async def test_sessions_are_listed_newest_first_without_secrets(config: Config) -> None:
    first, second = await signed_in(config), await signed_in(config)
    access = await config.stub(AccessServiceStub)

    page = await access.ListSessions(pb.ListSessionsRequest(parent="users/ada", page_size=1))
    rest = await access.ListSessions(
        pb.ListSessionsRequest(parent="users/ada", page_token=page.next_page_token)
    )

    assert [session.name for session in (*page.sessions, *rest.sessions)] == [second.name, first.name]
    assert not any(session.secret for session in (*page.sessions, *rest.sessions))


async def test_others_sessions_are_out_of_reach(config: Config) -> None:
    session = await signed_in(config)
    bob = await config.stub(AccessServiceStub, "users/bob")

    for call in (
        bob.ListSessions(pb.ListSessionsRequest(parent="users/ada")),
        bob.DeleteSession(pb.DeleteSessionRequest(name=session.name)),
    ):
        with pytest.raises(AioRpcError) as refused:
            await call
        assert failure_of(refused.value).reason == ErrorReason.CALLER_FORBIDDEN
    own_name = session.name.replace("ada", "bob")
    with pytest.raises(AioRpcError) as missing:
        await bob.DeleteSession(pb.DeleteSessionRequest(name=own_name))
    assert failure_of(missing.value).reason == ErrorReason.RESOURCE_NOT_FOUND


async def test_a_password_ends_the_other_sessions(config: Config) -> None:
    other, own = await signed_in(config), await signed_in(config)
    access = await config.stub(AccessServiceStub, token=own.secret)

    await access.SetPassword(pb.SetPasswordRequest(name="users/ada", password=PASSWORD))

    await access.GetMe(pb.GetMeRequest())
    await refusal((await config.stub(AccessServiceStub, token=other.secret)).GetMe(pb.GetMeRequest()))


async def test_a_new_password_needs_the_old_one(config: Config) -> None:
    await with_password(config)
    nobody = await config.stub(AccessServiceStub, token="")
    session = await nobody.SignIn(by_password("ada"))
    access = await config.stub(AccessServiceStub, token=session.secret)
    request = pb.SetPasswordRequest(name="users/ada", password="another good one")

    with pytest.raises(AioRpcError) as refused:
        await access.SetPassword(request)
    assert set(failure_of(refused.value).fields) == {"current_password"}
    request.current_password = PASSWORD
    await access.SetPassword(request)

    assert (await nobody.SignIn(by_password("ada", "another good one"))).secret


async def test_an_administrator_sets_anothers_password(config: Config) -> None:
    await with_password(config)
    access = await config.admin(AccessServiceStub)

    await access.SetPassword(pb.SetPasswordRequest(name="users/ada", password="set for her"))

    nobody = await config.stub(AccessServiceStub, token="")
    assert (await nobody.SignIn(by_password("ada", "set for her"))).secret


async def test_a_narrow_token_does_not_reach_the_password(config: Config) -> None:
    access = await config.stub(AccessServiceStub, scope=pb.Scope.WRITE, proof="users/ada/tokens/x")

    with pytest.raises(AioRpcError) as refused:
        await access.SetPassword(pb.SetPasswordRequest(name="users/ada", password=PASSWORD))

    assert failure_of(refused.value).reason == ErrorReason.CALLER_FORBIDDEN


async def test_a_token_works_as_bearer_until_it_is_deleted(config: Config) -> None:
    access = await config.stub(AccessServiceStub)
    wanted = pb.Token(title="script", scope=pb.Scope.READ)

    token = await access.CreateToken(pb.CreateTokenRequest(parent="users/ada", token=wanted))

    assert token.secret.startswith("ikw_")
    program = await config.stub(AccessServiceStub, token=token.secret)
    assert (await program.GetMe(pb.GetMeRequest())).name == "users/ada"
    [listed] = (await access.ListTokens(pb.ListTokensRequest(parent="users/ada"))).tokens
    assert (listed.secret, listed.last_use_time.seconds % 60) == ("", 0)
    assert listed.HasField("last_use_time")
    await access.DeleteToken(pb.DeleteTokenRequest(name=token.name))
    await refusal(program.GetMe(pb.GetMeRequest()))


async def test_a_read_token_writes_nothing(config: Config) -> None:
    access = await config.stub(AccessServiceStub)
    wanted = pb.Token(title="script", scope=pb.Scope.READ)
    token = await access.CreateToken(pb.CreateTokenRequest(parent="users/ada", token=wanted))
    program = await config.stub(AccessServiceStub, token=token.secret)

    with pytest.raises(AioRpcError) as refused:
        await program.DeleteToken(pb.DeleteTokenRequest(name=token.name))

    assert failure_of(refused.value).reason == ErrorReason.CALLER_FORBIDDEN


async def test_tokens_only_narrow(config: Config) -> None:
    for own in (pb.Scope.WRITE, pb.Scope.ADMIN):
        access = await config.stub(AccessServiceStub, scope=own)
        for asked in (pb.Scope.READ, pb.Scope.WRITE, pb.Scope.ADMIN):
            request = pb.CreateTokenRequest(parent="users/ada", token=pb.Token(title="t", scope=asked))
            if asked <= own:
                assert (await access.CreateToken(request)).scope == asked
                continue
            with pytest.raises(AioRpcError) as refused:
                await access.CreateToken(request)
            assert failure_of(refused.value).reason == ErrorReason.CALLER_FORBIDDEN


async def test_a_token_ends_within_a_year(config: Config) -> None:
    access = await config.stub(AccessServiceStub)

    for days in (-1, 0, 367, 1_000_000):
        wanted = pb.Token(title="t", scope=pb.Scope.READ)
        wanted.expire_time.seconds = int(time.time()) + days * 86_400
        with pytest.raises(AioRpcError) as refused:
            await access.CreateToken(pb.CreateTokenRequest(parent="users/ada", token=wanted))
        assert "token.expire_time" in failure_of(refused.value).fields, days


async def test_a_repeated_token_request_is_refused(config: Config) -> None:
    access = await config.stub(AccessServiceStub)
    request = pb.CreateTokenRequest(
        parent="users/ada", token=pb.Token(title="t", scope=pb.Scope.READ), request_id="one"
    )
    first = await access.CreateToken(request)

    with pytest.raises(AioRpcError) as refused:
        await access.CreateToken(request)

    failure = failure_of(refused.value)
    assert (failure.reason, failure.metadata) == (ErrorReason.RESOURCE_EXISTS, {"resource": first.name})


async def test_a_disabled_user_is_out_everywhere(config: Config) -> None:
    session = await signed_in(config)
    own = await config.stub(AccessServiceStub, token=session.secret)
    with_jwt = await config.stub(AccessServiceStub)
    await own.GetMe(pb.GetMeRequest())
    access = await config.admin(AccessServiceStub)

    user = pb.User(name="users/ada", disabled=True)
    await access.UpdateUser(pb.UpdateUserRequest(user=user))

    await refusal(own.GetMe(pb.GetMeRequest()))
    await refusal(with_jwt.GetMe(pb.GetMeRequest()))


async def test_a_changed_standing_holds_at_the_next_exchange(config: Config) -> None:
    session = await signed_in(config)
    own = await config.stub(AccessServiceStub, token=session.secret)
    access = await config.admin(AccessServiceStub)

    await access.UpdateUser(pb.UpdateUserRequest(user=pb.User(name="users/ada", admin=True)))

    assert (await own.ListUsers(pb.ListUsersRequest())).users


async def test_who_loses_a_right_has_no_token_left_that_says_otherwise(config: Config) -> None:
    session = await signed_in(config, "users/root")
    access = await config.stub(AccessServiceStub, token=session.secret)
    await access.UpdateUser(pb.UpdateUserRequest(user=pb.User(name="users/ada", admin=True)))
    exchange = pb.ExchangeSecretRequest(secret=session.secret)
    before = (await access.ExchangeSecret(exchange)).jwt
    request = pb.UpdateUserRequest(user=pb.User(name="users/root"))
    request.update_mask.paths.append("admin")

    await access.UpdateUser(request)

    # What is issued while the change commits may still say what held before.
    for jwt in (before, config.keys.user_token("users/root", admin=True, proof=session.name)):
        await refusal((await config.stub(AccessServiceStub, token=jwt)).GetMe(pb.GetMeRequest()))


async def test_somebody_goes_on_administering(config: Config) -> None:
    access = await config.admin(AccessServiceStub)
    request = pb.UpdateUserRequest(user=pb.User(name="users/root"))
    request.update_mask.paths.append("admin")

    with pytest.raises(AioRpcError) as refused:
        await access.UpdateUser(request)

    assert failure_of(refused.value).reason == ErrorReason.RESOURCE_IN_USE
    assert (await access.GetUser(pb.GetUserRequest(name="users/root"))).admin


async def test_users_are_created_once_and_listed_by_name(config: Config) -> None:
    access = await config.admin(AccessServiceStub)
    request = pb.CreateUserRequest(user=pb.User(title="Eve"), user_id="eve", request_id="one")

    made = await access.CreateUser(request)

    assert await access.CreateUser(request) == made
    page = await access.ListUsers(pb.ListUsersRequest(page_size=3))
    rest = await access.ListUsers(pb.ListUsersRequest(page_size=3, page_token=page.next_page_token))
    names = [user.name for user in (*page.users, *rest.users)]
    assert names == ["users/ada", "users/bob", "users/eve", "users/root"]
    with pytest.raises(AioRpcError) as refused:
        await access.CreateUser(pb.CreateUserRequest(user=pb.User(), user_id="eve"))
    assert failure_of(refused.value).reason == ErrorReason.RESOURCE_EXISTS


async def test_secrets_are_stored_as_hashes(config: Config) -> None:
    session = await signed_in(config)
    await with_password(config)
    access = await config.stub(AccessServiceStub)
    wanted = pb.Token(title="t", scope=pb.Scope.READ)
    token = await access.CreateToken(pb.CreateTokenRequest(parent="users/ada", token=wanted))

    stored = await all_rows(config.db)

    assert "$argon2id$" in stored
    for secret in (session.secret, token.secret, PASSWORD):
        assert secret not in stored
