"""The repository keeps its own rules: what imports what, and one list of routes and settings."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from dev.checks import CHECKS
from dev.paths import ROOT
from shared.domain import error_kinds
from shared.domain.error_kinds import ErrorKind
from shared.domain.errors import GatewayError, Unavailable
from shared.settings import Settings

PACKAGES = ("functions", "shared")
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE: dict[str, str] = json.loads(
    (ROOT / "local.settings.example.json").read_text(encoding="utf-8")
)["Values"]

# Read by the host and the worker, not by the app; shipped with it all the same.
PLATFORM_SETTINGS = {"REFRESH_SCHEDULE", "PYTHON_THREADPOOL_THREAD_COUNT"}
# What Functions itself reads, and what stands for the platform around it in the local stack.
LOCAL_STACK_SETTINGS = {
    "FUNCTIONS_WORKER_RUNTIME",
    "IDENTITY_ENDPOINT",
    "IDENTITY_HEADER",
    "WEBSITE_AUTH_ENABLED",
}
# The form in which the platform gives the storage to an app that uses it by identity.
ALTERNATIVE_SETTING = "AzureWebJobsStorage__tableServiceUri"

# The contract's table of situations, and its management API.
STATUSES = {
    "already_exists": {409},
    "answer_too_large": {424},
    "changed_meanwhile": {412},
    "company_not_allowed": {403},
    "company_not_found": {424},
    "endpoint_disabled": {404},
    "endpoint_not_found": {404},
    "foreign_next_link": {424},
    "idempotency_key_reused": {422},
    "identity_misconfigured": {424},
    "identity_unavailable": {503},
    "integration_busy": {429},
    "integration_not_found": {404},
    "invalid_definition": {422},
    "invalid_idempotency_key": {400},
    "invalid_page": {400},
    "invalid_payload": {400, 422},
    "length_required": {411},
    "method_not_allowed": {405},
    "outcome_unknown": {409},
    "payload_too_large": {413},
    "query_not_allowed": {400},
    "sign_in_required": {424},
    "storage_unavailable": {503},
    "upstream_redirect": {424},
    "upstream_timeout": {504},
    "upstream_unauthorized": {424},
    "upstream_unreachable": {503},
    "vault_unavailable": {503},
}
KINDS = sorted(
    (value for value in vars(error_kinds).values() if isinstance(value, ErrorKind)),
    key=lambda kind: (kind.code, kind.status),
)

LOCAL = re.compile(
    r"localhost|127\.0\.0\.1|\[::1\]|development|\bdev\b(?!-itpro)|azurite|simulat|is_local\b"
)
# What modules have to know by name: RFC 6761's names of one's own machine, which are refused, and a
# form of the connection strings of Azure's SDK.
NAMED = {"egress.py": '".localhost"', "settings.py": '"usedevelopmentstorage"'}

# Loaded by a process of its own: an app gives its functions only once.
INSPECT_APP = """
import json, sys
import function_app
modules = sorted(sys.modules)
functions = function_app.app.get_functions()
described = [
    [each.get_function_name(), [json.loads(binding) for binding in each.get_raw_bindings()]]
    for each in functions
]
print(json.dumps([modules, described]))
"""


class RecordingMapping(Mapping[str, str]):
    """Holds no setting, and notes which were asked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.fixture(scope="module")
def app() -> tuple[list[str], list[tuple[str, list[dict[str, Any]]]]]:
    """Return the modules that function_app imports, and its functions with their bindings."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", INSPECT_APP], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    modules, described = json.loads(done.stdout)
    return modules, described


def trigger_of(bindings):
    """Return the binding that starts a function."""
    return next(each for each in bindings if each["type"].lower().endswith("trigger"))


def sources():
    """Return every module of the app."""
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def table_rows(header):
    """Return the cells of a table in the README, given by its header."""
    lines = README[README.index(header) :].splitlines()[2:]
    end = next(index for index, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[:end]]


def test_import_contracts_hold():
    """Nothing imports upward or sideways."""
    done = subprocess.run(  # noqa: S603 - the same command as `python -m dev test`
        CHECKS["import-linter"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "package",
    ["azure.data.tables", "azure.identity", "azure.keyvault", "requests", "cryptography", "jwt",
     "jinja2", "jsonschema_rs", "shared.services.openapi"],
)  # fmt: skip
def test_heavy_package_is_not_imported_at_the_start(app, package):
    """A cold start loads only what every function needs; the rest comes with its first use."""
    modules, _ = app

    assert "azure.functions" in modules
    assert [name for name in modules if name == package or name.startswith(f"{package}.")] == []


def test_readme_lists_the_routes(app):
    """Function by function: its methods, its routes, and who may call it."""
    listed = {}
    for name, routes, who, _ in table_rows("| function | method and route |"):
        methods = frozenset(re.findall(r"\b(GET|POST|PUT|PATCH|DELETE)\b", routes))
        listed[name] = methods, frozenset(re.findall(r"`([^`]+)`", routes)), who == "key"

    assert listed == {name: _described(trigger_of(bindings)) for name, bindings in app[1]}


def _described(trigger):
    if "schedule" in trigger:
        return frozenset(), frozenset({trigger["schedule"]}), False
    route = trigger["route"]
    optional = re.compile(r"/\{(\w+)\?\}")
    routes = {optional.sub("", route), optional.sub(r"/{\1}", route)}
    return frozenset(trigger["methods"]), frozenset(routes), trigger["authLevel"] == "FUNCTION"


def test_function_names_are_unique_and_plain(app):
    """The host finds routes by them, in their order, whatever their case."""
    names = [name for name, _ in app[1]]

    assert len({name.lower() for name in names}) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+", name)] == []


def test_binding_names_are_letters_and_digits(app):
    """The host refuses others, though the SDK takes them."""
    names = {binding["name"] for _, bindings in app[1] for binding in bindings} - {"$return"}

    assert names
    assert [name for name in names if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name)] == []


def test_routes_leave_the_hosts_own_prefixes_alone(app):
    """The host refuses routes that begin with the letters of its own."""
    routes = [trigger_of(bindings).get("route", "") for _, bindings in app[1]]

    assert [route for route in routes if route.startswith(("admin", "runtime"))] == []


def test_settings_have_the_same_names_everywhere():
    """The code, the example and the README know the same ones."""
    mapping = RecordingMapping()
    with pytest.raises(GatewayError):
        Settings.from_mapping(mapping)

    names = (mapping.asked | PLATFORM_SETTINGS) - {ALTERNATIVE_SETTING} - LOCAL_STACK_SETTINGS
    assert EXAMPLE.keys() - LOCAL_STACK_SETTINGS == names
    assert {cells[0].strip("`") for cells in table_rows("| name | default |")} == names
    assert ALTERNATIVE_SETTING in mapping.asked
    assert f"`{ALTERNATIVE_SETTING}`" in README
    assert Settings.from_mapping(EXAMPLE)


def test_settings_of_the_timer_are_shipped(app):
    """The host puts a function in error whose schedule names a setting that is missing."""
    schedules = [trigger_of(bindings).get("schedule", "") for _, bindings in app[1]]
    named = {name for schedule in schedules for name in re.findall(r"%(\w+)%", schedule)}

    assert named
    assert [name for name in named if name not in PLATFORM_SETTINGS or not EXAMPLE[name]] == []


def test_readme_tells_the_defaults():
    """A setting that is left out counts as the README says."""
    required = dict.fromkeys(("KEY_VAULT_URL", "PUBLIC_URL", "TABLES_URL"), "https://x.example")
    told = {
        name.strip("`"): default
        for name, default, _ in table_rows("| name | default |")
        if re.fullmatch(r"[0-9]+|true|false", default)
    }

    assert {"REFRESH_AHEAD_SECONDS", "MAX_ANSWER_BYTES", "ALLOW_INSECURE_UPSTREAMS"} <= told.keys()
    assert Settings.from_mapping(required | told) == Settings.from_mapping(required)
    for name in told.keys() - {"ALLOW_INSECURE_UPSTREAMS"} - PLATFORM_SETTINGS:
        other = {name: str(int(told[name]) + 1)}
        assert Settings.from_mapping(required | other) != Settings.from_mapping(required)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.code}-{kind.status}")
def test_error_has_the_status_of_the_contract(kind):
    """Power Automate resends 408, 429 and 5xx by itself: they are for what passes, and is safe."""
    assert kind.status in STATUSES.get(kind.code, {kind.status})
    assert kind.retryable == (kind.status in {408, 429} or kind.status >= 500)
    assert re.fullmatch(r"[a-z_]+", kind.code)
    assert kind.title
    assert kind.hint.endswith(".")


def test_every_error_is_in_the_catalogue_once():
    """One entry for each code and status, and one exception for each outage."""
    statuses = defaultdict(set)
    for kind in KINDS:
        assert kind.status not in statuses[kind.code]
        statuses[kind.code].add(kind.status)

    several = {code: found for code, found in statuses.items() if len(found) > 1}
    assert several == {"invalid_payload": {400, 422}}
    assert {each.KIND.code for each in Unavailable.__subclasses__()} == {
        "storage_unavailable",
        "vault_unavailable",
        "identity_unavailable",
    }


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_only_the_bootstrap_reads_the_environment(path):
    """Settings are read once, from a mapping; nothing asks where it runs."""
    names = {
        getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "name", None)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name | ast.alias)
    }

    reads = names & {"environ", "environb", "getenv", "os.environ"}
    assert reads == ({"environ"} if path.name == "bootstrap.py" else set())


@pytest.mark.parametrize(
    "path",
    [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.*"))
     if "__pycache__" not in path.parts],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)  # fmt: skip
def test_app_knows_no_development_mode(path):
    """The local stack imitates the platform; no branch, and no address, is made for it."""
    text = path.read_text(encoding="utf-8").lower().replace(NAMED.get(path.name, "\0"), "")

    assert LOCAL.findall(text) == []


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_module_is_small(path):
    """A module past 400 lines has more than one job."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_types_are_completed_while_modules_are_imported():
    """Msgspec completes a type at its first use, and two first threads would crash the process.

    A decoder that is made at import time is made by one thread. Only the reader of plain JSON
    takes a type at each call: none of a class.
    """
    at_each_call = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sorted([*ROOT.glob("shared/**/*.py"), *ROOT.glob("functions/**/*.py")])
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "decode"
        and any(keyword.arg == "type" for keyword in call.keywords)
    ]

    assert [place for place in at_each_call if not place.startswith("shared/domain/payloads")] == []
