"""The program under test."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BINARY = Path(os.environ.get("HOLDFAST_BINARY", ROOT / "build/release/holdfast")).absolute()
