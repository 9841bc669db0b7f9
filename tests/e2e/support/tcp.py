"""Small TCP servers that behave oddly, on threads of this process."""

import contextlib
import fcntl
import select
import selectors
import socket
import struct
import termios
import threading

from support.ports import free_port
from support.waiting import wait_until


class TcpServer:
    """Listens on a port and runs handler(connection) on a thread per connection. The
    connection is closed when the handler returns; what the handler raises as OSError, because the
    peer went away, is ignored."""

    def __init__(self, handler, port=None, backlog=128, host="127.0.0.1"):
        self.port = port or free_port()
        self.host = host
        self.address = f"{host}:{self.port}"
        self.accepted = 0
        self._handler = handler
        self._lock = threading.Lock()
        self._open = set()
        self._backlog = backlog
        self.listen()

    def listen(self):
        """Listens, at first or again."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self.host, self.port))
        self._listener.listen(self._backlog)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def allow_fastopen(self):
        """Takes bytes that come with a SYN, if its host's kernel does (TCP_FASTOPEN, tcp(7))."""
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)

    def refuse(self):
        """Stops listening and keeps the connections it has."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(2)
        self._listener.close()
        self._thread.join(20)

    def stop(self):
        """Stops listening and closes all connections."""
        self.refuse()
        with self._lock:
            left = list(self._open)
        for connection in left:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
                self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            self._handler(connection)
        except OSError:
            pass
        finally:
            connection.close()
            with self._lock:
                self._open.discard(connection)


def echo(connection):
    """Sends back what comes, and closes when the peer does."""
    while data := connection.recv(65536):
        connection.sendall(data)


def silent(connection):
    """Accepts, and neither reads nor writes until the other side resets or the server stops."""
    wait_for_end(connection)


def reset(connection):
    """Answers a connection with RST."""
    reset_on_close(connection)


def greeter(name):
    """Says its name, then what comes."""

    def greet(connection):
        connection.sendall(name.encode())
        echo(connection)

    return greet


def sender(data):
    """Sends the data at once and closes."""
    return lambda connection: connection.sendall(data)


def reset_on_close(connection):
    """close(2) will send RST instead of FIN (SO_LINGER 0, socket(7))."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def rejected_connection(address):
    """A client that is reset before it hears anything, at the latest in 20 s; its own address."""
    with socket.socket() as client:
        client.settimeout(20)
        client.bind(("127.0.0.1", 0))
        try:
            client.connect(address)  # may meet the reset already
            heard = client.recv(1)
        except ConnectionResetError:
            return "%s:%d" % client.getsockname()
    raise AssertionError(f"not reset, but told {heard!r}")


def wait_until_ready(connection, seconds):
    """Waits until it can be read from or written to: whether it can be (read, written). By poll(2),
    which takes descriptors that select(2) doesn't."""
    poll = select.poll()
    poll.register(connection, select.POLLIN | select.POLLOUT)
    ready = dict(poll.poll(seconds * 1000)).get(connection.fileno(), 0)
    broken = select.POLLERR | select.POLLHUP
    return bool(ready & (select.POLLIN | broken)), bool(ready & (select.POLLOUT | broken))


def is_readable(connection):
    """Whether it has bytes, its end or an error to read."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def wait_for_end(connection):
    """Returns when the connection is over, without reading what may be in it."""
    poll = select.poll()
    poll.register(connection, 0)  # POLLHUP and POLLERR come unasked
    poll.poll()


def reset_now(connection):
    """Ends a connection with RST."""
    reset_on_close(connection)
    connection.close()


def unacknowledged(connection):
    """Bytes that the other side's kernel has not confirmed yet (SIOCOUTQ, tcp(7))."""
    return struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0" * 4))[0]


def fill(connection, data):
    """Sends of the data what there is room for, until there has been none for a while; how much
    that was."""
    sent = 0
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_WRITE)
        while sent < len(data) and selector.select(0.3):
            sent += connection.send(data[sent : sent + (1 << 20)], socket.MSG_DONTWAIT)
    return sent


def send_all_and_fin(connection, data):
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def connect(address):
    """A client that waits for nothing longer than 10 s."""
    return socket.create_connection(address, 10)


def read_exactly(connection, size):
    """`size` bytes, or fewer when the peer closes before."""
    data = bytearray()
    while len(data) < size:
        part = connection.recv(min(size - len(data), 1 << 20))
        if not part:
            break
        data += part
    return bytes(data)


def echoes(connection, data=b"are you there?"):
    """Whether the other side sends the data back."""
    connection.sendall(data)
    return read_exactly(connection, len(data)) == data


def read_all(connection):
    """Everything until the peer closes."""
    data = bytearray()
    while part := connection.recv(1 << 20):
        data += part
    return bytes(data)


@contextlib.contextmanager
def full_listener():
    """A listening socket whose accept queue is full: the kernel drops further SYNs without a word,
    so that a connect neither succeeds nor fails, as with a host that is gone. Once something is
    accepted, the next SYN of a connect is answered, a second after its first as a rule."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        port = free_port()
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        wait_until(lambda: is_readable(listener))  # else the next to come might find room
        yield listener


@contextlib.contextmanager
def full_queue():
    """The port of such a socket, which stays silent."""
    with full_listener() as listener:
        yield listener.getsockname()[1]
