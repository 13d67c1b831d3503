"""Rounds `provider-outages` and `platform-outages` of `python -m dev soak`, shortened."""

import pytest

from dev.soak import platform_outages, provider_outages
from dev.soak.report import Report
from dev.soak.stage import stage

LIFE_SECONDS = 5


@pytest.fixture(scope="module")
def set_up(tmp_path_factory):
    """Return a stack whose parts fail on command."""
    token_call = str(provider_outages.TOKEN_CALL_SECONDS)
    with stage(tmp_path_factory.mktemp("soak"), TOKEN_CALL_SECONDS=token_call) as running:
        yield running


def test_provider_fails_for_longer_than_the_token_lives(set_up):
    """No failure before expiry, 503 with Retry-After after it, and recovery without help."""
    report = Report()

    provider_outages.play(report, set_up, "answers 429 with seconds", life=LIFE_SECONDS)

    assert report.failed == []


@pytest.mark.parametrize("outage", ["Key Vault throttles", "Table Storage is down"])
def test_platform_fails_while_tokens_are_valid(set_up, outage):
    """No failure, also where the token falls due for refresh meanwhile."""
    report = Report()

    platform_outages.play(report, set_up, outage, life=LIFE_SECONDS)

    assert report.failed == []
