"""Where the repository, its tools and the stack's state are."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
DEV_FOLDER = ROOT / ".dev"
AZURITE = DEV_FOLDER / "azurite"
