"""Agents: what they say takes their backend up, down and out, and gives it its share."""

import json

from support import tcp
from support.checks import QUICK, assert_goes_down, checked, wait_for_state
from support.configuration import web
from support.operating import tell
from support.waiting import wait_until


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

    # `address` is the pool's: two agents, two pools.
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


def test_who_waits_is_served_when_an_agent_takes_its_backend_back_in(
    holdfast, tcp_server, free_port
):
    front, port = free_port(), free_port()
    hosts = {"one": "127.0.0.1", "two": "127.0.0.2"}
    agents = [Agent(b"up ready\n"), Agent(b"up ready\n")]
    for agent, host in zip(agents, hosts.values()):
        tcp_server(agent, port=port, host=host)
    backends = [
        {"name": name, "address": tcp_server(tcp.greeter(name), host=host).address}
        for name, host in hosts.items()
    ]
    pool = {
        "backends": [backends[0] | {"max_connections": 1}, backends[1]],
        "health": QUICK | {"type": "agent", "port": port},
        "queue": {"size": 5, "timeout": "1m"},
    }
    daemon = holdfast(web(f"127.0.0.1:{front}", pool=pool))
    for name in hosts:
        wait_for_state(daemon, "up", name)
    for _ in range(5):  # one that comes at a moment when somebody looks anyway proves nothing
        agents[1].line = b"drain\n"
        wait_until(lambda: agent_says(daemon, "drain", 1, "two"))
        assert "drain (agent)" in tell(daemon, "backends")[2]
        with tcp.connect(("127.0.0.1", front)) as held:
            assert tcp.read_exactly(held, 3) == b"one"
            with tcp.connect(("127.0.0.1", front)) as client:
                queue = "holdfast_pool_queue_length"
                wait_until(lambda: daemon.metrics().value(queue, pool="web") == 1)
                said = len(daemon.log)
                agents[1].line = b"ready\n"
                daemon.wait_for_log("agent changed .* state=ready ", after=said)
                assert daemon.metrics().value(queue, pool="web") == 0
                assert tcp.read_exactly(client, 3) == b"two"
        active = "holdfast_backend_connections_active"
        wait_until(lambda: daemon.metrics().sum(active) == 0)


def test_an_agent_is_told_what_is_configured(holdfast, tcp_server, free_port):
    received = []

    def serve(connection):
        received.append(connection.recv(100))
        connection.sendall(b"up\n")

    server = tcp_server(serve)
    daemon = holdfast(checked(free_port(), server.address, type="agent", send=r"web-1\n"))
    wait_for_state(daemon, "up")
    assert received[0] == b"web-1\n"
