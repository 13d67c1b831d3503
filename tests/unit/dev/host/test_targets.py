import pytest

from dev.host.targets import decode_path, encode_path, query_pairs, query_parameters


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        pytest.param("/a%20b/%C3%A5", "/a b/å", id="escapes"),
        pytest.param("/a%2Fb%2fc", "/a%2Fb%2fc", id="slash-stays"),
        pytest.param("/a%252Fb", "/a%2Fb", id="decoded-once"),
        pytest.param("/a+b", "/a+b", id="plus-is-plus"),
        pytest.param("/%E5/%C3", "/%E5/%C3", id="no-utf-8"),
        pytest.param("/%zz%4", "/%zz%4", id="no-escape"),
        pytest.param("/a/./b/../c", "/a/c", id="dot-segments"),
        pytest.param("/a/%2e%2e/b", "/b", id="escaped-dot-segments"),
        pytest.param("/../../a", "/a", id="beyond-the-root"),
        pytest.param("/a/b/..", "/a/", id="last-dot-segment"),
        pytest.param("/a//b", "/a//b", id="empty-segment"),
        pytest.param("/.hidden/..x", "/.hidden/..x", id="names-with-dots"),
    ],
)
def test_path_is_decoded_as_kestrel_does(raw, path):
    """A path is decoded once, but for slashes, and loses its dot segments."""
    assert decode_path(raw) == path


def test_nul_in_path_is_refused():
    """Kestrel answers 400 to an escaped NUL."""
    with pytest.raises(ValueError, match="NUL"):
        decode_path("/a%00")


@pytest.mark.parametrize(
    ("path", "encoded"),
    [
        pytest.param("/a b/å", "/a%20b/%C3%A5", id="encoded-again"),
        pytest.param("/a%2Fb", "/a%2Fb", id="escape-kept"),
        pytest.param("/100%", "/100%25", id="lone-percent"),
        pytest.param("/a(1)='x'@y:z;,!$&*+~", "/a(1)='x'@y:z;,!$&*+~", id="allowed-signs"),
    ],
)
def test_path_is_encoded_as_the_host_does(path, encoded):
    """What is no valid character of a path is escaped, escapes stay."""
    assert encode_path(path) == encoded


@pytest.mark.parametrize(
    ("query", "parameters"),
    [
        pytest.param("a=1&b=x+y%26z", {"a": "1", "b": "x y&z"}, id="decoded"),
        pytest.param("a=1&A=2&a=3", {"a": "1,2,3"}, id="repeats-in-any-case"),
        pytest.param("a=&b&c=1", {"c": "1"}, id="empty-values-vanish"),
        pytest.param("A=&a=1", {"A": "1"}, id="empty-values-join-nothing"),
        pytest.param("a=b=c", {"a": "b=c"}, id="second-equals-sign"),
        pytest.param("a=%E5%zz", {"a": "%E5%zz"}, id="no-escapes"),
        pytest.param("&&", {}, id="nothing"),
    ],
)
def test_query_parameters_are_those_of_the_worker(query, parameters):
    """Repeats are joined with a comma, and what is empty is not there."""
    assert query_parameters(query) == parameters


def test_query_pairs_keep_order_and_repeats():
    """The host itself sees every value."""
    assert query_pairs("a=1&b&a=") == [("a", "1"), ("b", ""), ("a", "")]
