"""The pictures of docs/panel.md, taken anew by `.venv/bin/python -m dev.pictures`."""
