import sys
from pathlib import Path
from textwrap import dedent

import pytest

from dev.host.indexing import IndexingError, index, load
from dev.host.keys import Level

ROOT = Path(__file__).parents[4]
HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"


@pytest.fixture
def app_folder(tmp_path, monkeypatch):
    """Return a function that writes and loads an app; what that changes here is undone."""
    monkeypatch.setattr(sys, "path", [each for each in sys.path if Path(each) != ROOT])
    sys.path.insert(0, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "function_app", raising=False)

    def write_and_load(text, **files):
        for name, content in {"function_app": HEAD + dedent(text), **files}.items():
            (tmp_path / f"{name}.py").write_text(content)
        return load(tmp_path)

    yield write_and_load
    for name in ("function_app", "neighbour"):
        sys.modules.pop(name, None)


def test_function_is_described_as_the_worker_does(app_folder):
    """Name, route, methods and level come from the decorators and the app's default."""
    functions = app_folder("""
        bp = func.Blueprint()

        @bp.route("items/{id}", methods=["get", func.HttpMethod.POST])
        def items(req: func.HttpRequest) -> func.HttpResponse: ...

        @app.function_name("other-name")
        @app.route(auth_level=func.AuthLevel.ANONYMOUS)
        async def hello(req, context: func.Context): ...

        @app.timer_trigger(arg_name="timer", schedule="%S%")
        def sweep(timer: func.TimerRequest) -> None: ...

        app.register_functions(bp)
    """)

    by_name = {function.name: function for function in functions}
    items, hello, sweep = by_name["items"], by_name["other-name"], by_name["sweep"]
    assert (items.route, items.methods, items.level) == (
        "items/{id}",
        {"GET", "POST"},
        Level.FUNCTION,
    )
    assert (hello.route, hello.methods, hello.level) == ("other-name", set(), Level.ANONYMOUS)
    assert (items.wants_context, hello.wants_context) == (False, True)
    assert sweep.is_timer
    assert sweep.trigger["schedule"] == "%S%"


def test_app_directory_is_current_and_last_on_the_path(app_folder, tmp_path):
    """A module of the app loses against one of the standard library."""
    app_folder("import colorsys\nimport neighbour\n", colorsys="raise RuntimeError", neighbour="")

    assert Path(sys.path[-1]) == tmp_path
    assert str(tmp_path) not in sys.path[:-1]
    assert Path.cwd() == tmp_path
    assert Path(sys.modules["neighbour"].__file__).parent == tmp_path


def test_folder_without_script_has_no_functions(tmp_path):
    """The worker would fall back to another programming model and find nothing."""
    with pytest.raises(IndexingError, match="0 functions found"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("del app", "holds 0", id="no-app"),
        pytest.param("other = func.FunctionApp()", "holds 2", id="two-apps"),
        pytest.param(
            """
            @app.route("a")
            @app.function_name("f")
            def a(req): ...
            @app.route("b")
            @app.function_name("f")
            def b(req): ...
            """,
            "unique",
            id="same-name-twice",
        ),
        pytest.param("@app.route()\ndef f(req, id): ...", "no bindings", id="unbound-parameter"),
        pytest.param("@app.route()\ndef f(): ...", "no parameters", id="binding-without-parameter"),
        pytest.param("@app.route()\ndef f(req: str): ...", "httpTrigger", id="wrong-annotation"),
        pytest.param(
            "@app.route()\ndef f(req: func.TimerRequest): ...", "httpTrigger", id="other-trigger"
        ),
        pytest.param("@app.route()\ndef f(req, context: dict): ...", "context", id="context"),
        pytest.param("@app.route()\ndef f(req) -> dict: ...", "return", id="return"),
        pytest.param(
            """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                from azure.functions import HttpRequest
            @app.route()
            def f(req: "HttpRequest"): ...
            """,
            "run time",
            id="annotation-for-type-checkers-only",
        ),
    ],
)
def test_app_that_the_worker_cannot_load_is_an_error(app_folder, text, problem):
    """One such function takes all others with it, as on the platform."""
    with pytest.raises(IndexingError, match=problem):
        app_folder(text)


def test_exception_at_import_is_not_hidden(app_folder):
    """The traceback of the app's own code is what helps."""
    with pytest.raises(ZeroDivisionError):
        app_folder("1 / 0")


def test_functions_are_taken_from_the_app_once(app_folder):
    """The SDK gives them once per app object; a second indexing is an error of the caller."""
    app_folder("@app.route()\ndef f(req: func.HttpRequest) -> func.HttpResponse: ...")

    with pytest.raises(IndexingError, match="unique"):
        index(sys.modules["function_app"])
