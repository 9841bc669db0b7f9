"""Control groups of a test's own, in whichever hierarchies this machine has mounted."""

import contextlib
import os
import re
from pathlib import Path

from support.waiting import wait_until


class ControlGroup:
    """A group at the top of every hierarchy that systemd tracks processes in, or of the one of
    the controller that is named. It is removed with all that was made in it."""

    def __init__(self, name, controller=None):
        self.folders = [root / name for root in _hierarchies(controller)]
        for folder in self.folders:
            folder.mkdir()

    def add(self, pid):
        """The process, and with it what it will start."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid), encoding="ascii")

    def set(self, name, value):
        for folder in self.folders:
            (folder / name).write_text(str(value), encoding="ascii")

    def close(self):
        """Its processes must have been ended; the kernel takes a moment to let go of them."""
        wait_until(self._remove, 20, f"still in use: {self.folders}")

    def _remove(self):
        for folder in self.folders:
            for made, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(made)
        return not any(folder.exists() for folder in self.folders)


def has_controller(name):
    """Whether a group can be made in a hierarchy (of version 1) for this controller alone."""
    return bool(_hierarchies(name))


def group_of(pid):
    """The path of the group in which systemd tracks the process, from the top; none of a process
    that is gone."""
    try:
        content = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    lines = (line.split(":", 2) for line in content.splitlines())
    paths = {controllers: path for _, controllers, path in lines}
    return paths.get("name=systemd") or paths.get("")


def _hierarchies(controller):
    """Where the hierarchy of the controller is mounted, or those that systemd tracks processes
    in: version 2, and on a mixed machine one of version 1 without controllers."""
    found = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, folder, kind, options = line.split()[:4]
        if controller:
            if kind == "cgroup" and controller in options.split(","):
                found.append(Path(folder))
        elif kind == "cgroup2" or re.search(r"\bname=systemd\b", options):
            found.append(Path(folder))
    return found
