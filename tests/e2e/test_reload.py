"""What `holdfast reload` and SIGHUP put in force, and how they refuse what is no good."""

import contextlib
import os
import signal
import socket
import subprocess

from support import tcp
from support.binary import BINARY
from support.configuration import web
from support.reloading import LAST, RELOADS, config, connect, echoes, named, refuses
from support.waiting import wait_until


def test_backends_come_and_go_and_connections_stay(holdfast, tcp_server, free_port):
    port = free_port()
    blue, green = tcp_server(named(b"blue")).address, tcp_server(named(b"green")).address
    listeners = {"web": (f"127.0.0.1:{port}", "web")}
    daemon = holdfast(config(listeners, {"web": {"blue": blue}}))
    processes = daemon.pid, daemon.worker_pid
    with connect(port, b"blue") as old:
        changes = daemon.reload(config(listeners, {"web": {"green": green}}))
        assert changes == [
            "pool web: backend blue removed",
            f"pool web: backend green added ({green})",
        ]
        with connect(port, b"green") as new:
            assert echoes(old)
            assert echoes(new)
        metrics = daemon.metrics()
        assert metrics.value("holdfast_backend_connections_active", pool="web", backend="blue") == 1
        assert metrics.value(RELOADS, result="succeeded") == 1
    # Once nobody uses it, it is gone from the metrics too.
    wait_until(lambda: 'backend="blue"' not in daemon.get("/metrics")[2])
    assert (daemon.pid, daemon.worker_pid) == processes


def test_a_listener_can_be_pointed_at_another_pool(holdfast, tcp_server, free_port):
    port = free_port()
    pools = {
        "one": {"a": tcp_server(named(b"one")).address},
        "two": {"b": tcp_server(named(b"two")).address},
    }
    daemon = holdfast(config({"web": (f"127.0.0.1:{port}", "one")}, pools))
    with connect(port, b"one") as old:
        changes = daemon.reload(config({"web": (f"127.0.0.1:{port}", "two")}, pools))
        assert changes == ["listener web: pool one -> two"]
        with connect(port, b"two") as new:
            assert echoes(old)
            assert echoes(new)


def test_listeners_come_and_go_and_connections_stay(holdfast, tcp_server, free_port):
    ports = free_port(), free_port()
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    first, second = ({f"l{port}": (f"127.0.0.1:{port}", "web")} for port in ports)
    daemon = holdfast(config(first, pools))
    with connect(ports[0], b"a") as old:
        daemon.reload(config(first | second, pools))
        with connect(ports[1], b"a") as new:
            daemon.reload(config(second, pools))
            wait_until(lambda: refuses("127.0.0.1", ports[0]))
            assert echoes(old)
            assert echoes(new)
            # Its port is free for anybody now.
            with socket.create_server(("127.0.0.1", ports[0])):
                pass
            # And a listener that comes back serves again.
            wait_until(lambda: daemon.reload(config(first | second, pools)) or True)
            with connect(ports[0], b"a") as again:
                assert echoes(again)


def test_a_renamed_listener_keeps_its_sockets(holdfast, tcp_server, free_port):
    port = free_port()
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    daemon = holdfast(config({"old": (f"127.0.0.1:{port}", "web")}, pools))
    with connect(port, b"a") as client:
        daemon.reload(config({"new": (f"127.0.0.1:{port}", "web")}, pools))
        assert len([line for line in daemon.log if " info listening " in line]) == 1
        with connect(port, b"a"):
            value = daemon.metrics().value
            assert value("holdfast_listener_connections_total", listener="new") == 1
        assert echoes(client)
    wait_until(lambda: 'listener="old"' not in daemon.get("/metrics")[2])


def test_a_listener_moves_from_one_address_to_all_of_the_host(holdfast, tcp_server, free_port):
    port = free_port()
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    daemon = holdfast(config({"web": (f"127.0.0.1:{port}", "web")}, pools))
    with connect(port, b"a") as client:
        daemon.reload(config({"web": (f"0.0.0.0:{port}", "web")}, pools))
        with connect(port, b"a", "127.0.0.2") as other:
            assert echoes(other)
        assert echoes(client)


def test_unix_listeners_come_and_go(holdfast, tcp_server, free_port, socket_directory):
    path = socket_directory / "web.sock"
    tcp_only = {"web": (f"127.0.0.1:{free_port()}", "web")}
    both = tcp_only | {"unix": (f"unix:{path}", "web")}
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    daemon = holdfast(config(tcp_only, pools))
    for _ in range(3):
        daemon.reload(config(both, pools))
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(path))
            assert tcp.read_exactly(client, 1) == b"a"
            daemon.reload(config(tcp_only, pools))
            assert not path.exists()
            assert echoes(client)


def test_more_and_fewer_threads_serve(holdfast, tcp_server, free_port):
    port = free_port()
    listeners = {"web": (f"127.0.0.1:{port}", "web")}
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    daemon = holdfast(config(listeners, pools, "threads: 2"))
    with contextlib.ExitStack() as stack:
        clients = []
        for threads in (4, 1, 3, 2):
            clients += [stack.enter_context(connect(port, b"a")) for _ in range(12)]
            daemon.reload(config(listeners, pools, f"threads: {threads}"))
            assert all(echoes(client) for client in clients)
        daemon.expect_log(" error worker died")
        daemon.kill_worker()
        assert all(echoes(client) for client in clients)
        clients += [stack.enter_context(connect(port, b"a")) for _ in range(12)]
        assert all(echoes(client) for client in clients)


def test_max_connections_can_be_raised_while_clients_wait(holdfast, tcp_server, free_port):
    port = free_port()
    listeners = {"web": (f"127.0.0.1:{port}", "web")}
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    daemon = holdfast(config(listeners, pools, "max_connections: 1"))
    with connect(port, b"a"), socket.create_connection(("127.0.0.1", port), 10) as waiting:
        daemon.wait_for_log(" warning accept paused")
        daemon.reload(config(listeners, pools, "max_connections: 2"))
        assert tcp.read_exactly(waiting, 1) == b"a"


def test_weights_logs_and_timeouts_change(holdfast, tcp_server, free_port):
    bind, backend = f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address
    daemon = holdfast(web(bind, backend))
    changed = web(bind, backend, rest="log: { level: debug, connections: all }\nwatchdog: 3s")
    assert daemon.reload(changed) == [
        "watchdog 2s -> 3s",
        "log.level info -> debug",
        "log.connections failed -> all",
    ]
    port = int(bind.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        assert echoes(client)
    daemon.wait_for_log(" info connection closed listener=web .*cause=finished")
    assert daemon.reload(changed) == ["reloaded, nothing differs"]


def test_admin_addresses_move(holdfast, tcp_server, free_port, socket_directory):
    bind, backend = f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address
    text = web(bind, backend)
    daemon = holdfast(text)
    before, after = daemon.admin, f"127.0.0.1:{free_port()}"
    path = socket_directory / "other.sock"
    moved = f'admin: {{ http: "{after}", socket: {path} }}\nshutdown_timeout: 5s'
    daemon.config_file.write_text(web(bind, backend, rest=moved), encoding="utf-8")
    assert daemon.tell("reload").returncode == 0
    daemon.admin, old_socket, daemon.socket = after, daemon.socket, str(path)
    assert daemon.get("/readyz")[0] == 200
    assert refuses(*before.split(":"))
    assert not os.path.exists(old_socket)
    assert daemon.tell("reload").stdout == "reloaded, nothing differs\n"


INVALID = """
listeners: [{ name: web, bind: "127.0.0.1:1", pool: wbe }]
pools: [{ name: web, balanse: x, backends: [] }]
"""


def test_an_invalid_file_changes_nothing_and_says_all_that_is_wrong(
    holdfast, tcp_server, free_port
):
    port = free_port()
    good = web(f"127.0.0.1:{port}", tcp_server(named(b"a")).address)
    daemon = holdfast(good)
    daemon.expect_log(" error reload failed ")
    with connect(port, b"a") as client:
        daemon.write_config(INVALID)
        done = daemon.tell("reload")
        assert done.returncode == 1
        assert f"{daemon.config_file}:2:53: error: there is no pool 'wbe'" in done.stderr
        assert f"{daemon.config_file}:3:22: error: unknown key 'balanse'" in done.stderr
        assert "help: did you mean 'balance'?" in done.stderr
        assert done.stderr.endswith("holdfast: not reloaded, nothing was changed\n")
        assert daemon.metrics().value(LAST) == 0
        assert daemon.metrics().value(RELOADS, result="failed") == 1
        assert echoes(client)
        with connect(port, b"a"):
            pass
        daemon.reload(good)
        assert daemon.metrics().value(LAST) == 1


def test_an_address_that_is_taken_changes_nothing(holdfast, tcp_server, free_port):
    port = free_port()
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    good = {"web": (f"127.0.0.1:{port}", "web")}
    daemon = holdfast(config(good, pools))
    daemon.expect_log(" error reload failed ")
    with socket.create_server(("127.0.0.1", 0)) as other, connect(port, b"a") as client:
        free, taken = free_port(), other.getsockname()[1]
        bad = {
            "new": (f"127.0.0.1:{free}", "web"),
            "bad": (f"127.0.0.1:{taken}", "web"),
        }
        daemon.write_config(config(bad, {"web": {"b": "127.0.0.1:1"}}))
        done = daemon.tell("reload")
        assert done.returncode == 1
        assert f"listener bad: cannot listen on 127.0.0.1:{taken}" in done.stderr
        assert refuses("127.0.0.1", free)
        assert echoes(client)
        with connect(port, b"a"):
            pass


# scar 41
def test_bad_reloads_leave_no_descriptor_behind(holdfast, tcp_server, free_port):
    port = free_port()
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    daemon = holdfast(config({"web": (f"127.0.0.1:{port}", "web")}, pools))
    daemon.expect_log(" error reload failed ")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        bad = {
            "new": (f"127.0.0.1:{free_port()}", "web"),
            "bad": (f"127.0.0.1:{taken}", "web"),
        }
        daemon.write_config(config(bad, pools))
        assert daemon.tell("reload").returncode == 1
        open_before = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        for _ in range(10):
            assert daemon.tell("reload").returncode == 1
        wait_until(lambda: len(os.listdir(f"/proc/{daemon.pid}/fd")) <= open_before)


def test_a_signal_reloads_as_well(holdfast, tcp_server, free_port):
    bind, backend = f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address
    daemon = holdfast(web(bind, backend))
    daemon.write_config(web(bind, backend, rest="threads: 1"))
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_log(r' info changed what="threads auto -> 1"')
    daemon.wait_for_log(" info reloaded file=.* changes=1")
    daemon.write_config("nonsense")
    daemon.expect_log(" error reload failed ")
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_log(" error reload failed ")


@contextlib.contextmanager
def stopping(holdfast, tcp_server, free_port):
    """A balancer that was told to end and waits for its last client."""
    port = free_port()
    daemon = holdfast(
        web(f"127.0.0.1:{port}", tcp_server(tcp.echo).address, rest="shutdown_timeout: 20s")
    )
    with tcp.connect(("127.0.0.1", port)) as client:
        assert tcp.echoes(client)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_for_log(" info stopping ")
        yield daemon


def test_a_signal_that_comes_when_it_is_stopping_is_no_failure(holdfast, tcp_server, free_port):
    """A service manager may send both at once, and nothing is wrong with the file."""
    with stopping(holdfast, tcp_server, free_port) as daemon:
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_for_log(' info reload not done reason="holdfast is stopping"')
        assert daemon.metrics().value("holdfast_config_last_reload_successful") == 1


def test_a_reload_asked_of_one_that_is_stopping_is_put_off(holdfast, tcp_server, free_port):
    with stopping(holdfast, tcp_server, free_port) as daemon:
        assert [daemon.post("/api/v1/reload") for _ in range(5)] == [503] * 5
    daemon.wait_for_log(" info stopped$")
    assert sum(" info reload not done " in line for line in daemon.log) == 1


def test_who_asks_one_that_ends_meanwhile_hears_that_nobody_is_left(
    holdfast, tcp_server, free_port
):
    with stopping(holdfast, tcp_server, free_port) as daemon:
        asking = subprocess.Popen(
            [BINARY, "reload", "--socket", daemon.socket], stderr=subprocess.PIPE, text=True
        )
        daemon.wait_for_log(' info reload not done reason="holdfast is stopping"')
    _, said = asking.communicate(timeout=30)
    assert asking.returncode == 3
    assert said.startswith(f"holdfast: no instance answers at {daemon.socket}: ")


def test_a_pipe_in_place_of_the_file_holds_up_no_later_reload(holdfast, tcp_server, free_port):
    bind, backend = f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address
    daemon = holdfast(web(bind, backend))
    daemon.expect_log(" error reload failed ")
    daemon.config_file.unlink()
    os.mkfifo(daemon.config_file)
    done = daemon.tell("reload")
    assert done.returncode == 1
    assert "is a pipe, which can't be read again" in done.stderr
    daemon.config_file.unlink()
    assert daemon.reload(web(bind, backend, rest="threads: 1")) == ["threads auto -> 1"]


def test_checks_turned_off_take_a_backend_back_in(holdfast, free_port, tcp_server):
    port = free_port()
    text = config({"web": (f"127.0.0.1:{port}", "web")}, {"web": {"a": f"127.0.0.1:{free_port()}"}})
    daemon = holdfast(text.replace("{ type: none }", "{ interval: 50ms }"))
    wait_until(lambda: daemon.metrics().value("holdfast_backend_up", pool="web", backend="a") == 0)
    daemon.reload(text)
    assert daemon.metrics().value("holdfast_backend_up", pool="web", backend="a") == 1
