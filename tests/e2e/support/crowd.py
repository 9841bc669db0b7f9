"""The load that shows whether anything costs a connection: `crowd`, which is built beside the
benches, and the services behind the balancer that it talks to."""

import json
import os
import subprocess

from support.binary import BINARY
from support.process import Process

CROWD = BINARY.parent / "bench" / "crowd"
# The whole load, and many more events, for a machine that has the time.
LONG = os.environ.get("HOLDFAST_LONG") == "1"

FULL_COUNTS = {}  # what the program does when told nothing
SMALL_COUNTS = {
    "idle": 150,
    "busy": 10,
    "busy_interval": 20,
    "downloads": 2,
    "uploads": 2,
    "bulk_size": 4,
    "bulk_rate": 2,
    "new_rate": 50,
}


class Services(Process):
    """`crowd serve`: `address` answers small exchanges, `bulk_address` sends and receives."""

    def __init__(self):
        assert CROWD.exists(), f"{CROWD} is not built"
        super().__init__([CROWD, "serve"])
        match = self.wait_for_output(r"^listening (\S+) (\S+)$")
        self.address, self.bulk_address = match.groups()


class Crowd(Process):
    """The clients, all established when this returns."""

    def __init__(self, target, bulk_target, **counts):
        options = {**(FULL_COUNTS if LONG else SMALL_COUNTS), **counts}
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        super().__init__(
            [CROWD, "--target", target, "--bulk-target", bulk_target, *words],
            stdin=subprocess.PIPE,
        )
        self._result = None
        try:
            self.wait_for_output(r"^ready$", 60)
        except AssertionError:
            self.kill()
            raise

    def event(self, name):
        """What happens now is called `name`."""
        self._say(f"event {name}")

    def finish(self, timeout=90):
        """Ends the transfers, tries every connection once more, and says what became of all."""
        if self._result is None:
            self._say("stop")
            assert self.wait(timeout) == 0, self.tail()
            self._result = CrowdResult(json.loads(self.output[-1]))
        return self._result

    def stop(self):
        if self.exit_code is None:
            self.kill()

    def _say(self, line):
        self._child.stdin.write(f"{line}\n".encode())
        self._child.stdin.flush()


class CrowdResult:
    """`data` is what the program wrote."""

    def __init__(self, data):
        self.data = data

    def assert_nothing_lost(self):
        """No connection, no byte, no request; and there was something to lose."""
        data = self.data
        summary = json.dumps(data, indent=1)
        for kind, losses in data["established"].items():
            assert losses["opened"] > 0, f"no {kind} connections:\n{summary}"
            assert losses["lost"] == 0, f"{kind} connections lost:\n{summary}"
            assert losses["not_opened"] == 0, f"{kind} connections not opened:\n{summary}"
        assert data["wrong_bytes"] == 0, summary
        assert data["new_connections"]["attempted"] > 0, summary
        assert data["new_connections"]["failed"] == 0, summary
        assert data["requests"]["done"] > 0, summary
        assert data["requests"]["failed"] == 0, summary
        assert data["transfers"]["finished"] > 0, summary
