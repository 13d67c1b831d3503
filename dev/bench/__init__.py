"""The benchmark: what the gateway costs, as ratios of figures that are taken side by side."""

from __future__ import annotations

NAMES = ("cold-start", "invoke", "memory", "panel", "timer")
