"""What `make install` puts where."""

import os
import subprocess

from support.daemon import BINARY


def install(destination, prefix="/usr"):
    """What `make install` does after building, below `destination`."""
    result = subprocess.run(
        ["cmake", "--install", BINARY.parent, "--prefix", prefix],
        env={**os.environ, "DESTDIR": str(destination)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
