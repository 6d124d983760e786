"""Who really asks when a reverse proxy stands between: only proxies that are named are believed.

``X-Forwarded-For`` is read from its end, since each proxy appends whom it saw: the first address
from the right that is no trusted proxy is the client. Everything left of it is the client's own
claim. Pure. Source: MDN, X-Forwarded-For, "selecting an IP address".
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from tangguh.core.errors import Misconfigured

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Headers = Sequence[tuple[bytes, bytes]]

_SCHEMES: Final = frozenset({"http", "https"})
_PREFIX_V6: Final = 64
_HOPS_MAX: Final = 32


class Proxies:
    """The networks whose word on client and scheme is taken."""

    def __init__(self, networks: Sequence[str]) -> None:
        """``networks`` in CIDR notation. Raises Misconfigured for one that is none."""
        try:
            self._networks: tuple[Network, ...] = tuple(ip_network(one) for one in networks)
        except ValueError as fault:
            raise Misconfigured(f"trusted_proxies: {fault}") from fault

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trusts(self, host: str) -> bool:
        """Whether this peer is one of them."""
        address = _address(host)
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )

    def client(self, peer: str, headers: Headers) -> str:
        """The address to count by: the peer's own unless it is a trusted proxy."""
        if not self._networks or not self.trusts(peer):
            return peer
        hops = ",".join(_all(headers, b"x-forwarded-for")).split(",")[-_HOPS_MAX:]
        found = peer
        for hop in reversed([hop.strip() for hop in hops]):
            address = _address(hop)
            if address is None:
                return found  # what is no address is nobody's word: the last known hop stands
            found = str(address)
            if not self.trusts(found):
                return found
        return found

    def scheme(self, peer: str, headers: Headers, spoken: str) -> str:
        """``http`` or ``https``; the last proxy's word when it is trusted."""
        if not self._networks or not self.trusts(peer):
            return spoken
        said = ",".join(_all(headers, b"x-forwarded-proto")).split(",")[-1].strip().lower()
        return said if said in _SCHEMES else spoken


def source_of(host: str) -> str:
    """What connections and tries are counted by: an IPv4 address, or the /64 of an IPv6 one."""
    address = _address(host)
    if not isinstance(address, IPv6Address):
        return host
    return str(ip_network((address, _PREFIX_V6), strict=False))


def _address(text: str) -> Address | None:
    """An address, also with a port or in brackets as proxies write it; None when it is none."""
    text = text.partition("%")[0]
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _all(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]
