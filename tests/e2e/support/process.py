"""A child process whose standard error is read as it comes and that always ends with the test."""

import os
import re
import signal
import subprocess
import threading
import time
from collections import Counter

from support.waiting import wait_until


class Process:
    """Runs a command. Its lines on standard error are in `log`, those on standard output in
    `output`. Ended by its own pid, with everything it started in its process group."""

    def __init__(self, command, **options):
        self.command = [str(word) for word in command]
        self._lines = threading.Condition()
        self.log = []
        self.output = []
        self._child = subprocess.Popen(
            self.command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **{"stdin": subprocess.DEVNULL, **options},
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in (
                (self._child.stderr, self.log),
                (self._child.stdout, self.output),
            )
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self):
        return self._child.pid

    @property
    def working_pid(self):
        """Whose time and memory are read: where the work is done."""
        return self.pid

    @property
    def holding_pid(self):
        """Whose descriptors are looked at."""
        return self.pid

    @property
    def exit_code(self):
        """As subprocess has it: None while it runs, -N when signal N ended it."""
        return self._child.poll()

    def wait_for_log(self, pattern, timeout=20.0, after=0):
        """The match of the first line of `log`, from line number `after` on, that holds the
        pattern. Waits for it; fails when the process ends or the time is up without it."""
        return self._wait_for_line(self.log, pattern, timeout, after)

    def wait_for_output(self, pattern, timeout=20.0, after=0):
        """The same for standard output."""
        return self._wait_for_line(self.output, pattern, timeout, after)

    def wait(self, timeout=20.0):
        """Waits for the process to end by itself, and returns its exit code."""
        code = self._child.wait(timeout)
        self._finish_reading()
        return code

    def send_signal(self, number):
        self._child.send_signal(number)

    def stop(self, number=signal.SIGTERM, timeout=30.0):
        """Sends the signal and returns the exit code; whoever ignores it for too long is killed
        and has failed."""
        if self.exit_code is None:
            self.send_signal(number)
            try:
                self._child.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(
                    f"{self.command[0]} did not stop within {timeout} s:\n{self.tail()}"
                ) from None
        self._finish_reading()
        return self.exit_code

    def kill(self):
        """SIGKILL to the process and to what it left in its group."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._child.wait()
        self._finish_reading()

    def tail(self, lines=40):
        """The end of both streams, for messages."""
        with self._lines:
            return "\n".join((self.output + self.log)[-lines:])

    def open_sockets(self):
        """How many of its descriptors are sockets."""
        return sum(1 for target in self._descriptors() if target.startswith("socket:"))

    def open_pipes(self):
        """How many pipes it has both ends of."""
        return sum(1 for target in self._descriptors() if target.startswith("pipe:")) // 2

    def open_descriptors(self):
        """How many it has of each kind: Counter({"socket": 12, "anon_inode:[eventpoll]": 3 ...})"""
        return Counter(re.sub(r":\[\d+\]$", "", target) for target in self._descriptors())

    def cpu_seconds(self):
        """User and system time so far, of all its threads (proc(5), fields 14 and 15)."""
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def pause(self):
        """SIGSTOP to where the work is done, until it has taken effect (proc(5), field 3)."""
        os.kill(self.working_pid, signal.SIGSTOP)
        wait_until(lambda: self._stat()[0] == "T")

    def resume(self):
        os.kill(self.working_pid, signal.SIGCONT)

    def resident_bytes(self):
        """Its memory, shared pages included (proc(5), statm)."""
        with open(f"/proc/{self.working_pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_share(self, seconds):
        """The part of one CPU that it uses during a span of time from now on."""
        before = self.cpu_seconds()
        time.sleep(seconds)
        return (self.cpu_seconds() - before) / seconds

    def _stat(self):
        """The fields from the third on: after the name, which may hold anything."""
        with open(f"/proc/{self.working_pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()

    def _descriptors(self):
        folder = f"/proc/{self.holding_pid}/fd"
        for number in os.listdir(folder):
            try:
                yield os.readlink(f"{folder}/{number}")
            except FileNotFoundError:
                pass  # closed in between

    def _read(self, stream, lines):
        with stream:
            for line in stream:
                with self._lines:
                    lines.append(line.decode(errors="replace").rstrip("\n"))
                    self._lines.notify_all()
        with self._lines:
            self._lines.notify_all()

    def _finish_reading(self):
        for reader in self._readers:
            reader.join(20)

    def _wait_for_line(self, lines, pattern, timeout, after):
        deadline = time.monotonic() + timeout
        seen = after
        with self._lines:
            while True:
                for line in lines[seen:]:
                    match = re.search(pattern, line)
                    if match:
                        return match
                seen = max(seen, len(lines))
                left = deadline - time.monotonic()
                if left <= 0 or not any(reader.is_alive() for reader in self._readers):
                    break
                self._lines.wait(min(left, 0.1))
        raise AssertionError(
            f"no line like {pattern!r} within {timeout} s (exit code {self.exit_code}):\n"
            + self.tail()
        )
