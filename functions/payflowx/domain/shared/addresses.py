"""Public and loopback addresses of merchants' endpoints.

The check applies to the resolved address, because a host name proves nothing. The networks are listed in addition to
the library's own check: its `is_global` differs between versions of Python, and it ignores embedded IPv4 addresses.
"""

import ipaddress
from ipaddress import IPv4Address, IPv6Address
from typing import Final

_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""The IPv6 form of an IPv4 address in a network that speaks IPv6 only."""
_REFUSED_4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_REFUSED_6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocols, Teredo among them: an address inside an address
        "2001:db8::/32",
        "2002::/16",  # 6to4: an address inside an address
        "3fff::/20",
    )
)


def is_public(text: str) -> bool:
    """Return whether a server on the internet can have this address.

    False for any text that is no address.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv4Address):
        return _is_public_4(address)
    return _is_public_6(address)


def is_loopback(text: str) -> bool:
    """Return whether the address is this machine's loopback."""
    try:
        return ipaddress.ip_address(text).is_loopback
    except ValueError:
        return False


def _is_public_4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in _REFUSED_4)


def _is_public_6(address: IPv6Address) -> bool:
    if address.ipv4_mapped is not None:
        return False  # no name resolves to this address by accident
    if address in _NAT64:
        return _is_public_4(IPv4Address(int(address) & 0xFFFFFFFF))
    allowed = address in _GLOBAL_UNICAST and not any(address in network for network in _REFUSED_6)
    return allowed and address.is_global
