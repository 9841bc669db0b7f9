"""Clients that go on asking on threads of their own while a test does something to the servers."""

import http.client
import threading
import time

from support.waiting import wait_until


class Clients:
    """Within its `with` block, `count` threads each run ask(number) again and again, until it
    returns False. What an ask raises as OSError (ConnectionError and TimeoutError are some) or as
    http.client's error is kept with the time at which that ask began; anything else fails the
    test."""

    def __init__(self, count, ask):
        self._ask = ask
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.answered = 0
        self.failures = []
        self._crashes = []
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True)
            for number in range(count)
        ]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in self._threads), "a client hangs"
        self.assert_alive()

    def assert_alive(self):
        """That no thread has ended by what isn't a failure of an ask."""
        assert not self._crashes, self._crashes

    def failures_since(self, moment):
        """What failed of the asks begun after time.monotonic() said `moment`."""
        with self._lock:
            return [what for began, what in self.failures if began >= moment]

    def wait_for_answers(self, number):
        """Waits for so many more answers."""
        wanted = self.answered + number
        wait_until(lambda: self.answered >= wanted, 30)

    def _run(self, number):
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                if self._ask(number) is False:
                    return
                with self._lock:
                    self.answered += 1
            except (OSError, http.client.HTTPException) as failure:
                with self._lock:
                    self.failures.append((began, failure))
            except BaseException as crash:  # for the thread of the test to raise
                self._crashes.append(crash)
                return
