"""Finding definitions by code, without a storage call where it can be spared."""

from __future__ import annotations

import pytest

from tests.scenes import BC, CODE, LISTING, UNCONDITIONAL, failure


def test_codes_are_found_in_any_case(signed_in):
    """Nobody has to know how a code was written when it was stored."""
    reply = signed_in.invoke(LISTING.lower(), integration=CODE.title())

    assert reply.status == 200


@pytest.mark.parametrize("code", ["", "1A", "A-B", "A" * 51, "Ä", "A/B", "A\n", "\u017f"])
def test_malformed_code_is_not_found_without_asking_the_storage(scene, code):
    """What cannot be a code is never looked up; the storage's key rules cannot be tried out."""
    error = failure(lambda: scene.invoke(integration=code))

    assert error.kind.code == "integration_not_found"
    assert scene.stored_calls() == 0


def test_unknown_endpoint_names_its_integration(signed_in):
    """The error says where the endpoint was looked for."""
    error = failure(lambda: signed_in.invoke("NOPE"))

    assert error.kind.code == "endpoint_not_found"
    assert error.detail == "The integration CRONUS has no endpoint NOPE."


def test_malformed_endpoint_code_is_not_found(signed_in):
    """The same rule holds for endpoints."""
    error = failure(lambda: signed_in.invoke("NO/PE"))

    assert error.kind.code == "endpoint_not_found"


def test_unprintable_code_is_not_repeated(scene):
    """An error's text holds no control characters of a caller, and no more than it needs."""
    unprintable = failure(lambda: scene.invoke(integration="A\x1b[31m"))
    long = failure(lambda: scene.invoke(integration="x" * 5000))

    assert unprintable.detail == "There is no integration of that name."
    assert len(long.detail) < 100


def test_warm_call_reads_nothing(signed_in):
    """A call whose definitions and token are at hand makes no storage and no vault call."""
    signed_in.invoke()
    calls = signed_in.stored_calls()

    signed_in.invoke()

    assert signed_in.stored_calls() == calls


def test_new_endpoint_counts_at_once(signed_in):
    """A code that was missing a moment ago is found on every instance as soon as it is stored."""
    other = signed_in.another_instance()
    failure(lambda: signed_in.invoke("NEW", services=other))

    signed_in.offer(code="NEW")

    assert signed_in.invoke("NEW", services=other).status == 200


def disable(administration):
    """Switch the endpoint off."""
    administration.patch(CODE, LISTING, {"is_enabled": False}, UNCONDITIONAL)


def delete(administration):
    """Delete the endpoint."""
    administration.delete(CODE, LISTING, UNCONDITIONAL)


@pytest.mark.parametrize(
    ("change", "expected"), [(disable, "endpoint_disabled"), (delete, "endpoint_not_found")]
)
def test_change_of_an_endpoint_counts_on_every_instance(signed_in, change, expected):
    """At once where it was made, and after DEFINITION_CACHE_SECONDS everywhere else."""
    other = signed_in.another_instance()
    signed_in.invoke()
    signed_in.invoke(services=other)

    change(signed_in.services.endpoints)
    here = failure(signed_in.invoke)
    served_elsewhere = signed_in.invoke(services=other)
    signed_in.clock.advance(seconds=30)
    elsewhere = failure(lambda: signed_in.invoke(services=other))

    assert served_elsewhere.status == 200
    assert (here.kind.code, elsewhere.kind.code) == (expected, expected)


def test_change_of_an_integration_counts_on_every_instance(signed_in):
    """The same holds for integrations."""
    other = signed_in.another_instance()
    signed_in.invoke()
    signed_in.invoke(services=other)
    signed_in.services.integrations.patch(CODE, {"environment": "Sandbox"}, UNCONDITIONAL)

    signed_in.invoke()
    signed_in.clock.advance(seconds=30)
    signed_in.invoke(services=other)

    assert ["/Sandbox/" in request.url for request in signed_in.http.sent_to(BC)] == [
        False, False, True, True,
    ]  # fmt: skip


def test_deleted_integration_is_gone_on_every_instance(signed_in):
    """Its endpoints go with it."""
    other = signed_in.another_instance()
    signed_in.invoke()
    signed_in.invoke(services=other)

    signed_in.services.integrations.delete(CODE, UNCONDITIONAL)
    here = failure(signed_in.invoke)
    signed_in.clock.advance(seconds=30)
    elsewhere = failure(lambda: signed_in.invoke(services=other))

    assert here.kind.code == elsewhere.kind.code == "integration_not_found"


def test_storage_outage_serves_what_is_known(signed_in):
    """Calls that were made before go on through the longest outage of the storage."""
    signed_in.invoke()
    for port in (signed_in.integrations, signed_in.endpoints, signed_in.states):
        port.fail()

    for seconds in (20, 20, 600):
        signed_in.clock.advance(seconds=seconds)
        assert signed_in.invoke().status == 200


def test_storage_outage_with_nothing_known_is_told(signed_in):
    """An instance that just started cannot guess."""
    signed_in.integrations.fail()

    error = failure(lambda: signed_in.invoke(services=signed_in.another_instance()))

    assert (error.kind.code, error.kind.status) == ("storage_unavailable", 503)
    assert error.retry_after_seconds
