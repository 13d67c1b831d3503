"""Reading JSON documents into definitions, and changing them by merge patches."""

from typing import Annotated, Any, Literal

import msgspec
import pytest

from shared.domain.documents import decode, merge_patch, parse_object, pointer, to_document
from shared.domain.errors import FieldProblem, GatewayError

RFC_7396 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("target", "patch", "result"), RFC_7396, ids=str)
def test_merge_patch_is_that_of_the_rfc(target, patch, result):
    """The examples of RFC 7396 appendix A, each as a member: definitions are objects."""
    assert merge_patch({"member": target}, {"member": patch}) == {"member": result}


def test_merge_patch_follows_the_rfc_on_a_whole_document():
    """The example of RFC 7396 section 3."""
    target = {
        "title": "Goodbye!",
        "author": {"givenName": "John", "familyName": "Doe"},
        "tags": ["example", "sample"],
        "content": "This will be unchanged",
    }
    patch = {
        "title": "Hello!",
        "phoneNumber": "+01-123-456-7890",
        "author": {"familyName": None},
        "tags": ["example"],
    }
    assert merge_patch(target, patch) == {
        "title": "Hello!",
        "author": {"givenName": "John"},
        "tags": ["example"],
        "content": "This will be unchanged",
        "phoneNumber": "+01-123-456-7890",
    }
    assert target["author"] == {"givenName": "John", "familyName": "Doe"}


def test_null_for_a_missing_member_changes_nothing():
    """Removing what is not there is no error."""
    assert merge_patch({"a": 1}, {"b": None}) == {"a": 1}
    assert merge_patch({"a": 1}, {}) == {"a": 1}


NO_OBJECTS = [
    ("empty", b""),
    ("blank", b"  \r\n"),
    ("list", b"[]"),
    ("null", b"null"),
    ("text", b'"x"'),
    ("broken", b'{"a": 1'),
    ("two values", b"{} {}"),
    ("trailing comma", b'{"a": 1,}'),
    ("single quotes", b"{'a': 1}"),
    ("comment", b"{} // x"),
    ("NaN", b'{"a": NaN}'),
    ("no UTF-8", b'{"a": "\xff"}'),
    ("UTF-16", '{"a": 1}'.encode("utf-16")),
    ("lone surrogate", b'{"a": "\\ud800"}'),
    ("line break in a text", b'{"a": "\n"}'),
    ("number beyond all bounds", b'{"a": 1e999}'),
    ("nested too deeply", b'{"a":' * 200_000),
    ("nested 101 levels", b'{"a":' * 101 + b"1" + b"}" * 101),
    ("lists nested too deeply", b"[" * 200_000),
]


@pytest.mark.parametrize("body", [row[1] for row in NO_OBJECTS], ids=[row[0] for row in NO_OBJECTS])
def test_what_is_no_json_object_is_refused(body):
    """Whatever the body is, the answer is 400 and says so."""
    with pytest.raises(GatewayError) as caught:
        parse_object(body)
    assert (caught.value.kind.status, caught.value.kind.code) == (400, "invalid_payload")
    assert caught.value.detail.startswith("The body ")


def test_json_object_is_read():
    """Numbers keep their kind, and text its characters."""
    body = '{"a": 1, "b": 1.0, "c": "\\u00fc\u00fc", "d": null}'.encode()
    assert parse_object(body) == {"a": 1, "b": 1.0, "c": "üü", "d": None}


def test_deep_object_is_read():
    """A schema may nest far; only what recursion cannot bear is refused."""
    assert parse_object(b'{"a":' * 99 + b"[1]" + b"}" * 99)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), ""),
        (("a",), "/a"),
        (("a", 0, "b"), "/a/0/b"),
        (("a/b", "c~d"), "/a~1b/c~0d"),
        (("~1",), "/~01"),
        (("",), "/"),
        (("a b", 'k"l', "ü"), '/a b/k"l/ü'),
    ],
    ids=str,
)
def test_pointer_escapes_as_the_rfc_says(steps, expected):
    """RFC 6901: a tilde and a slash are escaped, nothing else."""
    assert pointer(*steps) == expected


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """A definition with every kind of field."""

    code: str
    height: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1
    colors: dict[str, Literal["red", "green"]] = {}
    books: list[Annotated[str, msgspec.Meta(min_length=1, max_length=3)]] | None = None
    notes: dict[str, Any] | None = None


def no_rules(_shelf, _unread):
    """Find nothing wrong."""
    return []


def problems(document, check=no_rules):
    """Return what is wrong, by pointer."""
    shelf, found = decode(Shelf, document, check)
    assert shelf is None
    return {problem.pointer: problem.message for problem in found}


def test_document_becomes_a_definition_and_back():
    """A good document is read as it is; what it leaves out has its default."""
    document = {"code": "A", "colors": {"x": "red"}, "books": ["b"], "notes": {"n": [1]}}
    shelf, found = decode(Shelf, document, no_rules)
    assert found == []
    assert to_document(shelf) == document | {"height": 1}


def test_each_bad_entry_is_named():
    """Inside lists and objects every bad entry has its own pointer."""
    document = {
        "code": 1,
        "colors": {"a": "red", "b": "blue", "c/d": 1},
        "books": ["", "b", "long", 2],
    }
    assert problems(document) == {
        "/books/0": "must not be empty",
        "/books/2": "must have at most 3 characters",
        "/books/3": "must be text, not a whole number",
        "/code": "must be text, not a whole number",
        "/colors/b": "must be one of red, green",
        "/colors/c~1d": "must be one of red, green",
    }


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "must be at least 1"),
        (10, "must be at most 9"),
        (10**30, "must be at most 9"),
        (True, "must be a whole number, not true or false"),
        ("5", "must be a whole number, not text"),
        (5.0, "must be a whole number, not a number with a fraction"),
        ([], "must be a whole number, not a list in brackets"),
        ({}, "must be a whole number, not an object in braces"),
        (None, "must be a whole number, not null"),
    ],
    ids=repr,
)
def test_number_is_told_in_plain_words(value, message):
    """Nothing is converted silently, and no message speaks of types."""
    assert problems({"code": "A", "height": value}) == {"/height": message}


def test_missing_and_unknown_fields_are_named():
    """Both are said, unknown names escaped as pointers."""
    assert problems({"a/b": 1, "Code": "x"}) == {
        "/Code": "is not a field that the gateway knows",
        "/a~1b": "is not a field that the gateway knows",
        "/code": "is required",
    }


def test_rules_are_checked_beside_types():
    """A rule's finding stands beside those of other fields, but not of a field that is unread."""

    def check(shelf, unread):
        assert unread == {"code", "height"}
        assert (shelf.code, shelf.height, shelf.books) == ("", 1, ["b"])
        return [FieldProblem("/code", "rule"), FieldProblem("/books/0", "rule")]

    found = problems({"code": 5, "height": 0, "books": ["b"]}, check)
    assert found == {
        "/books/0": "rule",
        "/code": "must be text, not a whole number",
        "/height": "must be at least 1",
    }
