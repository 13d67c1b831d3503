"""The long fault rounds: two real host processes, and a platform that fails on command."""

from __future__ import annotations

NAMES = (
    "rotation",
    "provider-outages",
    "platform-outages",
    "kills",
    "slow-calls",
    "refusals",
    "resends",
    "duplicates",
)
ROTATION_SECONDS = 60
