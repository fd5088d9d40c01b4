"""Which IP addresses may be dialled, whoever named them.

Decides from the address alone, after unwrapping what hides an IPv4 address inside an IPv6 one. Link-local and metadata addresses,
and those that are nobody's, are never dialled; private ones (loopback among them) only where the operator allows it.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

_NEVER: tuple[tuple[str, IPv4Network | IPv6Network], ...] = tuple(
    (why, ip_network(network))
    for network, why in (
        ("169.254.0.0/16", "a link-local or metadata address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a site-local address"),
        ("168.63.129.16/32", "a cloud's metadata address"),
        ("100.100.100.200/32", "a cloud's metadata address"),
        ("192.0.0.192/32", "a cloud's metadata address"),
        ("fd00:ec2::/32", "a cloud's metadata address"),
        ("fd20:ce::254/128", "a cloud's metadata address"),
        ("0.0.0.0/8", "no address of a server"),
        ("::/128", "no address of a server"),
        ("224.0.0.0/4", "a multicast address"),
        ("ff00::/8", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
)
_EMBEDDING = tuple(IPv6Network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))
_FIRST_HOST = IPv6Address("::1")


def refusal(address: str, *, private: bool) -> str:
    """Why this address is not dialled ("127.0.0.1 is a private address"), or empty. `private`: may those be dialled?"""
    try:
        given = ip_address(address)
    except ValueError:
        return f"{address} is no IP address"
    for candidate in (given, *_inside(given)):
        for why, network in _NEVER:
            if candidate.version == network.version and candidate in network:
                return f"{address} is {why}"
        if not private and not candidate.is_global:
            return f"{address} is a private address"
    return ""


def _inside(given: IPv4Address | IPv6Address) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address carries (mapped, 6to4, Teredo, NAT64, compatible)."""
    if isinstance(given, IPv4Address) or given == _FIRST_HOST:
        return ()
    found = [given.ipv4_mapped, given.sixtofour, *(given.teredo or ())]
    found += [IPv4Address(int(given) & 0xFFFFFFFF) for network in _EMBEDDING if given in network]
    return tuple(address for address in found if address is not None)
