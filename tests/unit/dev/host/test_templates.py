import pytest

from dev.host.templates import Template, TemplateError

GUID = "9e1b6ea7-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("template", "path", "values"),
    [
        pytest.param("api/items", "/api/items", {}, id="literal"),
        pytest.param("api/items", "/API/Items/", {}, id="any-case-and-trailing-slash"),
        pytest.param("api/items", "/api/items//", None, id="only-one-trailing-slash"),
        pytest.param("api/items", "/api/items/1", None, id="longer-path"),
        pytest.param("api/a.b", "/api/aXb", None, id="literal-dot"),
        pytest.param("api/{{x}}", "/api/{x}", {}, id="doubled-braces"),
        pytest.param("", "/", {}, id="empty-template"),
        pytest.param("~/x", "/x", {}, id="from-the-root"),
        pytest.param("api/{id}", "/api/7", {"id": "7"}, id="parameter"),
        pytest.param("api/{id}", "/api/", None, id="absent-parameter"),
        pytest.param("api/{id}", "/api/a%2Fb", {"id": "a%2Fb"}, id="kept-slash"),
        pytest.param("api/{id}/x", "/api//x", None, id="empty-segment"),
        pytest.param("api/{id?}", "/api", {}, id="absent-optional"),
        pytest.param("api/{id?}", "/api/7/", {"id": "7"}, id="optional"),
        pytest.param("api/{id?}/x", "/api/x", None, id="optional-before-literal-is-required"),
        pytest.param("api/{id=5}", "/api", {"id": "5"}, id="default"),
        pytest.param("api/{id=5}", "/api/6", {"id": "6"}, id="default-not-used"),
        pytest.param("api/{a=1}/{b=2}", "/api/9", {"a": "9", "b": "2"}, id="two-defaults"),
        pytest.param("api/{*rest}", "/api", {}, id="empty-catch-all"),
        pytest.param("api/{*rest}", "/api/", {}, id="empty-catch-all-after-slash"),
        pytest.param("api/{*rest}", "/api/a/b/", {"rest": "a/b/"}, id="catch-all-keeps-its-slash"),
        pytest.param("api/{**rest}", "/api/a//b", {"rest": "a//b"}, id="slashes-in-catch-all"),
        pytest.param("api/{*rest}", "/api//a", None, id="catch-all-starts-with-a-segment"),
        pytest.param("api/{*rest=x}", "/api", {"rest": "x"}, id="default-of-catch-all"),
        pytest.param("{a?}/{*rest}", "/x/y/z", {"a": "x", "rest": "y/z"}, id="optional-catch-all"),
        pytest.param("f-{n}.json", "/f-1.2.json", {"n": "1.2"}, id="mixed"),
        pytest.param("f-{n}.json", "/f-.json", None, id="mixed-needs-a-character"),
        pytest.param("{a}-{b}", "/x-y-z", {"a": "x-y", "b": "z"}, id="mixed-from-the-right"),
        pytest.param("{n}.{x?}", "/a.b.c", {"n": "a.b", "x": "c"}, id="mixed-with-optional"),
        pytest.param("{n}.{x?}", "/a", {"n": "a"}, id="mixed-without-optional"),
        pytest.param("{n}.{x?}", "/a.", None, id="mixed-with-bare-separator"),
        pytest.param("{id:int}", "/-7", {"id": "-7"}, id="int"),
        pytest.param("{id:int}", "/2147483648", None, id="too-large-for-int"),
        pytest.param("{id:long}", "/2147483648", {"id": "2147483648"}, id="long"),
        pytest.param("{id:int:min(1)}", "/0", None, id="chained"),
        pytest.param("{id:max(9)}", "/10", None, id="max"),
        pytest.param("{id:range(1,3)}", "/3", {"id": "3"}, id="range"),
        pytest.param("{id:int?}", "/", {}, id="constraint-of-absent-optional"),
        pytest.param("{id:int=3}", "/", {"id": "3"}, id="constraint-and-default"),
        pytest.param("{x:bool}", "/True", {"x": "True"}, id="bool"),
        pytest.param("{x:guid}", f"/{GUID}", {"x": GUID}, id="guid"),
        pytest.param("{x:guid}", "/{" + GUID, None, id="half-braced-guid"),
        pytest.param("{x:alpha}", "/ab1", None, id="alpha"),
        pytest.param("{x:decimal}", "/1.5", {"x": "1.5"}, id="decimal"),
        pytest.param("{x:double}", "/1.5e3", {"x": "1.5e3"}, id="double"),
        pytest.param("{x:float}", "/x", None, id="float"),
        pytest.param("{x:datetime}", "/2026-11-22", {"x": "2026-11-22"}, id="datetime"),
        pytest.param("{x:length(2)}", "/abc", None, id="length"),
        pytest.param("{x:length(2,3)}", "/abc", {"x": "abc"}, id="length-range"),
        pytest.param("{x:minlength(2)}", "/a", None, id="minlength"),
        pytest.param("{x:maxlength(2)}", "/abc", None, id="maxlength"),
        pytest.param("{x:required}", "/a", {"x": "a"}, id="required"),
        pytest.param("{*x:file}", "/a/b.txt", {"x": "a/b.txt"}, id="file"),
        pytest.param("{*x:nonfile}", "/a/b.txt", None, id="nonfile"),
        pytest.param(r"{x:regex(^\d{{2}}$)}", "/42", {"x": "42"}, id="regex"),
        pytest.param(r"{x:regex(^(a|b)c:d=e$)}", "/Ac:d=e", {"x": "Ac:d=e"}, id="regex-with-signs"),
    ],
)
def test_template_matches_as_asp_net_core_does(template, path, values):
    """A template gives the route values of the paths that it matches, and of no others."""
    assert Template(template).match(path) == values


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("api//x", id="two-slashes"),
        pytest.param("~x", id="tilde"),
        pytest.param("api/{id", id="open-brace"),
        pytest.param("api/id}", id="close-brace"),
        pytest.param("api/{}", id="no-name"),
        pytest.param("api/x?", id="question-mark-in-literal"),
        pytest.param("{a}/{A}", id="same-name-twice"),
        pytest.param("{a}{b}", id="neighbours"),
        pytest.param("{*a}/b", id="catch-all-before-the-end"),
        pytest.param("x{*a}", id="catch-all-in-mixed-segment"),
        pytest.param("{*a?}", id="optional-catch-all"),
        pytest.param("{a=1?}", id="optional-with-default"),
        pytest.param("{a?}x", id="optional-before-literal"),
        pytest.param("{a}-{b?}", id="optional-after-another-sign"),
        pytest.param("{a:nope}", id="unknown-constraint"),
        pytest.param("{a:min(x)}", id="bad-argument"),
        pytest.param("{a:length(1,2,3)}", id="too-many-arguments"),
        pytest.param("{a:regex(()}", id="bad-regex"),
        pytest.param("{a:}", id="empty-constraint"),
    ],
)
def test_bad_template_is_refused(template):
    """What ASP.NET Core cannot parse is a TemplateError, with which the host does not start."""
    with pytest.raises(TemplateError, match="is not valid"):
        Template(template)
