"""Ending the balancer's processes at chosen places in its code: the build with HOLDFAST_FAULTS
maps a file that says where, and writes into it what happened (src/base/fault.cc)."""

import mmap
import re
import struct

from support.binary import ROOT
from support.waiting import wait_until

BINARY = ROOT / "build/faults/holdfast"
LIST = ROOT / "include/holdfast/base/fault_points.h"
POINTS = re.findall(r"^  X\((\w+)\)", LIST.read_text(encoding="utf-8"), re.MULTILINE)

# Passed only when an operator asks for something: test_operating_faults.py sees to them.
OF_OPERATORS = [
    point
    for point in POINTS
    if point.startswith(("administration_", "closing_", "relay_backend_", "reload_"))
]

ACTIONS = ("none", "segv", "abort", "kill", "stop", "spin")
ALWAYS = 0xFFFFFFFF

_ENTRY = 64
_NAME = 48
_FIELDS = ("action", "left", "passed", "fired")


class Faults:
    """A fault file in `directory`; the balancer is started with `environment`."""

    def __init__(self, directory):
        path = directory / "faults"
        path.write_bytes(
            b"".join(name.encode().ljust(_ENTRY, b"\0") for name in POINTS)
        )
        self.environment = {"HOLDFAST_FAULT_FILE": str(path)}
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    def close(self):
        self._memory.close()

    def arm(self, point, action, at=1):
        """The action is taken at the passage of that number from now on, once; or at each of them
        when `at` is ALWAYS."""
        self._set(point, "action", ACTIONS.index(action))
        self._set(point, "left", at)

    def disarm(self, point):
        self._set(point, "left", 0)
        self._set(point, "action", 0)

    def passed(self, point):
        """How often a process has been at the point."""
        return self._get(point, "passed")

    def fired(self, point):
        """How often the action was taken there."""
        return self._get(point, "fired")

    def wait_until_fired(self, point, times=1, timeout=30):
        def fired():
            return self.fired(point) >= times

        wait_until(
            fired,
            timeout,
            f"{point} fired {self.fired(point)} times; passed {self.passed(point)} times",
        )

    def _get(self, point, field):
        return struct.unpack_from("=I", self._memory, self._offset(point, field))[0]

    def _set(self, point, field, value):
        struct.pack_into("=I", self._memory, self._offset(point, field), value)

    @staticmethod
    def _offset(point, field):
        return POINTS.index(point) * _ENTRY + _NAME + 4 * _FIELDS.index(field)
