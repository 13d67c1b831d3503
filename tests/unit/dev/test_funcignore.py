"""`.funcignore` leaves nothing but the app in the deployment package."""

from __future__ import annotations

import re
import subprocess

import pathspec
import pytest

from dev.paths import ROOT

RULES = (ROOT / ".funcignore").read_text(encoding="utf-8").splitlines()
APP = re.compile(r"(function_app\.py|host\.json|requirements\.txt|(functions|shared)/.+)")
LEFT_OVER = [
    ".venv/bin/python",
    ".dev/state/key-vault/cronus-tokens.json",
    ".dev/azurite/node_modules/azurite/package.json",
    ".mypy_cache/3.11/cache.db",
    ".vscode/settings.json",
    "local.settings.json",
    "__pycache__/function_app.cpython-313.pyc",
    "shared/__pycache__/settings.cpython-313.pyc",
    "shared/adapters/__pycache__/tables.cpython-313.pyc",
    "dev/__main__.py",
    "node_modules/htmx.org/package.json",
]
NEEDED = [
    "function_app.py",
    "host.json",
    "requirements.txt",
    "functions/invoke.py",
    "functions/panel/templates/base.html",
    "shared/adapters/tables.py",
    ".python_packages/lib/site-packages/requests/__init__.py",
]


def tracked_files():
    """Return what Git keeps, as a deployment from a clone would find it."""
    listing = subprocess.run(
        ["git", "ls-files"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return listing.stdout.splitlines()


def azd_packs(path):
    """Tell whether azd packs a file: it reads the rules as `.gitignore`."""
    return not pathspec.GitIgnoreSpec.from_lines(RULES).match_file(path)


def core_tools_packs(path):
    """Tell whether Core Tools packs a file.

    Its reading (Common/GitIgnoreParser.cs): a rule is the start of a path from the root, `*` stands
    for some of a name, `**` for some of a path, and a rule with `!` wins wherever it stands.
    """
    rules = [rule for rule in RULES if rule and not rule.startswith("#")]
    kept = [rule[1:] for rule in rules if rule.startswith("!")]
    left_out = [rule for rule in rules if not rule.startswith("!")]
    return any(starts(path, rule) for rule in kept) or not any(
        starts(path, rule) for rule in left_out
    )


def starts(path, rule):
    """Tell whether the path starts as the rule says."""
    wild = {"**": ".+", "*": "[^/]+"}
    pieces = re.split(r"(\*\*|\*)", rule)
    return re.match("".join(wild.get(piece) or re.escape(piece) for piece in pieces), path)


@pytest.mark.parametrize("packs", [azd_packs, core_tools_packs])
@pytest.mark.parametrize("path", NEEDED)
def test_app_is_packed(packs, path):
    """Everything that the app needs at run time goes along."""
    assert packs(path)


@pytest.mark.parametrize("packs", [azd_packs, core_tools_packs])
@pytest.mark.parametrize("path", LEFT_OVER)
def test_left_over_stays_out(packs, path):
    """State, secrets, caches and tools of a developer's folder stay there."""
    assert not packs(path)


@pytest.mark.parametrize("packs", [azd_packs, core_tools_packs])
def test_nothing_but_the_app_is_packed(packs):
    """A new file at the top of the repository is packed only if it belongs to the app."""
    if not (ROOT / ".git").exists():
        pytest.skip("a download without Git has no list of its files")
    packed = [path for path in tracked_files() if packs(path)]

    assert [path for path in packed if not APP.fullmatch(path)] == []
