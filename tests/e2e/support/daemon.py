"""`holdfast run` under observation."""

import http.client
import json
import os
import re
import signal
import socket
import tempfile
from pathlib import Path

from support.binary import BINARY
from support.command import holdfast
from support.metrics import Metrics
from support.ports import free_port
from support.process import Process
from support.waiting import wait_until

# What must never be on standard error, whatever the test is about.
BROKEN = re.compile(
    r"Assertion `.*' failed|Sanitizer|runtime error:|terminate called|stack smashing"
)
# A log line: time, level, event, key=value ...
LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?P<level>[a-z]+) (?P<event>.*)$")
BAD_LEVELS = ("error", "critical")


class Holdfast(Process):
    """The balancer with a configuration, ready.

    What the configuration leaves out is added: admin addresses of its own, without which two
    tests could not run at once, and a short shutdown_timeout. The words of `before` come in front
    of the command, as in `prlimit --nofile=64 holdfast run ...`. `binary` is what is run.
    """

    def __init__(self, directory, config, environment=None, before=(), binary=BINARY):
        match = re.search(r"^admin:(?:.|\n)*?http:\s*[\"']?([^\s\"',}]+)", config, re.MULTILINE)
        self.admin = match[1] if match else f"127.0.0.1:{free_port()}"
        # A Unix socket's path must be short (unix(7)), which a test's directory isn't.
        self._control = tempfile.TemporaryDirectory(prefix="holdfast-control-")
        self.socket = f"{self._control.name}/control.sock"
        os.chmod(self._control.name, 0o777)  # whoever it runs as
        self._added_config = ""
        if not match:
            admin = f'{{ http: "{self.admin}", socket: {self.socket} }}'
            self._added_config += f"\nadmin: {admin}\n"
        if not re.search(r"^shutdown_timeout:", config, re.MULTILINE):
            self._added_config += "\nshutdown_timeout: 5s\n"
        self.config_file = Path(directory) / "holdfast.yaml"
        self.write_config(config)
        super().__init__(
            [*before, binary, "run", "-c", self.config_file],
            env={**os.environ, **(environment or {})},
        )
        self.expected_exit = 0
        self._expected = []
        self._reloaded = False  # it may listen on more addresses than when it became ready
        self._guardian = self.pid
        try:
            self.wait_for_log(r"^\S+ info ready\b", timeout=30)
        except AssertionError:
            self.kill()
            raise
        self._sockets_when_ready = self.open_sockets()

    def write_config(self, config):
        """Another text for the configuration file; what was added to the first is added again."""
        if "socket:" not in config:  # else that of the default, for which there may be an instance
            config = config.replace("admin: {", f"admin: {{ socket: {self.socket},", 1)
        self.config_file.write_text(config + self._added_config, encoding="utf-8")

    def tell(self, command, *arguments, timeout=60):
        """`holdfast reload` and its like, to this instance: support.command's result."""
        return holdfast(command, *arguments, "--socket", self.socket, timeout=timeout)

    def reload(self, config):
        """Puts another configuration in force; the lines that say what changed."""
        self.write_config(config)
        done = self.tell("reload")
        assert done.returncode == 0, done.stderr
        self._reloaded = True
        return done.stdout.splitlines()

    def kill_worker(self, number=signal.SIGKILL):
        """Returns once its successor serves."""
        worker = self.worker_pid
        said = len(self.log)
        os.kill(worker, number)
        self.wait_for_log(r" info ready$", after=said)
        assert self.worker_pid not in (None, worker)

    @property
    def guardian_pid(self):
        return self._guardian

    @property
    def worker_pid(self):
        """Of the worker that the guardian keeps now; None between two of them."""
        children = children_of(self._guardian)
        return children[0] if children else None

    def kill_guardian(self):
        """SIGKILL to the guardian; returns once the worker of another one serves."""
        said = len(self.log)
        os.kill(self._guardian, signal.SIGKILL)
        self.wait_for_log(r" info ready$", after=said)
        self.follow_guardian(-signal.SIGKILL)

    def follow_guardian(self, first_ended_with):
        """Once another process has become it; with what the first one ended."""
        if self._guardian == self.pid:
            assert self._child.wait(20) == first_ended_with, self.tail()
            self.expected_exit = first_ended_with

        before = self._guardian

        def guardian():
            try:
                instance = json.loads(self.get("/api/v1/instance")[2])
            except (OSError, http.client.HTTPException):
                return None  # between two workers
            # A worker that makes another guardian has a child too, for a moment.
            pid = instance["guardian_pid"]
            serves = instance["phase"] == "serving" and children_of(pid) == [instance["worker_pid"]]
            return pid if serves and pid != before else None

        self._guardian = wait_until(guardian, 30, "there is no guardian any more")

    def wait_until_whole(self):
        """Until there is one guardian with one worker, and nobody else."""

        def is_whole():
            workers = children_of(self._guardian)
            return len(workers) == 1 and set(members_of(self.pid)) == {self._guardian, *workers}

        wait_until(is_whole, 30, "there is not one guardian with one worker")

    @property
    def working_pid(self):
        return self.worker_pid

    @property
    def holding_pid(self):
        return self._guardian

    def expect_log(self, pattern):
        """Lines of level error that match are part of the test."""
        self._expected.append(re.compile(pattern))

    def get(self, path):
        """(status, headers, body as text) of a GET to the admin address."""
        connection = _connection_to(self.admin)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def post(self, path):
        """The status of a POST to the control socket."""
        connection = UnixConnection(self.socket, timeout=20)
        try:
            connection.request("POST", path, headers={"Connection": "close"})
            return connection.getresponse().status
        finally:
            connection.close()

    def metrics(self):
        status, _, text = self.get("/metrics")
        assert status == 200, f"GET /metrics answers {status}: {text}"
        return Metrics.parse(text)

    def assert_ends_well(self):
        """What must hold at the end of every test."""
        if self.exit_code is None:
            self.assert_nothing_leaked()
        elif self._guardian != self.pid:
            os.kill(self._guardian, signal.SIGTERM)
            wait_until(lambda: not members_of(self.pid))
        code = self.stop()
        assert code == self.expected_exit, f"exit code {code}:\n{self.tail()}"
        self.assert_log_is_clean()

    def assert_nothing_leaked(self, timeout=20.0):
        """Once the clients are gone, it holds no more sockets than when it became ready. (Checks
        and scrapes come and go, so it is given time.)"""
        if self._reloaded:
            wait_until(lambda: self.metrics().value("holdfast_connections_active") == 0, timeout)
            return
        try:
            wait_until(lambda: self.open_sockets() <= self._sockets_when_ready, timeout)
        except AssertionError:
            raise AssertionError(
                f"sockets: {self._sockets_when_ready} when ready, {self.open_sockets()} now"
            ) from None

    def assert_log_is_clean(self):
        """No assertion, no sanitizer's report, no line of level error that the test did not
        expect."""
        bad = [line for line in self.log if self._is_bad(line)]
        assert not bad, "on standard error:\n" + "\n".join(bad)

    def _is_bad(self, line):
        if any(pattern.search(line) for pattern in self._expected):
            return False
        match = LINE.match(line)
        return bool(BROKEN.search(line) or (match and match["level"] in BAD_LEVELS))


def children_of(pid):
    """As the kernel lists them; none of a process that is gone."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def members_of(group):
    """The processes of a process group that live."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(folder.name))
    return found


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _connection_to(address):
    if address.startswith("unix:"):
        return UnixConnection(address.removeprefix("unix:"), timeout=20)
    return http.client.HTTPConnection(address, timeout=20)
