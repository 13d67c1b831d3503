"""Which hosts and addresses the gateway may connect to (the guard against SSRF).

Names are checked when a definition is stored; the resolved address is checked again by the HTTP
adapter when it connects, since a name may resolve to something else by then.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from shared.domain.paths import base_url_problem

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
# Addresses outside it are private, reserved or obsolete (iana.org/assignments/ipv6-address-space).
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# Azure's own services for the virtual machine behind the app, on an address that looks public:
# learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
_AZURE_PLATFORM = ipaddress.ip_address("168.63.129.16")
# Resolvers read 127.1, 2130706433 and 0x7f000001 as addresses: url.spec.whatwg.org/#host-parsing
_NUMERIC = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9A-Fa-f]*)\.?")
_DEFAULT_PORTS = {"https": 443, "http": 80}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@lru_cache(maxsize=4096)  # each call asks a dozen times for those of its integration
def origin(url: str) -> str:
    """Return scheme, host and port of `url` in one comparable form (RFC 6454)."""
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    return f"{parts.scheme}://{(parts.hostname or '').rstrip('.')}:{port}"


@dataclass(frozen=True, slots=True)
class EgressPolicy:
    """What the settings ALLOW_INSECURE_UPSTREAMS and ALLOWED_PRIVATE_HOSTS permit."""

    allow_insecure: bool = False
    private_hosts: frozenset[str] = frozenset()

    def url_problem(self, url: str, *, with_query: bool = False) -> str | None:
        """Return why `url` may not be stored, or None; identity URLs may hold a query."""
        if with_query:
            url, _, query = url.partition("?")
            if not query.isascii() or not query.isprintable() or "#" in query or " " in query:
                return "must hold a plain query, without spaces and fragment"
        if problem := base_url_problem(url):
            return problem
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not self.permits_scheme(parts.scheme):
            return "must begin with https://"
        address = _literal(host)
        if address is None and (_NUMERIC.fullmatch(host) or ":" in host):
            return "must give an IP address in its usual form, such as 203.0.113.10"
        if _is_local_name(host) and not self.vouches_for(host):
            return "must be a public host, or one that ALLOWED_PRIVATE_HOSTS names"
        if address is not None and not self.permits(host, str(address)):
            return "must not be a private, local or link-local address"
        return None

    def permits_scheme(self, scheme: str) -> bool:
        """Tell whether requests may be sent by this scheme: in clear only where all is allowed."""
        return scheme == "https" or self.allow_insecure

    def permits(self, host: str, address: str) -> bool:
        """Tell whether a connection to `host` may go to the resolved `address`."""
        resolved = _embedded(ipaddress.ip_address(address.partition("%")[0]))
        if resolved.is_link_local or resolved.is_multicast or resolved.is_unspecified:
            return False  # 169.254.169.254 is the cloud's own metadata service
        if resolved == _AZURE_PLATFORM:
            return False
        return _is_public(resolved) or self.vouches_for(host)

    def vouches_for(self, host: str) -> bool:
        """Tell whether the app settings name `host`, or let every host be called."""
        return self.allow_insecure or host.lower().rstrip(".") in self.private_hosts


def _is_local_name(host: str) -> bool:
    name = host.lower().rstrip(".")
    return _literal(host) is None and ("." not in name or name.endswith((".localhost", ".local")))


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_public(address: Address) -> bool:
    return address.is_global and (address.version == 4 or address in _GLOBAL_UNICAST)  # noqa: PLR2004


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, where it does."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address
