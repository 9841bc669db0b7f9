"""Health checks of every type against servers of their kind: what passes, what fails, and why, as
the log, the events and the metrics tell it."""

import json
import re
import socket
import threading
import time

import pytest
from support import tcp
from support.certificates import Certificate
from support.configuration import web
from support.redis import Client
from support.waiting import wait_until

QUICK = {"interval": "50ms", "timeout": "2s", "rise": 1, "fall": 1}


def checked(front, *backends, **health):
    """Backends under quick checks with these keys."""
    return web(f"127.0.0.1:{front}", *backends, pool={"health": QUICK | health})


def state(daemon, backend="web-1"):
    metrics = daemon.metrics()
    for name in ("unknown", "up", "down"):
        if metrics.value("holdfast_backend_state", pool="web", backend=backend, state=name) == 1:
            return name
    return None


def wait_for_state(daemon, wanted, backend="web-1"):
    wait_until(lambda: state(daemon, backend) == wanted, 10, f"{backend} is not {wanted}")


def assert_goes_down(daemon, reason, backend="web-1"):
    """It is down, for the reason that the log and the last event tell alike."""
    wait_for_state(daemon, "down", backend)
    daemon.wait_for_log(rf"backend down pool=web backend={backend} reason=.*{re.escape(reason)}")
    events = json.loads(daemon.get("/api/v1/events")[2])
    down = [event["fields"] for event in events if event["event"] == "backend_down"]
    assert down[-1]["backend"] == backend
    assert reason in down[-1]["reason"]
    failed = "holdfast_backend_health_checks_total"
    assert daemon.metrics().value(failed, pool="web", backend=backend, result="failed") >= 1


def test_http_goes_by_the_status(holdfast, nginx, free_port):
    front, server = free_port(), nginx()
    daemon = holdfast(checked(front, server.address, type="http", path="/hello"))
    wait_for_state(daemon, "up")

    changes = daemon.reload(checked(front, server.address, type="http", path="/missing"))
    assert changes == ["pool web: health.path /hello -> /missing"]
    assert_goes_down(daemon, "answered HTTP status 404")

    keys = {"type": "http", "path": "/missing", "status": "204,400-404"}
    daemon.reload(checked(front, server.address, **keys))
    wait_for_state(daemon, "up")

    daemon.reload(checked(front, server.address, type="http", path="/hello", method="HEAD"))
    server.stop()
    assert_goes_down(daemon, "connection refused")


def test_http_asks_with_the_host_that_is_configured(holdfast, tcp_server, free_port):
    requests = []

    def serve(connection):
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(4096)
            if not part:
                return
            request += part
        requests.append(request.decode())
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    front, server = free_port(), tcp_server(serve)
    daemon = holdfast(checked(front, server.address, type="http", path="/a?b=c"))
    wait_for_state(daemon, "up")
    lines = requests[-1].split("\r\n")
    assert lines[0] == "GET /a?b=c HTTP/1.1"
    assert f"Host: {server.address}" in lines
    assert "Connection: close" in lines

    daemon.reload(checked(front, server.address, type="http", host="www.example.org"))
    wait_until(lambda: "Host: www.example.org" in requests[-1])


def test_http_is_not_what_every_server_speaks(holdfast, tcp_server, free_port):
    server = tcp_server(tcp.sender(b"220 mail.example.org ESMTP\r\n"))
    daemon = holdfast(checked(free_port(), server.address, type="http"))
    assert_goes_down(daemon, "which is not HTTP")


def test_redis_answers_what_is_expected(holdfast, redis, free_port):
    server = redis()
    keys = {"type": "send_expect", "send": r"PING\r\n", "expect": "+PONG", "timeout": "300ms"}
    daemon = holdfast(checked(free_port(), server.address, **keys))
    wait_for_state(daemon, "up")
    with Client(server.port) as client:
        assert client.ask("CONFIG", "SET", "requirepass", "secret") == "+OK"
        assert_goes_down(daemon, "-NOAUTH")
        assert client.ask("CONFIG", "SET", "requirepass", "") == "+OK"
        wait_for_state(daemon, "up")


def test_bytes_of_every_value_are_sent_and_expected(holdfast, tcp_server, free_port):
    every_byte = bytes(range(256))
    received = []

    def serve(connection):
        received.append(tcp.read_exactly(connection, 256))
        connection.sendall(b"noise" + every_byte[::-1])
        tcp.wait_for_end(connection)

    written = "".join(f"\\x{byte:02x}" for byte in every_byte)
    expected = "".join(f"\\x{byte:02x}" for byte in every_byte[::-1])
    server = tcp_server(serve)
    daemon = holdfast(
        checked(free_port(), server.address, type="send_expect", send=written, expect=expected)
    )
    wait_for_state(daemon, "up")
    assert received[0] == every_byte


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path, "web.example.org")


def test_a_tls_handshake_is_verified(holdfast, tcp_server, certificate, free_port):
    seen = []
    front, server = free_port(), tcp_server(certificate.handler(tcp.echo, seen))
    trusted = {"ca": str(certificate.path)}
    daemon = holdfast(
        checked(front, server.address, tls=trusted | {"sni": "web.example.org"})
    )
    wait_for_state(daemon, "up")
    assert seen[-1] == "web.example.org"

    daemon.reload(checked(front, server.address, tls=trusted | {"sni": "db.example.org"}))
    assert_goes_down(daemon, "certificate not valid: hostname mismatch")

    # It is for this address too, which is what is verified without a name.
    daemon.reload(checked(front, server.address, tls=trusted))
    wait_for_state(daemon, "up")
    assert seen[-1] is None

    # By the system's authorities only.
    daemon.reload(checked(front, server.address, tls="on"))
    assert_goes_down(daemon, "certificate not valid: self-signed certificate")

    daemon.reload(checked(front, server.address, tls={"verify": False}))
    wait_for_state(daemon, "up")


def test_a_certificate_is_good_for_its_days(holdfast, tcp_server, tmp_path, free_port):
    expired = Certificate(tmp_path, "web.example.org", days=-1)
    front, server = free_port(), tcp_server(expired.handler(tcp.echo))
    keys = {"ca": str(expired.path), "sni": "web.example.org"}
    daemon = holdfast(checked(front, server.address, tls=keys))
    assert_goes_down(daemon, "certificate not valid: certificate has expired")
    daemon.reload(checked(front, server.address, tls={"verify": "off", "sni": "web.example.org"}))
    wait_for_state(daemon, "up")


def test_tls_is_not_what_every_server_speaks(holdfast, tcp_server, free_port):
    server = tcp_server(tcp.sender(b"220 mail.example.org ESMTP\r\n"))
    daemon = holdfast(checked(free_port(), server.address, tls={"verify": False}))
    assert_goes_down(daemon, "TLS: wrong version number")


def test_a_silent_server_ends_a_handshake_by_the_limit(holdfast, tcp_server, free_port):
    server = tcp_server(tcp.silent)
    keys = {"tls": {"verify": False}, "timeout": "200ms"}
    daemon = holdfast(checked(free_port(), server.address, **keys))
    assert_goes_down(daemon, "timeout in the TLS handshake")


def test_http_and_bytes_go_through_tls(holdfast, tcp_server, certificate, free_port):
    def serve(connection):
        assert connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")

    front, server = free_port(), tcp_server(certificate.handler(serve))
    tls = {"ca": str(certificate.path)}
    daemon = holdfast(checked(front, server.address, type="http", tls=tls))
    wait_for_state(daemon, "up")
    daemon.reload(checked(front, server.address, type="http", tls=tls, status="500-599"))
    assert_goes_down(daemon, "answered HTTP status 200")
    keys = {"type": "send_expect", "send": "hi", "expect": "hello", "tls": tls}
    daemon.reload(checked(front, server.address, **keys))
    wait_for_state(daemon, "up")


def test_certificates_that_vanish_hold_nothing_against_a_backend(
    holdfast, tcp_server, certificate, free_port
):
    front, server = free_port(), tcp_server(certificate.handler(tcp.echo))
    config = checked(front, server.address, tls={"ca": str(certificate.path)})
    daemon = holdfast(config)
    daemon.expect_log(r"worker died|reload failed")
    wait_for_state(daemon, "up")
    certificate.path.unlink()
    result = daemon.tell("reload")
    assert result.returncode == 1
    assert f"cannot open {certificate.path}" in result.stderr

    daemon.kill_worker()
    daemon.wait_for_log(r"check inconclusive pool=web backend=web-1 reason=.*cannot read the cert")
    assert state(daemon) == "up"


class Agent:
    """Answers every connection with the line that it is told to."""

    def __init__(self, line):
        self.line = line

    def __call__(self, connection):
        connection.sendall(self.line)


def test_an_agent_takes_its_backend_up_and_down(holdfast, tcp_server, free_port):
    agent = Agent(b"up\n")
    front, echo, port = free_port(), tcp_server(tcp.echo), tcp_server(agent).port
    daemon = holdfast(checked(front, echo.address, type="agent", port=port))
    wait_for_state(daemon, "up")
    agent.line = b"down#disk full\n"
    assert_goes_down(daemon, "agent says down: disk full")
    agent.line = b"up,ready\r\n"
    wait_for_state(daemon, "up")
    agent.line = b"who are you?\n"
    assert_goes_down(daemon, "agent says 'who', which isn't understood")


def agent_says(daemon, wanted, ratio, backend="web-1"):
    metrics = daemon.metrics()
    of_backend = {"pool": "web", "backend": backend}
    return (
        metrics.value("holdfast_backend_agent_state", state=wanted, **of_backend) == 1
        and metrics.value("holdfast_backend_agent_weight_ratio", **of_backend) == ratio
    )


def names_of(front, count):
    """Which servers so many new connections reach."""
    names = []
    for _ in range(count):
        with tcp.connect(("127.0.0.1", front)) as client:
            names.append(tcp.read_exactly(client, 3).decode())
    return names


def test_what_an_agent_wants_outlives_the_worker(holdfast, tcp_server, free_port):
    """Drain, maint and weights: new connections go by them at once, established ones stay, and the
    next worker knows them before the agent has said anything again."""
    front = free_port()
    one, two = Agent(b"up\n"), Agent(b"up\n")
    servers = [tcp_server(tcp.greeter(name)) for name in ("one", "two")]
    agents = {"one": tcp_server(one), "two": tcp_server(two)}

    # Each backend has an agent of its own, which is asked through a server that tells by the port
    # of the backend's: so `port` isn't used here, but two pools are.
    def config(interval="50ms"):
        health = QUICK | {"type": "agent", "interval": interval}
        pools = [
            {
                "name": name,
                "health": health | {"address": agents[name].address},
                "backends": [{"name": "web-1", "address": server.address}],
            }
            for name, server in zip(agents, servers)
        ]
        listeners = [{"name": "web", "bind": f"127.0.0.1:{front}", "pool": "one"}]
        listeners += [{"name": "two", "bind": f"127.0.0.1:{second}", "pool": "two"}]
        return f"listeners: {json.dumps(listeners)}\npools: {json.dumps(pools)}\n"

    second = free_port()
    daemon = holdfast(config())
    daemon.expect_log(r"worker died")

    def serves(pool):
        return daemon.metrics().value("holdfast_backend_up", pool=pool, backend="web-1") == 1

    with tcp.connect(("127.0.0.1", front)) as client:
        assert tcp.read_exactly(client, 3) == b"one"
        for line in (b"drain\n", b"maint\n", b"ready 0%\n"):
            one.line = line
            wait_until(lambda: not serves("one"))
            tcp.rejected_connection(("127.0.0.1", front))
            assert tcp.echoes(client), "established connections stay"
            one.line = b"ready 100%\n"
            wait_until(lambda: serves("one"))
            assert names_of(front, 1) == ["one"]
        one.line = b"maint#backup\n"
        daemon.wait_for_log(
            r"agent changed pool=one backend=web-1 state=maint weight=100% reason=.*backup"
        )
        wait_until(lambda: not serves("one"))
        for agent in agents.values():
            agent.refuse()
        daemon.kill_worker()
        assert not serves("one"), "its agent is gone, its word holds"
        assert tcp.echoes(client)
        tcp.rejected_connection(("127.0.0.1", front))
    events = json.loads(daemon.get("/api/v1/events")[2])
    changed = [event["fields"] for event in events if event["event"] == "agent_changed"]
    assert changed[-1] == {
        "pool": "one",
        "backend": "web-1",
        "state": "maint",
        "weight": "100%",
        "reason": "agent says backup",
    }


def test_weights_of_agents_share_out_connections(holdfast, tcp_server, free_port):
    """Each backend's agent is at the same port of its host."""
    front, port = free_port(), free_port()
    hosts = {"one": "127.0.0.1", "two": "127.0.0.2"}
    agents = [Agent(b"up 20%\n"), Agent(b"up\n")]
    for agent, host in zip(agents, hosts.values()):
        tcp_server(agent, port=port, host=host)
    servers = [tcp_server(tcp.greeter(name), host=host).address for name, host in hosts.items()]
    health = QUICK | {"type": "agent", "port": port}
    config = web(f"127.0.0.1:{front}", *servers, pool={"health": health}, weights=(10, 1))
    daemon = holdfast(config)
    wait_until(lambda: agent_says(daemon, "ready", 0.2, "web-1"))
    wait_until(lambda: agent_says(daemon, "ready", 1, "web-2"))
    assert names_of(front, 30).count("one") == 20, "2 of 3: a fifth of 10, and 1"

    agents[1].line = b"75%\n"
    agents[0].line = b"up 5%\n"
    wait_until(lambda: agent_says(daemon, "ready", 0.05, "web-1"))
    wait_until(lambda: agent_says(daemon, "ready", 0.75, "web-2"))
    assert names_of(front, 25).count("one") == 10, "2 of 5: half of 1, and three quarters"

    # An agent that isn't asked any more has no say.
    daemon.reload(web(f"127.0.0.1:{front}", *servers, pool={"health": QUICK}, weights=(10, 1)))
    wait_until(lambda: all(agent_says(daemon, "ready", 1, f"web-{n}") for n in (1, 2)))
    assert names_of(front, 22).count("one") == 20


def test_an_agent_is_told_what_is_configured(holdfast, tcp_server, free_port):
    received = []

    def serve(connection):
        received.append(connection.recv(100))
        connection.sendall(b"up\n")

    server = tcp_server(serve)
    daemon = holdfast(checked(free_port(), server.address, type="agent", send=r"web-1\n"))
    wait_for_state(daemon, "up")
    assert received[0] == b"web-1\n"


def test_the_check_may_go_to_another_port_or_address(holdfast, tcp_server, free_port):
    front, echo = free_port(), tcp_server(tcp.echo)
    other = tcp_server(tcp.sender(b"alive"))
    keys = {"type": "send_expect", "expect": "alive"}
    daemon = holdfast(checked(front, echo.address, port=other.port, **keys))
    wait_for_state(daemon, "up")
    with tcp.connect(("127.0.0.1", front)) as client:
        assert tcp.echoes(client)
    other.stop()
    assert_goes_down(daemon, "connection refused")
    again = tcp_server(tcp.sender(b"alive"))
    # A name, which a successor of this worker asks nobody about.
    daemon.expect_log(r"worker died")
    daemon.reload(checked(front, echo.address, address=f"localhost:{again.port}", **keys))
    wait_for_state(daemon, "up")
    daemon.kill_worker()
    accepted = again.accepted
    wait_until(lambda: again.accepted > accepted)


def test_a_check_address_without_an_answer_leaves_backends_as_they_are(
    holdfast, tcp_server, free_port
):
    front, echo = free_port(), tcp_server(tcp.echo)
    daemon = holdfast(checked(front, echo.address, address="no.such.host.invalid:80"))
    daemon.wait_for_log(r"warning backends not checked pool=web reason=.*address=no\.such")
    with tcp.connect(("127.0.0.1", front)) as client:
        assert tcp.echoes(client)


def test_checks_come_sooner_while_it_is_in_doubt_and_while_it_is_down(
    holdfast, tcp_server, free_port
):
    front, other = free_port(), tcp_server(tcp.echo)
    server = tcp_server(tcp.echo)
    server.stop()
    rare = {"interval": "1h", "timeout": "2s", "rise": 3, "fall": 3}
    pools = [
        {
            "name": "web",
            "health": rare | {"fast_interval": "20ms", "down_interval": "30ms"},
            "backends": [{"name": "web-1", "address": server.address}],
        },
        {
            "name": "other",
            "health": QUICK | {"interval": "20ms"},
            "backends": [{"name": "other-1", "address": other.address}],
        },
    ]
    listeners = [
        {"name": pool["name"], "bind": f"127.0.0.1:{port}", "pool": pool["name"]}
        for pool, port in zip(pools, (front, free_port()))
    ]
    daemon = holdfast(f"listeners: {json.dumps(listeners)}\npools: {json.dumps(pools)}\n")
    # Its first check may come late in an hour; it is in doubt, though.
    wait_for_state(daemon, "down")
    server.listen()
    wait_for_state(daemon, "up")
    assert server.accepted == 3
    accepted = other.accepted
    wait_until(lambda: other.accepted > accepted + 10)
    assert server.accepted == 3, "now that it is up, it is checked every hour"


def test_no_more_checks_are_under_way_than_there_may_be(holdfast, tcp_server, free_port):
    lock = threading.Lock()
    under_way = 0
    most = 0

    def slow(connection):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)  # it takes its time
        with lock:
            under_way -= 1
        connection.sendall(b"up\n")

    servers = [tcp_server(slow) for _ in range(5)]
    keys = QUICK | {"type": "agent", "interval": "10ms"}
    config = web(
        f"127.0.0.1:{free_port()}", *(server.address for server in servers), pool={"health": keys}
    )
    daemon = holdfast(config + "\nmax_checks: 2\n")
    wait_until(lambda: all(server.accepted >= 10 for server in servers), 20)
    assert most == 2
    assert daemon.reload(config) == ["max_checks 2 -> 512"]
    wait_until(lambda: most > 2)


@pytest.mark.limit(120)
def test_reloads_find_checks_of_every_type_under_way(holdfast, tcp_server, certificate, free_port):
    """scar 35: pools and backends go while their checks hang in every stage."""

    def dripping(connection):
        with_end = threading.Event()
        while not with_end.wait(0.02):
            connection.sendall(b"x")

    silent, drips = tcp_server(tcp.silent), tcp_server(dripping)
    busy = tcp_server(certificate.handler(tcp.silent))
    kinds = {
        "tcp": {},
        "tls": {"tls": {"verify": False}},
        "http": {"type": "http"},
        "text": {"type": "send_expect", "expect": "never"},
        "agent": {"type": "agent"},
        "https": {"type": "http", "tls": {"verify": False}},
    }
    front = free_port()

    def config(turn):
        pools = []
        for number, (name, keys) in enumerate(kinds.items()):
            if turn % len(kinds) == number:
                continue  # this pool is gone
            servers = [silent, drips, busy][turn % 2 :]
            pools.append(
                {
                    "name": name,
                    "health": {"interval": "10ms", "timeout": "150ms"} | keys,
                    "backends": [
                        {"name": f"{name}-{n}-{turn % 3}", "address": server.address}
                        for n, server in enumerate(servers)
                    ],
                }
            )
        listener = {"name": "web", "bind": f"127.0.0.1:{front}", "pool": pools[0]["name"]}
        return f"listeners: [{json.dumps(listener)}]\npools: {json.dumps(pools)}\n"

    daemon = holdfast(config(0))
    worker = daemon.worker_pid
    for turn in range(1, 31):
        daemon.reload(config(turn))
        passed = "holdfast_backend_health_checks_total"
        before = daemon.metrics().sum(passed)
        wait_until(lambda: daemon.metrics().sum(passed) != before)
    assert daemon.worker_pid == worker


def test_keys_that_do_not_fit_are_refused_with_their_place(holdfast, tcp_server, free_port):
    front, echo = free_port(), tcp_server(tcp.echo)
    daemon = holdfast(checked(front, echo.address))
    daemon.expect_log("reload failed")
    daemon.config_file.write_text(
        f"""
listeners: [{{ name: web, bind: "127.0.0.1:{front}", pool: web }}]
pools:
  - name: web
    health:
      type: tcp
      path: /up
    backends: [{{ name: web-1, address: "{echo.address}" }}]
""",
        encoding="utf-8",
    )
    result = daemon.tell("reload")
    assert result.returncode == 1
    assert ":7:7: error: 'path' doesn't fit health.type tcp" in result.stderr
    assert "help: type http takes it" in result.stderr


def test_plain_connects_are_not_reset(holdfast, free_port):
    """What a check of an application leaves behind there is an ordinary end."""
    ends = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        daemon = holdfast(checked(free_port(), "127.0.0.1:%d" % server.getsockname()[1]))
        for _ in range(5):
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                connection.sendall(b"hello")
                ends.append(connection.recv(1))
    assert ends == [b""] * 5
    assert daemon.worker_pid
