"""The operator's way in."""

from pathlib import Path

import pytest
from grpc.aio import AioRpcError
from inkweld.access.v1 import access_pb2 as pb
from inkweld.access.v1.access_pb2_grpc import AccessServiceStub

from services.config import administrator, proofs
from tests.services.config.instance import Config


def token_file(directory: Path, text: str) -> Path:
    path = directory / "admin-token"
    path.write_text(text)
    return path


async def test_the_token_in_the_file_administers(config: Config, tmp_path: Path) -> None:
    secret = proofs.new_secret(proofs.TOKEN)
    file = token_file(tmp_path, f"{secret}\n")

    await administrator.ensure(config.db, file)
    await administrator.ensure(config.db, file)

    access = await config.stub(AccessServiceStub, token=secret)
    me = await access.GetMe(pb.GetMeRequest())
    assert (me.name, me.title, me.admin) == ("users/admin", "Administrator", True)
    assert (await access.ListUsers(pb.ListUsersRequest())).users
    [token] = (await access.ListTokens(pb.ListTokensRequest(parent="users/admin"))).tokens
    assert token.scope == pb.Scope.ADMIN


async def test_it_lets_back_in_who_was_shut_out(config: Config, tmp_path: Path) -> None:
    secret = proofs.new_secret(proofs.TOKEN)
    file = token_file(tmp_path, secret)
    await administrator.ensure(config.db, file)
    admin = await config.admin(AccessServiceStub)
    shut_out = pb.User(name="users/admin", disabled=True)
    await admin.UpdateUser(pb.UpdateUserRequest(user=shut_out))

    await administrator.ensure(config.db, file)

    user = await admin.GetUser(pb.GetUserRequest(name="users/admin"))
    assert (user.admin, user.disabled) == (True, False)
    assert (await admin.ExchangeSecret(pb.ExchangeSecretRequest(secret=secret))).jwt


async def test_another_token_takes_the_place_of_the_former(config: Config, tmp_path: Path) -> None:
    former, latter = proofs.new_secret(proofs.TOKEN), proofs.new_secret(proofs.TOKEN)

    for secret in (former, latter):
        await administrator.ensure(config.db, token_file(tmp_path, secret))

    nobody = await config.stub(AccessServiceStub, token="")
    assert (await nobody.ExchangeSecret(pb.ExchangeSecretRequest(secret=latter))).jwt
    with pytest.raises(AioRpcError):
        await nobody.ExchangeSecret(pb.ExchangeSecretRequest(secret=former))


@pytest.mark.parametrize("text", ["", "ikw_", "secret", "x" * 60])
async def test_a_file_without_a_token_is_named(config: Config, tmp_path: Path, text: str) -> None:
    file = token_file(tmp_path, text)

    with pytest.raises(ValueError, match="admin-token holds no token"):
        await administrator.ensure(config.db, file)
