"""The principal that App Service Authentication ("Easy Auth") hands to the app in a header. Pure.

The header is as good as whoever set it: it may be read only where the platform says that the
feature is on, and so removes it from requests that bring it along. (learn.microsoft.com/azure/
app-service/configure-authentication-user-identities, "Decoding the client principal header")
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

import msgspec

from shared.domain.payloads import NotReadable, read_json

PRINCIPAL_HEADER = "x-ms-client-principal"
ADMINISTRATOR_ROLE = "Gateway.Admin"
_ENTRA = "aad"
# As the token has them, or as the platform renames them.
_ROLE_CLAIMS = frozenset({"roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"})
_CLIENT_CLAIMS = frozenset({"azp", "appid"})  # in tokens of version 2 and 1
# A person by the name that people know, an app by its client id; the best one first.
_NAME_CLAIMS = ("preferred_username", "upn", "email", "name", "azp", "appid")
_LONGEST_NAME = 200


class _Claim(msgspec.Struct):
    typ: str
    val: str


class _Document(msgspec.Struct):
    claims: list[_Claim]
    auth_typ: str


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls, as Microsoft Entra has it: the app roles, and the client ids of the app.

    `name` is for people to read, and decides nothing: it can be chosen and changed.
    """

    roles: frozenset[str]
    clients: frozenset[str]
    name: str | None = None


def read_principal(header: str) -> Principal | None:
    """Return the principal in a header; None where there is none, or none by Microsoft Entra."""
    try:
        document: _Document = read_json(base64.b64decode(header, validate=True), _Document)
    except (NotReadable, binascii.Error, ValueError):
        return None
    if document.auth_typ != _ENTRA:
        return None
    claims = document.claims
    return Principal(
        roles=frozenset(claim.val for claim in claims if claim.typ in _ROLE_CLAIMS),
        clients=frozenset(claim.val.lower() for claim in claims if claim.typ in _CLIENT_CLAIMS),
        name=_name(claims),
    )


def _name(claims: list[_Claim]) -> str | None:
    values = {claim.typ: claim.val for claim in claims if claim.val.isprintable()}
    found = next((values[typ] for typ in _NAME_CLAIMS if values.get(typ)), None)
    return found and found[:_LONGEST_NAME]
