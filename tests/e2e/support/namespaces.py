"""Hosts of the test's own: network namespaces, joined by cables that can be cut.

A balancer's host, `front`, has a cable (a pair of veth interfaces) to each of the others. Addresses are
in 10.77.0.0/16 and exist nowhere else; no packet leaves.
"""

import contextlib
import itertools
import os
import re
import subprocess
from pathlib import Path

import pytest
from support import setns
from support.binary import BINARY
from support.process import Process

NAME = re.compile(r"^holdfast-(\d+)-\d+$")

SILENCE = """
table inet silence {
  chain in { type filter hook input priority 0; policy drop; iif lo accept; }
  chain out { type filter hook output priority 0; policy drop; oif lo accept; }
}
"""

_numbers = itertools.count(1)


class Host:
    """A network namespace. `before` is what comes in front of a command that is to run in it;
    `address` is where others reach it, where it has a cable."""

    def __init__(self, address="127.0.0.1"):
        self.address = address
        self.name = f"holdfast-{os.getpid()}-{next(_numbers)}"
        ip("netns", "add", self.name)
        self.network = f"/run/netns/{self.name}"
        self.before = ["nsenter", f"--net={self.network}"]
        self._processes = []
        self.run("ip", "link", "set", "lo", "up")

    def close(self):
        """Whatever runs in it ends first: it would keep the namespace alive, and its cable."""
        for process in self._processes:
            process.kill()
        subprocess.run(["ip", "netns", "delete", self.name], check=False, capture_output=True)

    def run(self, *command, given=None):
        """Runs a command in it to its end, which must be a good one; what it wrote."""
        return _checked([*self.before, *command], given)

    def start(self, *command):
        """A process in it, a support.process.Process, which ends with it."""
        process = Process([*self.before, *command])
        self._processes.append(process)
        return process

    def inside(self):
        """Within this `with` block, the thread and those that it starts are in it."""
        return setns.inside(self.network)

    def serve(self, name, port=8080):
        """A server that answers HTTP with its name, at `address`, ready."""
        server = self.start(BINARY, "instance", "--listen", f"{self.address}:{port}", "--name", name)
        server.wait_for_output("^listening ")
        return server

    def limit_ports(self, first, last):
        """Connections that leave it have these ports only."""
        self.sysctl("net/ipv4/ip_local_port_range", f"{first} {last}")

    def sysctl(self, name, value):
        self.run("sh", "-c", 'echo "$1" >"/proc/sys/$0"', name, value)

    def silence(self):
        """From now on its packets vanish, those to it and those from it; nobody is told."""
        self.run("nft", "-f", "-", given=SILENCE)

    def speak(self):
        self.run("nft", "delete", "table", "inet", "silence")

    def unplug(self):
        """Pulls its cable."""
        self.run("ip", "link", "set", "eth0", "down")

    def plug(self):
        """Puts it back; the way to everybody else goes with the interface."""
        self.run("ip", "link", "set", "eth0", "up")
        self.run("ip", "route", "replace", "default", "via", _gateway(self.address))


class Namespaces:
    """`front` and as many `hosts` as asked for. Skips the test where there can be none."""

    def __init__(self, count):
        if os.geteuid() != 0:
            pytest.skip("only root can make network namespaces")
        _remove_leftovers()
        with contextlib.ExitStack() as stack:
            try:
                self.front = stack.enter_context(contextlib.closing(Host()))
                self.hosts = [
                    stack.enter_context(contextlib.closing(Host(f"10.77.{number}.2")))
                    for number in range(1, count + 1)
                ]
            except RuntimeError as refused:
                pytest.skip(f"no network namespaces here: {refused}")
            for number, host in enumerate(self.hosts, 1):
                self._join(host, f"to-{number}")
            self._end = stack.pop_all()

    def close(self):
        self._end.close()

    def _join(self, host, interface):
        ip("-n", self.front.name, "link", "add", interface, "type", "veth",
           "peer", "name", "eth0", "netns", host.name)  # fmt: skip
        self.front.run("ip", "address", "add", f"{_gateway(host.address)}/24", "dev", interface)
        self.front.run("ip", "link", "set", interface, "up")
        host.run("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        host.plug()


def ip(*arguments):
    """`ip ARGUMENTS`, in the namespace where the tests run."""
    return _checked(["ip", *arguments])


def _gateway(address):
    return address.rpartition(".")[0] + ".1"


def _checked(command, given=None):
    done = subprocess.run(
        [str(word) for word in command], input=given, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout


def _remove_leftovers():
    """What test runs left that were killed."""
    folder = Path("/run/netns")
    for found in folder.iterdir() if folder.exists() else ():
        match = NAME.match(found.name)
        if match and not Path(f"/proc/{match[1]}").exists():
            subprocess.run(["ip", "netns", "delete", found.name], check=False, capture_output=True)
