import pytest

from dev.host.configuration import Configuration, ConfigurationError, read_configuration


def test_http_section_is_read(tmp_path):
    """The prefix and the headers are taken, other sections do not matter."""
    (tmp_path / "host.json").write_text(
        '\ufeff{"version": "2.0", "logging": {}, "extensions": {"http":'
        ' {"routePrefix": "/v1/", "customHeaders": {"X-A": "1"}}}}',
        encoding="utf-8",
    )

    configuration = read_configuration(tmp_path)

    assert configuration == Configuration(route_prefix="v1", custom_headers={"X-A": "1"})


def test_prefix_is_api_when_nothing_is_said(tmp_path):
    """The host's own default holds."""
    (tmp_path / "host.json").write_text('{"version": "2.0"}')

    assert read_configuration(tmp_path) == Configuration(route_prefix="api", custom_headers={})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param("{", "no JSON", id="syntax"),
        pytest.param("[]", "not an object", id="list"),
        pytest.param("{}", "'version'", id="no-version"),
        pytest.param('{"version": 2.0}', "'version'", id="version-as-number"),
        pytest.param('{"version": "2.0", "extensions": 1}', "extensions", id="extensions"),
        pytest.param(
            '{"version": "2.0", "extensions": {"http": {"routePrefix": 1}}}',
            "routePrefix",
            id="prefix",
        ),
        pytest.param(
            '{"version": "2.0", "extensions": {"http": {"customHeaders": {"X-A": 1}}}}',
            "customHeaders",
            id="header-value",
        ),
    ],
)
def test_bad_host_json_stops_the_host(tmp_path, text, problem):
    """The error names what is wrong."""
    if text is not None:
        (tmp_path / "host.json").write_text(text)

    with pytest.raises(ConfigurationError, match=problem):
        read_configuration(tmp_path)
