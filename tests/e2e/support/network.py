"""A network of the test's own, with nothing in it but a loopback interface."""

import os
import subprocess

from support.process import Process

# What root may do as it is, others may in a user namespace of theirs.
AS_ROOT = [] if os.geteuid() == 0 else ["--map-root-user"]
INTO_IT = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]


class Network:
    """`before` is what comes in front of a command that is to run in it."""

    def __init__(self, ephemeral_ports):
        first, last = ephemeral_ports
        set_up = (
            "ip link set lo up && "
            f"echo {first} {last} >/proc/sys/net/ipv4/ip_local_port_range && "
            "echo up >&2 && exec sleep infinity"
        )
        self._holder = Process(["unshare", "--net", *AS_ROOT, "sh", "-c", set_up])
        try:
            self._holder.wait_for_log("^up$")
        except AssertionError:
            self._holder.kill()
            raise
        self.before = ["nsenter", f"--target={self._holder.pid}", "--net", *INTO_IT]

    def run(self, *command):
        """In it, to its end."""
        subprocess.run([*self.before, *command], check=True)

    def close(self):
        """It goes with the last process in it."""
        self._holder.kill()
