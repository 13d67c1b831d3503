"""Administration of integrations: store, change, show and delete them, with their secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from shared.domain.audit import KEY_HOLDER
from shared.domain.codes import fold, is_code
from shared.domain.documents import merge_patch, to_document
from shared.domain.errors import FieldProblem, invalid_definition
from shared.domain.integration import READ_ONLY_FIELDS, Integration, read_integration
from shared.domain.records import StoredIntegration
from shared.domain.secret import Secret
from shared.domain.secret_names import client_secret_name
from shared.domain.tokens import TokenState
from shared.services.catalogue import integration_not_found
from shared.services.editing import (
    Page,
    Precondition,
    Saved,
    already_exists,
    conflicts_told,
    with_code,
    without,
)

if TYPE_CHECKING:
    from shared.domain.egress import EgressPolicy
    from shared.ports import (
        Clock,
        IntegrationStore,
        SecretStore,
        TokenStateStore,
    )
    from shared.services.audit import Audit
    from shared.services.catalogue import Catalogue
    from shared.services.removal import Removal
    from shared.services.sign_off import SignOff

_LONGEST_SECRET = 10_000


class IntegrationAdministration:
    """Keeps the integrations."""

    def __init__(
        self,
        *,
        integrations: IntegrationStore,
        states: TokenStateStore,
        audit: Audit,
        secrets: SecretStore,
        sign_off: SignOff,
        removal: Removal,
        catalogue: Catalogue,
        policy: EgressPolicy,
        clock: Clock,
    ) -> None:
        """Work on the given stores."""
        self._integrations = integrations
        self._states = states
        self._audit = audit
        self._secrets = secrets
        self._sign_off = sign_off
        self._removal = removal
        self._catalogue = catalogue
        self._policy = policy
        self._clock = clock

    def list(self, *, after: str, limit: int) -> Page:
        """Return a page of integrations, each as GET shows it."""
        records = self._integrations.list(after=after, limit=limit + 1)
        shown = records[:limit]
        states = self._states.between(shown[0].code, shown[-1].code) if shown else {}
        return Page(
            documents=[shown_integration(record, states.get(record.code)) for record in shown],
            next_after=shown[-1].code if len(records) > limit else None,
        )

    def get(self, code: str) -> Saved:
        """Return one integration; GatewayError `integration_not_found`."""
        record = self.find(code)
        return Saved(self._show(record), record.etag)

    def find(self, code: str) -> StoredIntegration:
        """Read the record itself from the store; GatewayError `integration_not_found`."""
        folded = fold(code)
        record = self._integrations.get(folded) if is_code(folded) else None
        if record is None:
            raise integration_not_found(code)
        return record

    def create(self, document: dict[str, Any], *, by: str = KEY_HOLDER) -> Saved:
        """Store a new integration; GatewayError `invalid_definition` or `already_exists`."""
        code = document.get("code")
        if isinstance(code, str) and is_code(fold(code)) and self._integrations.get(fold(code)):
            raise already_exists(fold(code))
        return self._save(None, document, by)

    def put(
        self,
        code: str,
        document: dict[str, Any],
        precondition: Precondition,
        *,
        by: str = KEY_HOLDER,
    ) -> Saved:
        """Create or replace; a missing `client_secret` keeps the stored one."""
        folded = fold(code)
        existing = self._integrations.get(folded) if is_code(folded) else None
        precondition.check(existing.etag if existing else None)
        document = with_code(document, folded)
        if document.get("client_secret") is None:
            document = without(document, {"client_secret"})
        return self._save(existing, document, by)

    def patch(
        self, code: str, patch: dict[str, Any], precondition: Precondition, *, by: str = KEY_HOLDER
    ) -> Saved:
        """Apply a merge patch; `"client_secret": null` removes the secret."""
        existing = self.find(code)
        precondition.check(existing.etag)
        current = to_document(existing.definition)
        merged = merge_patch(current, with_code(without(patch, READ_ONLY_FIELDS), existing.code))
        if "client_secret" in patch:
            merged["client_secret"] = patch["client_secret"]
        return self._save(existing, merged, by)

    def delete(self, code: str, precondition: Precondition, *, by: str = KEY_HOLDER) -> None:
        """Delete the integration with its endpoints, tokens, sign-ins, kept calls and secrets."""
        record = self.find(code)
        precondition.check(record.etag)
        self._removal.remove(record, by=by)

    def _save(self, existing: StoredIntegration | None, document: dict[str, Any], by: str) -> Saved:
        definition, problems = read_integration(
            without(document, READ_ONLY_FIELDS | {"client_secret"}), self._policy
        )
        secret, secret_problem = _read_secret(document.get("client_secret"))
        if secret_problem is not None:
            problems = [*problems, secret_problem]
        identity_changed = _has_other_identity(existing, definition)
        if (
            identity_changed
            and "client_secret" not in document
            and _uses_stored_secret(existing, definition)
        ):
            text = "must be given again: a field changes that tells where or for whom it is used"
            problems = [*problems, FieldProblem("/client_secret", text)]
        if problems or definition is None:
            raise invalid_definition(problems)
        stored = self._states.get(definition.code)  # now: after the write nothing may fail
        version = None if existing is None else existing.client_secret_version
        if "client_secret" in document or identity_changed:
            version = (
                self._secrets.set(client_secret_name(definition.code), secret) if secret else None
            )
        record = self._write(existing, definition, version)
        self._audit.saved(existing, record, by=by)
        if identity_changed:
            self._sign_off.drop(record.code)
        shown = shown_integration(record, stored.state if stored else None)
        return Saved(shown, record.etag, is_new=existing is None)

    def _write(
        self, existing: StoredIntegration | None, definition: Integration, version: str | None
    ) -> StoredIntegration:
        now = self._clock.now()
        record = StoredIntegration(
            definition=definition,
            client_secret_version=version,
            created_on=existing.created_on if existing else now,
            updated_on=now,
        )
        with conflicts_told(definition.code, is_new=existing is None):
            if existing is None:
                record = self._integrations.insert(record)
            else:
                record = self._integrations.replace(replace(record, etag=existing.etag))
        self._catalogue.forget_integration(record.code)
        return record

    def _show(self, record: StoredIntegration) -> dict[str, Any]:
        stored = self._states.get(record.code)
        return shown_integration(record, stored.state if stored else None)


def _has_other_identity(existing: StoredIntegration | None, changed: Integration | None) -> bool:
    """Tell whether secret and tokens would come to somebody whom they were not entrusted to."""
    if existing is None or changed is None:
        return False
    return existing.definition.binding != changed.binding


def _uses_stored_secret(existing: StoredIntegration | None, changed: Integration | None) -> bool:
    if existing is None or changed is None:
        return False
    return existing.client_secret_version is not None and changed.needs_client_secret


def _read_secret(value: object) -> tuple[Secret | None, FieldProblem | None]:
    if value is None:
        return None, None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_SECRET:
        text = f"must be a text of 1 to {_LONGEST_SECRET} characters"
        return None, FieldProblem("/client_secret", text)
    return Secret(value), None


def shown_integration(record: StoredIntegration, state: TokenState | None) -> dict[str, Any]:
    """Return the document that GET shows: the definition and the read-only fields."""
    is_bound = state is not None and state.binding == record.binding
    known = state if state is not None and is_bound else TokenState()
    status = known.shown_status
    if status == "misconfigured" and known.revision != record.revision:
        status = "not_authorized"  # changed since: the next call tries it anew
    if record.definition.needs_client_secret and record.client_secret_version is None:
        status = "misconfigured"
    return to_document(record.definition) | {
        "has_client_secret": record.client_secret_version is not None,
        "status": status,
        "is_valid_auth": status == "authorized",
        "signed_in_as": known.signed_in_as,
        "created_on": record.created_on,
        "updated_on": record.updated_on,
    }
