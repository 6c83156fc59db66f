from ipaddress import ip_address

import pytest

from runtime.egress.addresses import is_public


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "2a00:1450:4001::200e",
    ],
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *(
            "0.0.0.0",
            "10.0.0.5",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
        ),
        *(
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.7",
        ),
        *("203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *(
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
        ),
        *("100::1", "2001::1", "2001:2::1", "2001:db8::1", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1"),
        *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1"),
        *("2a00:1450::5efe:a00:1", "2a00:1450::200:5efe:a00:1"),  # tunnels to 10.0.0.1
    ],
)
def test_special_addresses_are_not(address: str) -> None:
    assert not is_public(ip_address(address))


def test_the_standard_library_alone_would_let_some_through() -> None:
    wrong = ["64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "224.0.0.1", "ff02::1", "5f00::1"]

    assert any(ip_address(address).is_global for address in wrong)
    assert not any(is_public(ip_address(address)) for address in wrong)
