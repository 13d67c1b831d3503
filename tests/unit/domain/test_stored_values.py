"""Headers and query parameters that a definition stores."""

import pytest

from shared.domain.stored_values import carries_credentials, header_problems, query_problems

CREDENTIALS = [
    "Authorization", "AUTHORIZATION", "Proxy-Authorization", "X-Authorization", "Cookie",
    "Set-Cookie", "Token", "X-Token", "X-CSRF-Token", "access_token", "id_token", "AccessToken",
    "client_secret", "X-Secret", "secret", "password", "Passwd", "X-Api-Key", "api_key", "apikey",
    "API-Key", "x-apikey", "x-functions-key", "Ocp-Apim-Subscription-Key", "subscription-key",
    "master_key", "key", "Key", "code", "CODE", "sig", "X-Signature", "X-Amz-Signature",
    "X-Amz-Credential", "X-Amz-Security-Token",
]  # fmt: skip

HARMLESS = [
    "$filter", "$schemaversion", "$top", "sap-client", "keyword", "keys", "monkey", "author",
    "codes", "zipcode", "signal", "design", "apiversion", "api-version", "Prefer",
    "Accept-Language",
]  # fmt: skip


@pytest.mark.parametrize("name", CREDENTIALS)
def test_name_of_a_credential_is_refused(name):
    """A secret belongs into Key Vault, not into a definition that everybody may read."""
    message = "may not be stored: the name stands for a credential"
    assert carries_credentials(name)
    for check, field in ((header_problems, "headers"), (query_problems, "query")):
        assert [(p.pointer, p.message) for p in check({name: "x"})] == [
            (f"/{field}/{name}", message)
        ]


@pytest.mark.parametrize("name", ["$key", "\uff4bey", "\uff43ode", "\uff04sig"], ids=ascii)
def test_other_spelling_of_a_credential_is_refused(name):
    """A parameter's name is judged as a lenient server would read it."""
    assert [p.pointer for p in query_problems({name: "x"})] == [f"/query/{name}"]


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_name_is_accepted(name):
    """Names that only resemble those of credentials pass."""
    assert not carries_credentials(name)
    assert query_problems({name: "x"}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Prefer", "odata.maxpagesize=100, return=minimal"),
        ("X-Custom", ""),
        ("Accept-Language", "de-DE;q=0.9"),
        ("If-Match", 'W/"JzQ0Ozs="'),
        ("x!#$%&'*+.^_`|~9", "!~"),
    ],
)
def test_plain_header_is_accepted(name, value):
    """What RFC 9110 allows, and stands for nothing special."""
    assert header_problems({name: value}) == []


BAD_NAMES = [
    "",
    " ",
    "a b",
    "a:b",
    "a\r\nb",
    "a\0",
    "a\n",
    "é",
    "\uff41",
    "a(b)",
    "a/b",
    "{a}",
    "a,b",
    '"a"',
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=ascii)
def test_malformed_header_name_is_refused(name):
    """A name is a token, so that it cannot begin another header."""
    assert [p.message for p in header_problems({name: "x"})] == ["is not a valid header name"]


BAD_VALUES = [
    "a\r\nX: b",
    "a\nb",
    "a\rb",
    "a\0b",
    "a\tb",
    "a\x7fb",
    "é",
    "\uff41",
    "a\u2028b",
    " a",
    "a ",
]


@pytest.mark.parametrize("value", BAD_VALUES, ids=ascii)
def test_hostile_header_value_is_refused(value):
    """A value is one line of printable ASCII, so that it cannot begin another header."""
    assert [p.pointer for p in header_problems({"X-Custom": value})] == ["/headers/X-Custom"]


OWN_HEADERS = [
    "Host", "HOST", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "TE",
    "Trailer", "Upgrade", "Expect", "Accept-Encoding", "client-request-id",
]  # fmt: skip


@pytest.mark.parametrize("name", OWN_HEADERS)
def test_header_of_the_connection_is_refused(name):
    """The gateway alone says where a request goes and where it ends."""
    assert [p.message for p in header_problems({name: "x"})] == ["is set by the gateway itself"]


OVERRIDES = [
    "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Original-URL",
    "X-Rewrite-Url", "X-Forwarded-Host", "X-Forwarded-For", "X-Forwarded-Proto", "Forwarded",
]  # fmt: skip


@pytest.mark.parametrize("name", OVERRIDES)
def test_header_that_replaces_the_call_is_refused(name):
    """Method, host and path are those of the definition."""
    message = "may not be stored: it can turn the call into another one"
    assert [p.message for p in header_problems({name: "x"})] == [message]


@pytest.mark.parametrize(
    "name", ["", "a=b", "a&b", "a b", "a+b", "%61", "a#b", "?a", "a\n", "a\0", "a\u200b"], ids=ascii
)
def test_malformed_parameter_name_is_refused(name):
    """A name is one name, and spelled plainly."""
    assert [p.message for p in query_problems({name: "x"})] == ["is not a valid parameter name"]


@pytest.mark.parametrize(
    "name",
    ["company", "Company", "COMPANY", "$company", "$$Company", "\uff43ompany", "\uff04company"],
)
def test_company_is_not_set_by_a_parameter(name):
    """The company has fields of its own; a parameter would go past allowed_companies."""
    message = "is set from the company; use the field company"
    assert [p.message for p in query_problems({name: "x"})] == [message]


@pytest.mark.parametrize("value", ["a\r\nb", "a\0", "\u2028"], ids=ascii)
def test_parameter_value_holds_no_control_characters(value):
    """It would be encoded, but nobody means it."""
    assert [p.pointer for p in query_problems({"$filter": value})] == ["/query/$filter"]


def test_value_of_a_parameter_is_free():
    """It is encoded when it is used."""
    assert query_problems({"$filter": "name eq 'A&B?#é+%'", "tenant": "t1", "empty": ""}) == []


def test_each_bad_entry_is_named():
    """All problems are told at once, with escaped pointers."""
    assert [
        p.pointer for p in header_problems({"a/b": "x", "Host": "y", "ok": "z", "~": "\n"})
    ] == [
        "/headers/a~1b",
        "/headers/Host",
        "/headers/~0",
    ]
