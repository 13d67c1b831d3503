import pytest

from dev.host.indexing import Function
from dev.host.metadata import is_disabled, sound_functions


def make_http(name="fine", route="x", *, binding="req", **trigger):
    """Give an HTTP function as the worker describes it."""
    bindings = (
        {"type": "httpTrigger", "name": binding, "route": route} | trigger,
        {"type": "http", "name": "$return"},
    )
    return Function(name=name, handler=print, bindings=bindings)


def make_timer(schedule, name="tick"):
    """Give a timer function as the worker describes it."""
    trigger = {"type": "timerTrigger", "name": "timer", "schedule": schedule}
    return Function(name=name, handler=print, bindings=(trigger,))


@pytest.mark.parametrize(
    ("function", "rule"),
    [
        pytest.param(make_http("9lives"), "function name", id="name-starts-with-digit"),
        pytest.param(make_http("Host"), "function name", id="name-host"),
        pytest.param(make_http("a" * 129), "function name", id="name-too-long"),
        pytest.param(make_http(binding="my_req"), "'my_req'", id="underscore-in-binding"),
        pytest.param(make_http(binding="$RETURN"), "binding name", id="return-in-upper-case"),
        pytest.param(make_http(route="admin/x"), "reserved", id="admin"),
        pytest.param(make_http(route="/Administrators"), "reserved", id="begins-with-admin"),
        pytest.param(make_http(route="runtimes"), "reserved", id="runtime"),
        pytest.param(make_timer("%NOPE%"), "%NOPE%", id="missing-setting"),
        pytest.param(make_timer("every day"), "fields", id="bad-schedule"),
        pytest.param(
            Function(name="q", handler=print, bindings=({"type": "queueTrigger", "name": "msg"},)),
            "extension",
            id="binding-of-an-extension",
        ),
    ],
)
def test_function_that_breaks_a_rule_is_left_out(function, rule, caplog):
    """The log names function and rule, and the others run."""
    fine = make_http("fine2", "y")

    assert sound_functions([function, fine], {}) == [fine]
    assert f"The '{function.name}' function is in error" in caplog.text
    assert rule in caplog.text


@pytest.mark.parametrize(
    ("methods", "other_methods", "conflicts"),
    [
        pytest.param(["GET"], ["GET", "POST"], True, id="shared-method"),
        pytest.param([], ["POST"], True, id="all-methods"),
        pytest.param(["GET"], ["POST"], False, id="other-method"),
    ],
)
def test_later_function_with_the_same_route_is_in_error(methods, other_methods, conflicts):
    """Routes are the same by their text; the first name in the alphabet keeps it."""
    first = make_http("a_first", "Items/{x}", methods=methods)
    second = make_http("b_second", "/items/{X}/", methods=other_methods)

    sound = sound_functions([second, first], {})

    assert sound == ([first] if conflicts else [first, second])


def test_parameters_of_other_names_are_no_conflict():
    """The host compares text, so `{x}` and `{y}` live side by side."""
    functions = [make_http("a", "items/{x}"), make_http("b", "items/{y}")]

    assert sound_functions(functions, {}) == functions


def test_setting_of_a_schedule_is_resolved():
    """A timer whose setting is there runs."""
    timer = make_timer("%WHEN%")

    assert sound_functions([timer], {"WHEN": "0 */5 * * * *"}) == [timer]


@pytest.mark.parametrize(
    ("value", "disabled"),
    [("true", True), ("True", True), ("1", True), ("false", False), ("", False)],
)
def test_function_is_disabled_by_setting(value, disabled):
    """The host takes `true` in any case and `1`."""
    assert is_disabled(make_http("f"), {"AzureWebJobs.f.Disabled": value}) is disabled
