"""A machine that has booted systemd, with holdfast installed and a network of its own.

It is a container (systemd-nspawn): its processes can be seen and ended from here by the pids they
have here, and a thread of the test can enter its network, where there is only loopback.
"""

import contextlib
import itertools
import os
import signal
import subprocess
from pathlib import Path

from support import cgroup, debian, setns
from support.daemon import children_of
from support.installation import install
from support.process import Process
from support.waiting import wait_until

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TERM": "dumb"}
BOOT_LIMIT = 60
# What nspawn leaves when its container ends by SIGKILL.
PROPAGATED = Path("/run/systemd/nspawn/propagate")

_numbers = itertools.count(1)


class Machine:
    """Booted when the constructor returns. `root` is its file system, which is gone with it."""

    def __init__(self):
        self._name = f"holdfast-{os.getpid()}-{next(_numbers)}"
        self._nspawn = None
        with contextlib.ExitStack() as stack:
            tree = stack.enter_context(debian.tree())
            self._group = stack.enter_context(contextlib.closing(cgroup.ControlGroup(self._name)))
            stack.callback(self._switch_off)
            self._boot(tree)
            self.root = Path(f"/proc/{self._leader}/root")
            install(self.root)
            self.systemctl("daemon-reload")
            self._end = stack.pop_all()

    def close(self):
        self._end.close()

    def run(self, *command, timeout=30.0, check=True):
        """Runs a command inside to its end: .returncode, .stdout and .stderr as text."""
        return subprocess.run(
            ["nsenter", f"--target={self._leader}", "--all", *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=check,
            env=ENVIRONMENT,
        )

    def systemctl(self, *arguments, **options):
        return self.run("systemctl", "--no-pager", *arguments, **options)

    def property_of(self, unit, name):
        """As `systemctl show` has it."""
        return self.systemctl("show", unit, f"--property={name}", "--value").stdout.strip()

    def journal(self, unit):
        """The lines about a unit so far, its own and systemd's."""
        self.run("journalctl", "--sync")  # takes in what has been said until now
        said = self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")
        return said.stdout.splitlines()

    def processes(self, unit):
        """The pids of what lives in the unit's control group, the oldest first."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            group = cgroup.group_of(folder.name) or ""
            if group.startswith(f"/{self._name}/") and group.endswith(f"/{unit}"):
                found.append(int(folder.name))
        return sorted(found)

    def main_process(self, unit):
        """The pid here of the unit's main process; None when it has none."""
        inside = self.property_of(unit, "MainPID")
        for pid in self.processes(unit):
            if _pid_inside(pid) == inside:
                return pid
        return None

    @contextlib.contextmanager
    def network(self):
        """Within the `with` block, this thread and those that it starts make their sockets in the
        machine's network. A socket stays where it was made."""
        with setns.inside(f"/proc/{self._leader}/ns/net"):
            yield

    def _switch_off(self):
        """Not shut down: the kernel ends everything in it with its init."""
        if self._nspawn:
            for leader in children_of(self._nspawn.pid):
                os.kill(leader, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._nspawn.wait(10)
            self._nspawn.kill()
        with contextlib.suppress(FileNotFoundError):
            (PROPAGATED / self._name).rmdir()

    def _boot(self, tree):
        # The shell puts itself into the group, so that nothing starts outside of it.
        join = " && ".join(f"echo $$ >{folder}/cgroup.procs" for folder in self._group.folders)
        options = [
            f"--directory={tree}",
            "--volatile=overlay",
            f"--machine={self._name}",
            "--boot",
            "--private-network",
            # Without the help of a systemd out here, which there may not be.
            "--register=no",
            "--keep-unit",
            "--console=read-only",
            "--link-journal=no",
            "--settings=no",
        ]
        # It must not outlive a test run that is killed.
        nspawn = ["setpriv", "--pdeathsig=KILL", "systemd-nspawn", *options]
        self._nspawn = Process(["sh", "-c", f'{join} && exec "$@"', "sh", *nspawn])
        wait_until(self._is_up, BOOT_LIMIT, interval=0.05)

    def _is_up(self):
        assert self._nspawn.exit_code is None, f"does not boot:\n{self._nspawn.tail()}"
        # A child that is not pid 1 of a namespace yet is on its way to become the machine's init.
        leaders = [pid for pid in children_of(self._nspawn.pid) if _pid_inside(pid) == "1"]
        if not leaders:
            return False
        (self._leader,) = leaders
        said = self.systemctl("is-system-running", check=False).stdout.strip()
        return said in ("running", "degraded")


def _pid_inside(pid):
    """What the process is called in the innermost namespace it is in; None when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[-1]
