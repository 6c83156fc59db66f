"""Which addresses are public, by IANA's special-purpose registries.

`ipaddress.is_global` calls several ways to an internal machine global (NAT64, 6to4, multicast), so the tables
are carried here. IPv6 starts from what is assigned as global unicast; forms that embed an IPv4 address are
refused whole, for the machine that unwraps them is not ours.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_SPECIAL_4 = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local, clouds' metadata
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "192.168.0.0/16",  # private use
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_SPECIAL_6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: embeds IPv4
        "3fff::/20",  # documentation
    )
)
_ISATAP = 0x00005EFE
_UNIVERSAL_BIT = 0x02000000


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _SPECIAL_4)
    if address.scope_id is not None or address not in _GLOBAL_6:
        return False
    return not _is_isatap(address) and not any(address in block for block in _SPECIAL_6)


def _is_isatap(address: IPv6Address) -> bool:
    """A tunnel's address, whose last 32 bits are an IPv4 address."""
    return (int(address) >> 32) & 0xFFFFFFFF & ~_UNIVERSAL_BIT == _ISATAP
