"""Clients of every kind at once, each on a thread of its own, and the servers they talk to: what is
under way when a test ends a worker."""

import contextlib
import json
import os
import random
import select
import socket
import sys
import time

from support import tcp
from support.clients import Clients
from support.configuration import NO_CHECKS
from support.ports import free_port
from support.stream import Stream
from support.waiting import wait_until

IDLE = 20
BLOCK = os.urandom(1 << 20)
PACE = 0.005  # seconds between two asks of a kind
LAST_WORDS = os.urandom(300_000)
QUESTION = b"one question, longer than a pipe has slots"


def _hear_and_reset(connection):
    tcp.read_exactly(connection, len(QUESTION))
    tcp.reset_now(connection)


def _last_words(connection):
    """Sends, waits until all of it has arrived, and resets."""
    connection.sendall(LAST_WORDS)
    over = select.poll()
    over.register(connection, 0)
    while tcp.unacknowledged(connection) > 0 and not over.poll(1):
        pass
    tcp.reset_now(connection)


class Traffic:
    """What goes on within its `with` block. Whatever is not as it would be without a balancer fails
    the test at the end of the block."""

    LISTENERS = (
        "echo",
        "idle",
        "resetting",
        "sending",
        "racing",
        "slow",
        "replaying",
        "vain",
        "nobody",
        "queue",
        "full",
    )
    REJECTING = {"vain", "nobody", "full"}

    def __init__(self, tcp_server, has_pipes=True):
        """`has_pipes`: the balancer may have some; without, nothing is replayed."""
        self._address = {name: ("127.0.0.1", free_port()) for name in self.LISTENERS}
        dead = [f"127.0.0.1:{free_port()}" for _ in range(2)]
        self._backends = {
            "echo": [dead[0], tcp_server(tcp.echo).address],  # so that connects fail at times
            "idle": [tcp_server(tcp.greeter("hello")).address],
            "resetting": [tcp_server(_last_words).address],
            "sending": [tcp_server(tcp.sender(BLOCK * 4)).address],
            "queue": [tcp_server(tcp.echo).address],  # has one place
            "nobody": [dead[1]],
            "full": [tcp_server(tcp.echo).address],  # has one place, and somebody has it
        }
        self._silent = contextlib.ExitStack()
        silent = f"127.0.0.1:{self._silent.enter_context(tcp.full_queue())}"
        echo = self._backends["echo"][1]
        # One in ten meets the silent one first: a race for each is within the budget.
        self._backends["racing"] = [silent, echo]
        self._backends["slow"] = [silent, echo]
        self._backends["vain"] = [silent]
        self._backends["replaying"] = [tcp_server(_hear_and_reset).address, echo]
        self._settings = {
            "racing": {"connect": {"timeout": "10s", "hedge_after": "10ms"}},
            "slow": {"connect": {"timeout": "30ms", "hedge_after": "off"}},
            "vain": {"connect": {"timeout": "10s", "total": "30ms"}},
            "replaying": {"replay": {"up_to": "16KiB"}},
        }
        self._kinds = [
            self._keep_asking,
            self._ask_once,
            self._half_close,
            self._say_something_urgent,
            self._reset,
            self._be_reset,
            self._fall_idle,
            self._abandon,
            self._find_nobody,
            self._wait_for_a_turn,
            self._wait_for_a_turn,
            self._wait_for_a_turn,
            self._wait_at_a_full_one,
            self._leave_a_queue,
            self._race,
            self._wait,
            self._wait_in_vain,
        ]
        if has_pipes:
            self._kinds += [self._be_replayed, self._be_replayed_in_pieces]
        self._streams = [Stream(1), Stream(2)]
        self._open = contextlib.ExitStack()
        self._kept = {}
        self._idle = []
        self._asking = []
        self.failures = []  # (kind, exception)

    @property
    def config(self):
        listeners = [
            {"name": name, "bind": "%s:%d" % address, "pool": name}
            for name, address in self._address.items()
        ]
        listeners[self.LISTENERS.index("idle")]["idle_timeout"] = "100ms"
        pools = [
            {
                "name": name,
                "health": NO_CHECKS,
                "passive": "off",
                "connect": {"timeout": "10s"},
                "backends": [
                    {
                        "name": f"{name}-{number}",
                        "address": address,
                        "weight": 9 if (name, number) == ("racing", 2) else 1,
                    }
                    for number, address in enumerate(addresses, 1)
                ],
                **self._settings.get(name, {}),
            }
            for name, addresses in self._backends.items()
        ]
        for name, timeout in (("queue", "10s"), ("full", "50ms")):
            pool = next(pool for pool in pools if pool["name"] == name)
            pool["queue"] = {"size": 10, "timeout": timeout}
            pool["backends"][0]["max_connections"] = 1
        return f"""
threads: 2
log: {{ connections: none }}
listeners: {json.dumps(listeners)}
pools: {json.dumps(pools)}
"""

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for _ in range(IDLE):
                self._idle.append(stack.enter_context(self.connect("echo")))
            for client in self._idle:
                self._echoes(client, b"I shall be silent now")
            for stream in self._streams:
                stream.begin(stack.enter_context(self.connect("echo")))
            self._idle.append(stack.enter_context(self.connect("full")))
            self._echoes(self._idle[-1], b"this place is taken")
            stack.push(self._finish_streams)
            for kind in [*self._kinds, *(stream.go_on for stream in self._streams)]:
                asking = Clients(1, lambda _, kind=kind: self._ask(kind))
                self._asking.append(stack.enter_context(asking))
            self._open = stack.pop_all()
        self.wait_for_answers()
        return self

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.wait_for_answers()
                for client in self._idle:
                    self._echoes(client, b"still there?")
        except BaseException:
            self._open.__exit__(*sys.exc_info())
            raise
        else:
            self._open.__exit__(kind, *rest)
        finally:
            for client in self._kept.values():
                client.close()
            self._silent.close()
        assert not self.failures, self.failures
        if kind is None:
            for stream in self._streams:
                stream.assert_complete()

    def _finish_streams(self, kind, *_):
        """Once their threads have ended, and before they are closed."""
        if kind is None:
            for stream in self._streams:
                stream.finish()

    def _ask(self, kind):
        try:
            kind()
        except OSError as failure:
            self.failures.append((kind.__name__, failure))
            return False
        return True

    def wait_for_answers(self, number=2):
        """Waits until every kind has got so many more answers."""
        wanted = [clients.answered + number for clients in self._asking]

        def answered():
            self._assert_well()
            return all(
                clients.answered >= least for clients, least in zip(self._asking, wanted)
            )

        names = [kind.__name__ for kind in self._kinds] + ["stream", "stream"]
        try:
            wait_until(answered, 30, "some kinds get no answers")
        except AssertionError as failure:
            stuck = [
                name
                for name, clients, least in zip(names, self._asking, wanted)
                if clients.answered < least
            ]
            raise AssertionError(f"{failure}: {stuck}") from None

    def wait_for_any_answers(self, number):
        """Waits for so many more answers, whoever gets them."""

        def answered():
            self._assert_well()
            return sum(clients.answered for clients in self._asking)

        wanted = answered() + number
        wait_until(lambda: answered() >= wanted, 30, interval=0.001)

    def _assert_well(self):
        assert not self.failures, self.failures
        for asking in self._asking:
            asking.assert_alive()

    def connect(self, listener, receive_buffer=None):
        client = socket.socket()
        client.settimeout(10)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            client.connect(self._address[listener])
        except OSError:
            client.close()
            raise
        return client

    @staticmethod
    def _echoes(client, data):
        client.sendall(data)
        assert tcp.read_exactly(client, len(data)) == data

    def _keep(self, name):
        if name not in self._kept:
            self._kept[name] = self.connect("echo")
        return self._kept[name]

    def _keep_asking(self):
        self._echoes(self._keep("asking"), BLOCK[: random.randrange(1, 40_000)])

    def _ask_once(self):
        with self.connect("echo") as client:
            self._echoes(client, b"one question")
        time.sleep(PACE)

    def _half_close(self):
        with self.connect("echo") as client:
            client.sendall(b"that is all")
            client.shutdown(socket.SHUT_WR)
            assert tcp.read_all(client) == b"that is all"
        time.sleep(PACE)

    def _say_something_urgent(self):
        client = self._keep("urgent")
        client.send(b"something urgent", socket.MSG_OOB)
        self._echoes_rest(client, b"something urgent", b" and more")
        time.sleep(PACE)

    @staticmethod
    def _echoes_rest(client, sent, more):
        client.sendall(more)
        assert tcp.read_exactly(client, len(sent + more)) == sent + more

    def _reset(self):
        client = self.connect("echo")
        self._echoes(client, b"I am gone soon")
        tcp.reset_now(client)
        time.sleep(PACE)

    def _be_reset(self):
        """All that was sent before the reset arrives, however slow the reader."""
        heard = bytearray()
        with self.connect("resetting", receive_buffer=4096) as client:
            with contextlib.suppress(ConnectionResetError):
                while part := client.recv(32768):
                    heard += part
                    time.sleep(0.0005)
                raise AssertionError(f"a reset became a FIN after {len(heard)} bytes")
        assert heard == LAST_WORDS, f"{len(heard)} bytes before the reset"

    def _fall_idle(self):
        """Hears one backend, if it is quick enough, and then nothing until the end."""
        with self.connect("idle") as client:
            heard = tcp.read_all(client)
        assert heard in (b"", b"hello"), f"heard {heard}"

    def _abandon(self):
        """Leaves with bytes under way in pipes."""
        client = self.connect("sending", receive_buffer=4096)
        assert tcp.read_exactly(client, 1000) == BLOCK[:1000]
        time.sleep(PACE)
        tcp.reset_now(client)

    def _find_nobody(self):
        tcp.rejected_connection(self._address["nobody"])
        time.sleep(PACE)

    def _wait_for_a_turn(self):
        with self.connect("queue") as client:
            self._echoes(client, b"it is my turn")
            time.sleep(PACE)

    def _wait_at_a_full_one(self):
        tcp.rejected_connection(self._address["full"])

    def _leave_a_queue(self):
        with contextlib.suppress(ConnectionResetError):  # it was rejected before it could leave
            self.connect("full").close()
        time.sleep(PACE)

    def _ask_at(self, listener):
        with self.connect(listener) as client:
            self._echoes(client, QUESTION)
        time.sleep(PACE)

    def _race(self):
        self._ask_at("racing")

    def _wait(self):
        self._ask_at("slow")

    def _wait_in_vain(self):
        tcp.rejected_connection(self._address["vain"])

    def _be_replayed(self):
        self._ask_at("replaying")

    def _be_replayed_in_pieces(self):
        """Each of them takes a slot of a pipe."""
        with self.connect("replaying") as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in QUESTION:
                client.send(bytes([piece]))
                time.sleep(PACE / 20)
            assert tcp.read_exactly(client, len(QUESTION)) == QUESTION
