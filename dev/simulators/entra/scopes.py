"""Scopes of the v2.0 endpoints ("Scopes and permissions in the Microsoft identity platform")."""

from __future__ import annotations

from dataclasses import dataclass

from dev.sample import BUSINESS_CENTRAL_RESOURCE
from dev.simulators.entra.errors import aadsts

OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})
DELEGATED_PERMISSIONS = ("Financials.ReadWrite.All", "user_impersonation")
APPLICATION_PERMISSIONS = ("API.ReadWrite.All", "Automation.ReadWrite.All")
DEFAULT = ".default"


@dataclass(frozen=True, kw_only=True)
class Scopes:
    """What one request asks for: permissions of one resource, and OpenID Connect's own scopes."""

    resource: str
    permissions: tuple[str, ...]
    openid: frozenset[str]

    @property
    def granted(self) -> tuple[str, ...]:
        """Return the permissions behind the names: `.default` stands for all that have consent."""
        return DELEGATED_PERMISSIONS if DEFAULT in self.permissions else self.permissions

    def __str__(self) -> str:
        """Return the granted permissions as the token answer's `scope` names them."""
        names = dict.fromkeys((*self.granted, *self.permissions))
        return " ".join(f"{self.resource}/{name}" for name in names)


def parse_scopes(text: str) -> Scopes:
    """Read a `scope` parameter; it must name permissions of Business Central and of nothing else.

    The real service also answers OpenID scopes alone, with a token for Microsoft Graph.
    """
    names = text.split()
    if not names:
        raise aadsts(900144, name="scope")
    asked = [name.rpartition("/") for name in names if name not in OPENID_SCOPES]
    for resource, slash, permission in asked:
        if not slash:
            raise aadsts(70011, scope=permission)
        if resource != BUSINESS_CENTRAL_RESOURCE:
            raise aadsts(500011, resource=resource)
        if permission not in (DEFAULT, *DELEGATED_PERMISSIONS):
            raise aadsts(70011, scope=f"{resource}/{permission}")
    permissions = tuple(permission for _, _, permission in asked)
    if not permissions or (DEFAULT in permissions and len(permissions) > 1):
        raise aadsts(70011, scope=text)
    return Scopes(
        resource=BUSINESS_CENTRAL_RESOURCE,
        permissions=permissions,
        openid=OPENID_SCOPES & set(names),
    )


def parse_application_scope(text: str) -> str:
    """Return the resource of a client credentials request, which asks for `.default` alone.

    Source: "Microsoft identity platform and the OAuth 2.0 client credentials flow".
    """
    if not text:
        raise aadsts(900144, name="scope")
    resource, _, permission = text.rpartition("/")
    if " " in text:
        raise aadsts(70011, scope=text)
    if permission != DEFAULT:
        raise aadsts(1002012, scope=text)
    if resource != BUSINESS_CENTRAL_RESOURCE:
        raise aadsts(500011, resource=resource)
    return resource
