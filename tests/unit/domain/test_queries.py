"""Query strings as callers send them."""

import pytest

from shared.domain.queries import canonical_name, parse_query


def test_pairs_are_kept_as_they_came():
    """Each pair has its raw form, the name to compare and the value to use."""
    pairs = parse_query("$Top=5&&a+b=c+d%2B&flag&x=%c3%bc=y")
    assert [(pair.raw, pair.name, pair.value) for pair in pairs] == [
        ("$Top=5", "top", "5"),
        ("a+b=c+d%2B", "a b", "c d+"),
        ("flag", "flag", ""),
        ("x=%c3%bc=y", "x", "ü=y"),
    ]
    assert parse_query("") == []


@pytest.mark.parametrize(
    "name",
    ["Company", "$company", "?company", " company ", "%63ompany", "%2563ompany", "%252563ompany",
     "\uff43ompany", "%ef%bd%83ompany", "%EF%BC%84company", "$ company", "\u00a0company"],
    ids=ascii,
)  # fmt: skip
def test_one_name_has_one_form(name):
    """However a server may decode, fold or trim a name, it is compared as one."""
    assert canonical_name(name) == "company"


@pytest.mark.parametrize("name", ["companies", "mycompany", "company$", "com pany", "c\u043empany"])
def test_other_names_stay_themselves(name):
    """What no server takes for the name is not taken for it here."""
    assert canonical_name(name) != "company"


@pytest.mark.parametrize("depth", [3, 50, 5000])
def test_deep_encodings_cost_little(depth):
    """A name that is encoded over and over is read a few times and then left."""
    assert canonical_name("%" + "25" * depth + "63ompany")
