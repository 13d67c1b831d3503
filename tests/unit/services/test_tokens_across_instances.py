"""What one instance knows of an integration that another one deletes, makes anew or refuses."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.errors import IdentityUnavailable
from tests.scenes import CODE, UNCONDITIONAL, failure

OTHER_CLIENT = "99999999-2222-4333-8444-555555555555"


def test_integration_made_anew_does_not_inherit_the_sign_in(signed_in):
    """Another instance still holds the former person's token, and must not use it."""
    other = signed_in.another_instance()
    signed_in.token(other)
    signed_in.services.integrations.delete(CODE, UNCONDITIONAL)
    signed_in.clock.advance(seconds=1)

    signed_in.integrate()

    for services in (signed_in.services, other):
        error = failure(lambda services=services: signed_in.token(services))
        assert error.kind.code == "sign_in_required"


def test_sign_in_that_ends_after_the_deletion_counts_for_nobody(signed_in):
    """Tokens that arrive too late belong to the integration that is gone."""
    started = signed_in.services.authorization.begin(CODE)
    answer = signed_in.consent(started)

    def delete():
        signed_in.provider.afterwards = lambda: None
        signed_in.services.integrations.delete(CODE, UNCONDITIONAL)

    signed_in.provider.afterwards = delete
    signed_in.services.authorization.finish(answer, {started.cookie_name: started.cookie_value})
    signed_in.clock.advance(seconds=1)
    signed_in.integrate()

    assert signed_in.services.integrations.get(CODE).document["status"] == "not_authorized"
    assert failure(signed_in.token).kind.code == "sign_in_required"


def test_app_that_was_deleted_gets_no_token_by_an_instance_that_remembers_it(scene):
    """Its rows and secrets are gone, and nothing of it comes back."""
    scene.integrate(grant_type="client_credentials")
    other = scene.another_instance()
    remembered = scene.record()
    scene.services.integrations.delete(CODE, UNCONDITIONAL)

    error = failure(lambda: other.tokens.for_call(remembered))

    assert (error.kind.code, scene.provider.calls) == ("integration_not_found", 0)
    assert (scene.states.rows, scene.secrets.get("CRONUS-tokens")) == ({}, None)


def test_app_that_was_changed_gets_no_token_for_what_it_was(scene):
    """An instance that has not heard of the change must not void the new tokens."""
    scene.integrate(grant_type="client_credentials")
    other = scene.another_instance()
    remembered = scene.record()
    change = {"client_id": OTHER_CLIENT, "client_secret": "another secret"}
    scene.services.integrations.patch(CODE, change, UNCONDITIONAL)
    token = scene.token()

    error = failure(lambda: other.tokens.for_call(remembered))

    assert isinstance(error, IdentityUnavailable)
    assert (scene.token(), scene.provider.calls) == (token, 1)
    assert scene.state().failures == 0


def test_instances_do_not_force_refreshes_in_turn(signed_in):
    """An upstream that refuses every token costs one provider call in five minutes."""
    other = signed_in.another_instance()
    calls = signed_in.provider.calls
    for _ in range(5):
        for services in (signed_in.services, other):
            refused = signed_in.tokens(services)
            services.tokens.after_refusal(signed_in.record(), refused)
        signed_in.clock.advance(seconds=31)

    assert signed_in.provider.calls == calls + 1


def test_caller_waits_no_longer_than_its_own_time(signed_in):
    """A lease that somebody else holds does not outlast the call's timeout."""
    signed_in.clock.advance(minutes=60)
    row = signed_in.states.rows[CODE]
    signed_in.services.tokens._states.try_lease(CODE, "somebody else")
    started_on = signed_in.clock.now()
    assert signed_in.states.rows[CODE] != row

    error = failure(
        lambda: signed_in.services.tokens.for_call(
            signed_in.record(), until=started_on + timedelta(seconds=5)
        )
    )

    assert isinstance(error, IdentityUnavailable)
    assert signed_in.clock.now() - started_on < timedelta(seconds=6)


def test_corrected_definition_is_tried_again_by_the_timer(signed_in):
    """A wrong secret is misconfigured until the definition changes; then the timer renews."""
    signed_in.clock.advance(minutes=60)
    signed_in.secrets.versions["CRONUS-client-secret"].clear()
    assert failure(signed_in.token).kind.code == "identity_misconfigured"
    assert signed_in.services.due_refresh.run().renewed == 0

    signed_in.clock.advance(seconds=1)
    signed_in.services.integrations.patch(CODE, {"client_secret": "corrected"}, UNCONDITIONAL)

    assert signed_in.services.due_refresh.run().renewed == 1
    assert signed_in.services.integrations.get(CODE).document["status"] == "authorized"
