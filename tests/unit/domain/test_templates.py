"""URL templates of integrations."""

import pytest

from shared.domain.templates import BUILT_IN, PLACEHOLDERS, template_problem

GOOD = [
    "{base_url}/{endpoint}",
    "{base_url}/{endpoint}/",
    "{base_url}/{api_version}/{environment}/{tenant_id}/APICodeunits_{endpoint}?Company={company}",
    "{base_url}/{api_version}/{tenant_id}/{environment}/ODataV4/{service_name}_{endpoint}",
    "{base_url}/{api_version}/api/{api_route}/companies({company_id})/{endpoint}",
    "{base_url}/ODataV4/Company('{company}')/{endpoint}",
    "{base_url}/rest/v1.0/{endpoint}?$format=json&api-version=2024-01-01&x=",
    "{base_url}/my%20files/{endpoint}?q=a%20b",
    "{base_url}?action={endpoint}",
    "{base_url}",
    "{base_url}/",
]

BAD = [
    ("empty", ""),
    ("no base", "/{endpoint}"),
    ("absolute", "https://evil.example/{endpoint}"),
    ("base later", "https://evil.example/{base_url}/{endpoint}"),
    ("space before", " {base_url}/{endpoint}"),
    ("base twice", "{base_url}/{base_url}"),
    ("other case", "{BASE_URL}/{endpoint}"),
    ("longer host", "{base_url}.evil.example/{endpoint}"),
    ("user", "{base_url}@evil.example/{endpoint}"),
    ("user later", "{base_url}/x@evil.example/{endpoint}"),
    ("port", "{base_url}:8443/{endpoint}"),
    ("joined", "{base_url}{endpoint}"),
    ("backslash", "{base_url}\\{endpoint}"),
    ("encoded slash", "{base_url}%2f{endpoint}"),
    ("double slash", "{base_url}//evil.example/{endpoint}"),
    ("double slash later", "{base_url}/a//{endpoint}"),
    ("double slash at the end", "{base_url}/{endpoint}//"),
    ("dots", "{base_url}/../{endpoint}"),
    ("dots later", "{base_url}/a/../../{endpoint}"),
    ("one dot", "{base_url}/./{endpoint}"),
    ("encoded dots", "{base_url}/%2e%2e/{endpoint}"),
    ("dots encoded twice", "{base_url}/%252e%252e/{endpoint}"),
    ("look-alike dots", "{base_url}/\u2025/{endpoint}"),
    ("encoded look-alike dots", "{base_url}/%e2%80%a5/{endpoint}"),
    ("look-alike slash", "{base_url}/a\u2215{endpoint}"),
    ("full-width slash", "{base_url}\uff0f{endpoint}"),
    ("semicolon", "{base_url}/..;/{endpoint}"),
    ("half an encoding", "{base_url}/%2{endpoint}"),
    ("percent before a field", "{base_url}/%{endpoint}"),
    ("fragment", "{base_url}/{endpoint}#x"),
    ("fragment in the query", "{base_url}/{endpoint}?a=b#x"),
    ("line break", "{base_url}/{endpoint}\r\nHost: evil.example"),
    ("line break in the query", "{base_url}/{endpoint}?a=b\r\nHost: evil.example"),
    ("NUL", "{base_url}/{endpoint}\0"),
    ("space", "{base_url}/a b/{endpoint}"),
    ("letters beyond ASCII", "{base_url}/é/{endpoint}"),
    ("unknown placeholder", "{base_url}/{client_secret}/{endpoint}"),
    ("attribute", "{base_url}/{endpoint.__class__}"),
    ("index", "{base_url}/{endpoint[0]}"),
    ("format", "{base_url}/{endpoint!r:>10}"),
    ("empty placeholder", "{base_url}/{}"),
    ("built-in's own", "{base_url}/{operation}"),
    ("open brace", "{base_url}/{endpoint"),
    ("closing brace", "{base_url}/endpoint}"),
    ("doubled braces", "{base_url}/{{endpoint}}"),
    ("open brace in the query", "{base_url}/x?a={endpoint"),
    ("query without a value", "{base_url}/{endpoint}?a"),
    ("query without a name", "{base_url}/{endpoint}?=a"),
    ("empty query", "{base_url}/{endpoint}?"),
    ("field as a name", "{base_url}/x?{endpoint}=1"),
    ("second question mark", "{base_url}/x?a=b?c=d"),
    ("space in the query", "{base_url}/x?a=b c"),
    ("plus in the query", "{base_url}/x?a=b+c"),
    ("encoded name", "{base_url}/x?%63ompany=b"),
    ("key", "{base_url}/{endpoint}?code=abc"),
    ("credential", "{base_url}/{endpoint}?api_key=abc"),
    ("token", "{base_url}/{endpoint}?a=b&access_token=abc"),
]


@pytest.mark.parametrize("template", GOOD)
def test_good_template_is_accepted(template):
    """The layouts of Business Central and of other services pass."""
    assert template_problem(template) is None


@pytest.mark.parametrize("template", [row[1] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_template_is_refused(template):
    """No template leaves the base URL, knows other fields, or carries a secret."""
    assert template_problem(template)


def test_unknown_placeholder_is_told_with_the_known_ones():
    """The message lists what may stand in braces."""
    message = template_problem("{base_url}/{enviroment}/{endpoint}")
    assert message.startswith("knows no placeholder {enviroment}; it knows {api_route}, ")
    assert all(f"{{{name}}}" in message for name in PLACEHOLDERS)


def test_message_says_where_a_template_begins():
    """The most likely mistake is an address written out."""
    message = template_problem("https://api.example.com/{endpoint}")
    assert message == "must begin with {base_url} and name it once"


@pytest.mark.parametrize("kind", BUILT_IN)
def test_built_in_templates_obey_the_rules(kind):
    """What the gateway brings along is held to the same rules, its own placeholders aside."""
    template = BUILT_IN[kind]
    for own in ("{operation}", "{company_key}", "{company_id_or_name}"):
        template = template.replace(own, "{endpoint}")
    assert template_problem(template) is None
