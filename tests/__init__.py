"""Tests, and the builders that they share."""
