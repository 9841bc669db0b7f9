"""A program file that tests replace under a running balancer."""

import shutil
import tempfile
from pathlib import Path

from support.binary import BINARY

# What a wrapper begins with that passes the look at it before an upgrade.
PASSES = f'#!/bin/sh\n[ "$1" = rehearse ] && exec {BINARY} "$@"\n'


class Program:
    """`path` is a copy of the balancer; its processes keep the file they were started from."""

    def __init__(self, source=BINARY):
        self._directory = tempfile.TemporaryDirectory(prefix="holdfast-program-")
        self.path = Path(self._directory.name) / "holdfast"
        self._source = source
        self._builds = 0
        self.become_another_build()

    def become(self, content, mode=0o755):
        """As a package manager does: by rename(2)."""
        new = self.path.with_suffix(".new")
        new.write_bytes(content)
        new.chmod(mode)
        new.rename(self.path)

    def become_another_build(self):
        """The balancer, with an end that nobody looks at and that no other build has."""
        self._builds += 1
        self.become(self._source.read_bytes() + b"build %d" % self._builds)

    def copy(self):
        """A further file that holds what it holds now."""
        copy = self.path.with_suffix(f".{self._builds}")
        shutil.copy(self.path, copy)
        return copy

    def is_run_by(self, *processes):
        """Whether it is this very file that they execute, whatever it was called then."""
        return all(Path(f"/proc/{pid}/exe").samefile(self.path) for pid in processes)

    def remove(self):
        self.path.unlink()

    def close(self):
        self._directory.cleanup()
