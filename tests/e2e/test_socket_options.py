"""What listeners and pools ask of the kernel for their connections, read back from it."""

import contextlib
import socket
import threading

import pytest
from support import borrowed, tcp
from support.command import holdfast as command
from support.configuration import FAST_CHECKS, NO_CHECKS, web
from support.continuity import DEATHS
from support.site import PORT, Site
from support.tcp import TcpServer
from support.waiting import wait_until

LISTENER = {"user_timeout": "20s", "keepalive": {"idle": "61s", "interval": "7s", "count": 5}}
CONNECT = {"user_timeout": "3500ms", "keepalive": {"idle": "62s", "interval": "8s", "count": 6}}
NOBODYS = "192.0.2.1"  # RFC 5737

KEEPALIVE = ["TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT"]


def as_the_kernel_has_it():
    with socket.socket() as fresh:
        return [fresh.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in KEEPALIVE]


class Options:
    """What the balancer's two sockets of one client have."""

    def __init__(self, balancer, client, server):
        own = client.getsockname()[1]
        self.client = _options(balancer, peer_port=own)
        self.backend = _options(balancer, own_port=server.connections[-1].getpeername()[1])


def _options(balancer, **ends):
    def one(level, name):
        return borrowed.option(balancer.worker_pid, level, name, **ends)

    return {
        "user_timeout": one(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT),
        "keepalive": bool(one(socket.SOL_SOCKET, socket.SO_KEEPALIVE)),
        "times": [one(socket.IPPROTO_TCP, getattr(socket, name)) for name in KEEPALIVE],
    }


@pytest.fixture
def server(tcp_server):
    """Echoes, and keeps its connections in `connections`."""
    connections = []

    def echo(connection):
        connections.append(connection)
        tcp.echo(connection)

    made = tcp_server(echo)
    made.connections = connections
    return made


def test_sockets_have_what_is_configured(holdfast, server, address):
    pool = {"health": NO_CHECKS, "connect": CONNECT}
    text = web("%s:%d" % address, server.address, listener=LISTENER, pool=pool)
    balancer = holdfast(text)
    with tcp.connect(address) as client:
        assert tcp.echoes(client)
        options = Options(balancer, client, server)
        assert options.client == {"user_timeout": 20000, "keepalive": True, "times": [61, 7, 5]}
        assert options.backend == {"user_timeout": 3500, "keepalive": True, "times": [62, 8, 6]}


def test_sockets_have_the_kernels_times_where_nothing_is_said(holdfast, server, address):
    balancer = holdfast(web("%s:%d" % address, server.address, pool={"health": NO_CHECKS}))
    with tcp.connect(address) as client:
        assert tcp.echoes(client)
        options = Options(balancer, client, server)
        times = as_the_kernel_has_it()
        assert options.client == {"user_timeout": 0, "keepalive": True, "times": times}
        assert options.backend == {"user_timeout": 30000, "keepalive": True, "times": times}


def test_a_reload_changes_what_new_connections_have(holdfast, server, address):
    plain = {"health": NO_CHECKS}
    balancer = holdfast(web("%s:%d" % address, server.address, pool=plain))
    with contextlib.ExitStack() as stack:
        before = stack.enter_context(tcp.connect(address))
        assert tcp.echoes(before)
        changed = {"health": NO_CHECKS, "connect": {"user_timeout": "off", "keepalive": "off"}}
        said = balancer.reload(
            web("%s:%d" % address, server.address, listener=LISTENER, pool=changed)
        )
        assert said == [
            "listener web: user_timeout off -> 20s",
            "listener web: keepalive on -> idle 61s, interval 7s, count 5",
            "pool web: connect.user_timeout 30s -> off",
            "pool web: connect.keepalive on -> off",
        ]
        after = stack.enter_context(tcp.connect(address))
        assert tcp.echoes(after)
        new = Options(balancer, after, server)
        assert new.client == {"user_timeout": 20000, "keepalive": True, "times": [61, 7, 5]}
        assert new.backend["user_timeout"] == 0
        assert not new.backend["keepalive"]
        old = _options(balancer, peer_port=before.getsockname()[1])
        assert old["user_timeout"] == 0

        balancer.reload(web("%s:%d" % address, server.address, pool=plain))
        again = stack.enter_context(tcp.connect(address))
        assert tcp.echoes(again)
        times = as_the_kernel_has_it()
        options = Options(balancer, again, server)
        assert options.client == {"user_timeout": 0, "keepalive": True, "times": times}


def test_a_workers_successor_asks_for_the_same(holdfast, server, address):
    pool = {"health": NO_CHECKS, "connect": CONNECT}
    text = web("%s:%d" % address, server.address, listener=LISTENER, pool=pool)
    balancer = holdfast(text)
    balancer.expect_log(DEATHS)
    balancer.kill_worker()
    with tcp.connect(address) as client:
        assert tcp.echoes(client)
        options = Options(balancer, client, server)
        assert (options.client["user_timeout"], options.backend["user_timeout"]) == (20000, 3500)


def test_backends_see_the_configured_source_in_connections_and_checks(
    holdfast, tcp_server, address
):
    sources = []

    def note(connection):
        sources.append(connection.getpeername()[0])
        tcp.echo(connection)

    server = tcp_server(note)
    pool = {"health": FAST_CHECKS, "connect": {"bind_source": "127.0.0.9"}}
    balancer = holdfast(web("%s:%d" % address, server.address, pool=pool))
    balancer.wait_for_log("backend up ")
    wait_until(lambda: sources)  # the server takes it when it likes
    with tcp.connect(address) as client:
        assert tcp.echoes(client)
    assert set(sources) == {"127.0.0.9"}


def test_a_source_that_this_host_does_not_have_is_told_at_start_and_at_a_reload(
    holdfast, server, address, tmp_path
):
    wrong = web(
        "%s:%d" % address, server.address, pool={"connect": {"bind_source": NOBODYS}}
    )
    reason = f"pool web: cannot connect from {NOBODYS}: cannot assign requested address"
    file = tmp_path / "wrong.yaml"
    file.write_text(wrong + "\nadmin: { http: off, socket: off }\n", encoding="utf-8")
    done = command("run", "-c", file)
    assert done.returncode == 1
    assert reason in done.stderr

    balancer = holdfast(web("%s:%d" % address, server.address))
    balancer.expect_log("reload failed")
    balancer.write_config(wrong)
    refused = balancer.tell("reload")
    assert refused.returncode == 1
    assert reason in refused.stderr
    with tcp.connect(address) as client:
        assert tcp.echoes(client)


def test_a_backend_without_room_for_longer_than_user_timeout_is_given_up(
    holdfast, tcp_server, address
):
    server = tcp_server(tcp.silent)
    pool = {"health": NO_CHECKS, "connect": {"user_timeout": "1s"}}
    balancer = holdfast(web("%s:%d" % address, server.address, pool=pool))
    with tcp.connect(address) as client:
        client.settimeout(30)
        with pytest.raises(ConnectionResetError):
            while True:
                client.sendall(bytes(1 << 20))
    balancer.wait_for_log("connection closed .* cause=backend_reset ")


def test_a_backend_that_falls_silent_for_longer_than_user_timeout_is_given_up(
    holdfast, namespaces, socket_directory
):
    pool = {"health": NO_CHECKS, "connect": {"user_timeout": "1s"}}
    site = Site(holdfast, namespaces, socket_directory, hosts=1, pool=pool)
    with site.connect() as client:
        assert tcp.read_exactly(_asking(client), 12) == b"HTTP/1.1 200"
        site.hosts[0].silence()
        _asking(client)
        client.settimeout(30)
        with pytest.raises(ConnectionResetError):
            tcp.read_all(client)
    site.balancer.wait_for_log("connection closed .* cause=backend_reset ")


def _asking(client):
    client.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
    return client


@pytest.fixture
def fastopen_site(holdfast, namespaces, socket_directory):
    """A balancer whose host and whose backend's host do TCP Fast Open; the backend echoes."""
    network = namespaces(1)
    (host,) = network.hosts
    for each in (network.front, host):
        each.sysctl("net/ipv4/tcp_fastopen", "3")
    with host.inside():
        server = TcpServer(tcp.echo, port=PORT, host=host.address)
    server.allow_fastopen()
    text = web(
        f"127.0.0.1:{PORT}",
        server.address,
        listener={"fastopen": 16},
        pool={"health": NO_CHECKS, "connect": {"attempts": 1, "fastopen": "on"}},
        rest=f'admin: {{ http: "unix:{socket_directory}/admin" }}',
    )
    with contextlib.ExitStack() as stack:
        stack.callback(server.stop)
        yield network.front, host, holdfast(text, before=network.front.before)


def count(host, name):
    """A counter of the host's kernel, from /proc/net/netstat."""
    lines = host.run("cat", "/proc/net/netstat").splitlines()
    for names, values in zip(lines[::2], lines[1::2]):
        counters = dict(zip(names.split(), values.split()))
        if name in counters:
            return int(counters[name])
    raise AssertionError(f"no counter {name}")


def test_first_bytes_travel_with_the_syn_where_fastopen_is_on(fastopen_site):
    front, host, _ = fastopen_site
    for _ in range(4):  # the first of them brings cookies
        with front.inside(), socket.socket() as client:
            client.sendto(b"hello", socket.MSG_FASTOPEN, ("127.0.0.1", PORT))
            assert tcp.read_exactly(client, 5) == b"hello"
            client.sendall(b"and more")
            assert tcp.read_exactly(client, 8) == b"and more"
            client.shutdown(socket.SHUT_WR)
            assert tcp.read_all(client) == b""
    assert count(front, "TCPFastOpenPassive") >= 2  # to the listener
    assert count(host, "TCPFastOpenPassive") >= 2  # to the backend


def test_many_bytes_follow_the_first_of_a_fastopen_connect(fastopen_site):
    front, host, _ = fastopen_site
    data = bytes(range(256)) * 20000
    for _ in range(3):
        with front.inside(), tcp.connect(("127.0.0.1", PORT)) as client:
            sending = threading.Thread(
                target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR))
            )
            sending.start()
            assert tcp.read_all(client) == data
            sending.join(20)
    assert count(host, "TCPFastOpenPassive") >= 1


def test_a_backend_that_refuses_a_fastopen_connect_costs_the_client_its_connection(fastopen_site):
    front, host, balancer = fastopen_site
    with front.inside():
        for _ in range(2):
            with tcp.connect(("127.0.0.1", PORT)) as client:
                assert tcp.echoes(client)
    host.run("nft", "-f", "-", given=REFUSING)
    with front.inside(), tcp.connect(("127.0.0.1", PORT)) as client:
        client.sendall(b"hello")
        with pytest.raises(ConnectionResetError):
            tcp.read_all(client)
    wait_until(lambda: balancer.metrics().value("holdfast_connections_active") == 0)


REFUSING = f"""
table inet refuse {{
  chain in {{
    type filter hook input priority 0;
    tcp dport {PORT} reject with tcp reset
  }}
}}
"""
