"""The triggers: each parses a request, calls one service and renders what it gave."""
