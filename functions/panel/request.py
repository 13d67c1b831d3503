"""A request as the panel's views read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from shared.domain.codes import fold
from shared.domain.error_kinds import INVALID_PAYLOAD, PAYLOAD_TOO_LARGE
from shared.domain.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.http import Request

_LONGEST_FORM_BYTES = 4 * 1024 * 1024
_MOST_FIELDS = 500


class Form:
    """The fields of a posted form; those that the browser left out are empty."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        """Hold the fields in the order in which they came."""
        self._fields = fields

    def __contains__(self, name: str) -> bool:
        return any(each == name for each, _ in self._fields)

    def text(self, name: str) -> str:
        """Return the field without the space around it; line breaks are those of Unix."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """Return the field as it was typed, with the line breaks of Unix."""
        found = next((value for each, value in self._fields if each == name), "")
        return found.replace("\r\n", "\n")

    def all(self, name: str) -> list[str]:
        """Return every value of a field that may stand there more than once."""
        return [value for each, value in self._fields if each == name]

    def is_checked(self, name: str) -> bool:
        """Tell whether a checkbox was checked: browsers leave out those that are not."""
        return name in self


@dataclass(frozen=True)
class PanelRequest:
    """A request of a signed-in administrator; `values` are the variable parts of the path."""

    http: Request
    values: Mapping[str, str]
    administrator: str

    @property
    def integration(self) -> str:
        """The code of the integration in the path, in upper case."""
        return fold(self.values["integration"])

    @property
    def endpoint(self) -> str:
        """The code of the endpoint in the path, in upper case."""
        return fold(self.values["endpoint"])

    @property
    def is_fragment(self) -> bool:
        """Tell whether htmx asks for a part of a page."""
        return self.http.headers.get("hx-request") == "true"

    def parameter(self, name: str) -> str:
        """Return a parameter of the query, empty where it was left out."""
        return self.http.parameters.get(name, "").strip()

    @cached_property
    def form(self) -> Form:
        """The posted form; GatewayError `invalid_payload` or `payload_too_large`."""
        body = self.http.body
        if len(body) > _LONGEST_FORM_BYTES:
            raise GatewayError(PAYLOAD_TOO_LARGE, "A form may have 4 MiB at most.")
        try:
            fields = parse_qsl(
                body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict"
            )
        except ValueError:
            raise GatewayError(
                INVALID_PAYLOAD,
                "The form could not be read.",
                hint="Open the page again and repeat what you entered.",
            ) from None
        return Form(fields)
