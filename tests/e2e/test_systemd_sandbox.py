"""What the unit forbids is nothing that the balancer does, as strace(1) sees it."""

import re
import socket

import pytest
from support import command, configuration, tcp
from support.binary import ROOT
from support.waiting import wait_until

UNIT = (ROOT / "systemd/holdfast.service").read_text(encoding="utf-8")
BULK = bytes(16 << 20)  # enough to be spliced


def settings(name):
    """The words of every line of the unit that sets this."""
    lines = re.findall(rf"^{name}=(.*)$", UNIT, re.MULTILINE)
    return [line.split() for line in lines]


def calls_in(groups):
    """The system calls that these words of a SystemCallFilter= stand for."""
    calls = set()
    for group in groups:
        if not group.startswith("@"):
            calls.add(group)
            continue
        listed = command.run(["systemd-analyze", "--no-pager", "syscall-filter", group])
        assert listed.returncode == 0, listed.stderr
        lines = [line.strip() for line in listed.stdout.splitlines()[1:]]
        calls |= calls_in(line for line in lines if line and not line.startswith("#"))
    return calls


def allowed_calls():
    allowed = set()
    for words in settings("SystemCallFilter"):
        if words[0].startswith("~"):
            allowed -= calls_in([words[0][1:], *words[1:]])
        else:
            allowed |= calls_in(words)
    return allowed


@pytest.fixture
def trace(holdfast, tcp_server, free_port, tmp_path, tmp_path_factory):
    """Every system call of a balancer that does all it can, a line each."""
    file, front = tmp_path / "trace", ("127.0.0.1", free_port())
    path = tmp_path_factory.mktemp("s") / "web.sock"
    echo = tcp_server(tcp.echo)
    dead, named = f"127.0.0.1:{free_port()}", f"localhost:{echo.port}"
    checks = {"health": {"interval": "50ms", "timeout": "2s"}}
    config = configuration.web(
        ["%s:%d" % front, f"[::1]:{front[1]}", f"unix:{path}"],
        *(dead, echo.address, named),
        pool=checks,
        rest="threads: 2\nlog: { level: debug, connections: all }",
    )
    # As a grandchild (-D), it leaves the balancer's pid and signals to whoever started it.
    daemon = holdfast(config, before=["strace", "-D", "-f", "-qq", "-o", file])
    daemon.wait_for_log(" backend down ")
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(path))
        client.sendall(b"hello")
        assert tcp.read_exactly(client, 5) == b"hello"
    with socket.create_connection(front, 20) as client:
        client.sendall(b"hello")
        assert tcp.read_exactly(client, 5) == b"hello"
    download(front)
    assert daemon.get("/metrics")[0] == 200
    pid = daemon.pid
    assert daemon.stop() == 0
    wait_until(lambda: f"{pid} exit_group(0)" in squeezed(file))
    return squeezed(file).splitlines()


def squeezed(file):
    return re.sub(" +", " ", file.read_text(encoding="utf-8", errors="replace"))


def download(address):
    """Moves enough at once for the bytes to be spliced."""
    with socket.create_connection(address, 20) as client:
        client.setblocking(False)
        sent = 0
        try:
            while sent < len(BULK):
                sent += client.send(BULK[sent:])
        except BlockingIOError:
            pass
        client.settimeout(20)
        assert len(tcp.read_exactly(client, sent)) == sent


def test_the_sandbox_allows_every_system_call_it_makes(trace):
    made = {match[1] for line in trace if (match := re.match(r"\d+ (\w+)\(", line))}
    assert {"splice", "accept4", "epoll_ctl", "prlimit64"} <= made  # it has seen the real work
    assert made - allowed_calls() == set()

    families = {match[1] for line in trace if (match := re.search(r" socket\((AF_\w+)", line))}
    permitted = set(settings("RestrictAddressFamilies")[0])
    # glibc asks netlink which addresses this host has, and does without when it may not.
    assert families - permitted - {"AF_NETLINK"} == set()

    if settings("MemoryDenyWriteExecute") == [["yes"]]:
        assert not [line for line in trace if re.search(r"PROT_WRITE\|PROT_EXEC", line)]
        assert not [line for line in trace if re.search(r" mprotect\(.*PROT_EXEC", line)]
