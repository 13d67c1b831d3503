"""Environments, their companies, and how a call names one (bc-api.md 1.1 to 1.3).

That no company and a wrong one are both answered with 404 is assumed (bc-api.md section 13).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dev import sample
from dev.simulators.business_central.database import Database
from dev.simulators.business_central.edm import STRING_LITERAL, Edm, parse_literal
from dev.simulators.business_central.errors import ODataError, query_syntax_error
from dev.simulators.business_central.sample_data import fill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

NO_COMPANY = (
    "Cannot process the request because the default company cannot be found. You can specify a "
    "default company in the service configuration file, or specify one for each tenant, or you "
    'can add a query string in the form of "company=[name]".'
)


@dataclass(frozen=True, slots=True)
class Company:
    """One company and its records."""

    name: str
    id: str
    database: Database


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment of the tenant; its own database lists the companies."""

    name: str
    database: Database
    companies: tuple[Company, ...]

    def company_by_key(self, edm: Edm, key: str) -> Company:
        """Find a company by what stands in the parentheses of a path.

        `companies(...)` takes the id; `Company(...)` the name, the id in its place, or `Id=`.
        """
        try:
            if edm is Edm.STRING and key.startswith("Id="):
                return self._company(parse_literal(Edm.GUID, key.removeprefix("Id=")))
            return self._company(parse_literal(edm, key))
        except ValueError as error:
            raise query_syntax_error() from error

    def company_by_option(self, value: str | None) -> Company:
        """Find a company by the query option: a name or an id, in quotes or not."""
        if not value:
            raise ODataError(404, "Internal_CompanyNotFound", NO_COMPANY)
        if STRING_LITERAL.fullmatch(value):
            return self._company(parse_literal(Edm.STRING, value))
        return self._company(value)

    def _company(self, reference: str) -> Company:
        for company in self.companies:
            # The case of a name matters.
            if reference == company.name or reference.lower() == company.id:
                return company
        message = f'The company "{reference}" does not exist.'
        raise ODataError(404, "Internal_CompanyNotFound", message)


def build_environments(now: Callable[[], datetime]) -> dict[str, Environment]:
    """Set up every environment anew; keys are names in lower case, as case does not matter."""
    return {name.lower(): _build_environment(name, now) for name in sample.ENVIRONMENTS}


def _build_environment(name: str, now: Callable[[], datetime]) -> Environment:
    database = Database(name, now)
    companies = []
    for company, company_id in sample.COMPANIES.items():
        database.insert(
            "companies", {"id": company_id, "name": company, "systemVersion": "26.0.0.0"}
        )
        companies.append(Company(company, company_id, Database(f"{name}/{company_id}", now)))
        fill(companies[-1].database)
    return Environment(name, database, tuple(companies))


def environment_list(environments: Mapping[str, Environment], url: str) -> dict[str, object]:
    """Return the body of `/environments/v1.2` (bc-api.md 1.7)."""
    return {
        "value": [
            {
                "aadTenantId": sample.TENANT_ID,
                "applicationFamily": "BusinessCentral",
                "type": environment.name,
                "name": environment.name,
                "countryCode": "US",
                "webServiceUrl": url,
                "webClientLoginUrl": f"{url}/{sample.TENANT_ID}/{environment.name}",
                "ringName": "Prod",
            }
            for environment in environments.values()
        ]
    }
