import socket
from pathlib import Path

import pytest

from deploy.local.folder import Folder, FolderTaken, free_ports, is_free


def test_only_its_owner_can_look_into_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "data")

    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert folder.admin_token_file.stat().st_mode & 0o777 == 0o600
    assert folder.key("ring.private").stat().st_mode & 0o777 == 0o600
    assert folder.key("generation.pem").stat().st_mode & 0o777 == 0o600


def test_keys_token_and_ports_are_kept(tmp_path: Path) -> None:
    first = Folder(tmp_path)
    before = (first.admin_token, first.ports, first.key("trusted.json").read_text())
    first.close()

    again = Folder(tmp_path)

    assert (again.admin_token, again.ports, again.key("trusted.json").read_text()) == before


def test_a_port_that_is_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    first = Folder(tmp_path)
    first.close()
    with socket.socket() as other:
        other.bind(("127.0.0.1", first.ports["media"]))
        other.listen()

        again = Folder(tmp_path)

    assert again.ports["media"] != first.ports["media"]
    assert again.ports["config"] == first.ports["config"]


def test_two_stacks_cannot_share_a_folder(tmp_path: Path) -> None:
    Folder(tmp_path)

    with pytest.raises(FolderTaken, match=str(tmp_path)):
        Folder(tmp_path)


def test_the_token_is_one_the_services_know_for_what_it_is(tmp_path: Path) -> None:
    assert Folder(tmp_path).admin_token.startswith("ikw_")


def test_free_ports_are_free_and_different() -> None:
    ports = free_ports(5)

    assert len(set(ports)) == 5
    assert all(is_free(port) for port in ports)
    assert not is_free(0)
