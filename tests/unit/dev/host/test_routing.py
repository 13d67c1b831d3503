import pytest

from dev.host.indexing import Function
from dev.host.routing import RouteTable


def make_function(name, route, *methods):
    """Give an HTTP function as the worker describes it."""
    trigger = {"type": "httpTrigger", "name": "req", "route": route}
    return Function(
        name=name, handler=print, bindings=(trigger | ({"methods": methods} if methods else {}),)
    )


def find(functions, method, path, prefix="api"):
    """Give the name and the route values of the function for a request."""
    match = RouteTable(functions, prefix=prefix).find(method, path)
    return match and (match.function.name, match.values)


def test_first_name_in_the_alphabet_wins_over_a_literal():
    """Routes are tried in the order of function names, whatever their case and their segments."""
    functions = [make_function("z_recent", "items/recent"), make_function("A_get", "items/{id}")]

    assert find(functions, "GET", "/api/items/recent") == ("A_get", {"id": "recent"})


def test_underscore_sorts_after_letters():
    """Names are compared by their upper-case characters, where the underscore comes after Z."""
    functions = [make_function("get_one", "{x}"), make_function("getall", "{y}")]

    assert find(functions, "GET", "/api/7") == ("getall", {"y": "7"})


@pytest.mark.parametrize(
    ("method", "found"),
    [("GET", "reader"), ("get", "reader"), ("PATCH", "writer"), ("HEAD", None), ("OPTIONS", None)],
)
def test_method_is_a_constraint_of_the_route(method, found):
    """A request goes on to the next route, or to none, when a route does not list its method."""
    functions = [make_function("reader", "x", "GET"), make_function("writer", "x", "PATCH")]

    match = find(functions, method, "/api/x")

    assert (match and match[0]) == found


def test_route_without_methods_takes_all():
    """A function that lists no method is there for every one."""
    assert find([make_function("any", "x")], "BREW", "/api/x") == ("any", {})


def test_without_prefix_the_route_is_the_whole_path():
    """An empty route prefix leaves no slash behind."""
    assert find([make_function("f", "x")], "GET", "/x", prefix="") == ("f", {})


def test_missing_route_is_the_name_of_the_function():
    """A trigger without a route is reached by the function's name."""
    assert find([make_function("hello", None)], "GET", "/api/hello") == ("hello", {})
