"""What tests may ask of the simulator beyond the real service, under `/_control/`.

GET POST settings               read or change `Settings`; fields left out stay as they are
POST revoke                     {"upn": ...} or {"client_id": ...}; {} revokes every grant
GET counters                    calls so far
POST certificates               {"certificate": PEM} for the sample app registration
faults                          see `dev.faults`
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from werkzeug.exceptions import BadRequest, NotFound, ServiceUnavailable
from werkzeug.wrappers import Response

from dev.simulators.entra.errors import EntraError, aadsts

if TYPE_CHECKING:
    from werkzeug.wrappers import Request

    from dev.simulators.entra.grants import Grants
    from dev.simulators.entra.registry import Person, Registry


class Denial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An error that the next `times` token calls get, e.g. 50076 with `claims` to ask for MFA."""

    error: str
    error_codes: list[int] = []
    error_description: str = "Refused because the control URL asks for it."
    suberror: str | None = None
    claims: str | None = None
    status: int | None = None
    times: int = 1


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Switches of the tenant and its endpoints.

    `rotate` off repeats the refresh token, `omit_refresh_token` leaves it out of the answer to a
    refresh, `strict_rotation` revokes a grant whose replaced token comes back.
    `expires_in_as_text` answers as the v1.0 endpoint, `html_error` as a broken front end.
    `answer_changes` are merged into every grant; null leaves a field out.

    `required_claims` is a claims challenge: a sign-in must ask for exactly these claims, and a
    refresh is refused with them (50076) where the sign-in behind it did not. `consent` counts where
    it is given `personally` (not by every person of the `registry`), is `withdrawn` from everybody
    (65001), or holds `for_everybody`, as it does once an administrator has consented.
    """

    access_token_seconds: int = 3600
    rotate: bool = True
    strict_rotation: bool = False
    omit_refresh_token: bool = False
    secret_expired: bool = False
    expires_in_as_text: bool = False
    html_error: bool = False
    answer_changes: dict[str, Any] = {}
    required_claims: str | None = None
    consent: Literal["personally", "withdrawn", "for_everybody"] = "personally"
    deny: Denial | None = None

    def check_policy(self, person: Person, client_id: str, claims: str | None) -> None:
        """Raise what stands against a sign-in of the person that asked for these claims."""
        given = {"personally": person.consented, "withdrawn": False, "for_everybody": True}
        if not given[self.consent]:
            raise aadsts(65001, upn=person.upn, client_id=client_id)
        if self.required_claims not in (None, claims):
            raise aadsts(50076, upn=person.upn, claims=self.required_claims)


class _Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    upn: str | None = None
    client_id: str | None = None


class _Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    certificate: str


_REVOCATIONS = msgspec.json.Decoder(_Revocation)
_CERTIFICATES = msgspec.json.Decoder(_Certificate)


class Control:
    """Holds settings and counters, and answers the control URLs."""

    def __init__(self, settings: Settings, *, registry: Registry, grants: Grants) -> None:
        self.settings = settings
        self._registry = registry
        self._grants = grants
        self._lock = threading.Lock()
        self._token_calls: Counter[str] = Counter()
        self._authorize_calls = 0

    def count_authorize_call(self) -> None:
        """Count a call of the sign-in page, of either method."""
        with self._lock:
            self._authorize_calls += 1

    def count_token_call(self, grant_type: str) -> None:
        """Count a token call, and raise the error that the settings hold for it."""
        with self._lock:
            self._token_calls[grant_type] += 1
            if self.settings.html_error:
                raise ServiceUnavailable
            denial = self.settings.deny
            if denial is None:
                return
            left = msgspec.structs.replace(denial, times=denial.times - 1)
            self.settings = msgspec.structs.replace(
                self.settings, deny=left if left.times > 0 else None
            )
        raise EntraError(
            denial.error,
            denial.error_description,
            numbers=denial.error_codes,
            suberror=denial.suberror,
            claims=denial.claims,
            status=denial.status,
        )

    def consent_for_everybody(self) -> None:
        """Let the app be used by everybody in the tenant."""
        with self._lock:
            self.settings = msgspec.structs.replace(self.settings, consent="for_everybody")

    def answer(self, request: Request, name: str) -> Response:
        """Answer `/_control/{name}`."""
        body = request.get_data()
        try:
            match request.method, name:
                case "GET", "settings":
                    answer: Any = self.settings
                case "POST", "settings":
                    answer = self._change(body)
                case "GET", "counters":
                    answer = self._counters()
                case "POST", "revoke":
                    revocation = _REVOCATIONS.decode(body)
                    answer = {"revoked": self._grants.revoke(**msgspec.structs.asdict(revocation))}
                case "POST", "certificates":
                    pem = _CERTIFICATES.decode(body).certificate
                    self._registry.add_certificate(pem)
                    answer = {}
                case _:
                    raise NotFound
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return Response(msgspec.json.encode(answer), mimetype="application/json")

    def _change(self, body: bytes) -> Settings:
        changes = msgspec.json.decode(body, type=dict[str, Any])
        with self._lock:
            merged = {**msgspec.structs.asdict(self.settings), **changes}
            self.settings = msgspec.convert(merged, Settings)
            return self.settings

    def _counters(self) -> dict[str, Any]:
        with self._lock:
            return {
                "authorize": self._authorize_calls,
                "token": dict(self._token_calls),
                "reuse_detections": self._grants.reuse_detections,
            }
