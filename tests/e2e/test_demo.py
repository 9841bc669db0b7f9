"""`holdfast demo`, which shows a backend and the balancer itself die without a request failing, and
the service that it shows it with."""

import http.client
import os
import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support import command, tcp
from support.binary import BINARY
from support.daemon import members_of
from support.process import Process
from support.waiting import wait_until

SHORTEST = 8  # seconds
DEATHS = 10
RATE = 100
TAKEN_OVER = (
    r"  +\d+\.\d s  holdfast's worker is killed \(SIGKILL\), the next takes over [\d,]+ connections "
    r"after [\d.,]+ ms"
)


@pytest.fixture
def demo(tmp_path):
    """demo(*arguments) is the shortest demo there is, running. Its temporary files are below
    tmp_path."""
    started = []

    def start(*arguments):
        words = [BINARY, "demo", "--duration", f"{SHORTEST}s", "--rate", RATE, *arguments]
        started.append(Process(words, env={**os.environ, "TMPDIR": str(tmp_path)}))
        return started[-1]

    yield start
    for process in started:
        process.kill()


def children(process):
    """The pids of what the demo has started, by what they are: run, web-1, web-2 ..."""
    pids = command.run(["pgrep", "-P", process.pid]).stdout.split()
    lines = {int(pid): Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in pids}
    return {line[1] if line[1] == "run" else line[-2]: pid for pid, line in lines.items()}


def is_running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"  # whoever is to reap it


def assert_all_gone(family):
    """And nothing that they made in their last moments is left in their process groups."""
    wait_until(lambda: not any(is_running(pid) for pid in family.values()))
    wait_until(lambda: not members_of(family["run"]))


def started(process):
    """Waits until requests are flowing; what the demo has started by then."""
    process.wait_for_output("requests  failed", timeout=10)
    family = children(process)
    assert sorted(family) == ["run", "web-1", "web-2", "web-3"]
    (family["worker"],) = set(members_of(family["run"])) - {family["run"]}
    return family


def in_the_second_act(process):
    """Waits until the balancer's worker has died and been replaced; what there is by then."""
    process.wait_for_output(TAKEN_OVER, timeout=SHORTEST + 20)
    family = children(process)
    assert sorted(family) == ["run", "web-1", "web-2", "web-3"]
    return family


def assert_told_in_order(story, lines):
    rest = iter(lines)
    for pattern in story:
        assert any(re.fullmatch(pattern, line) for line in rest), (pattern, lines)


def get(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        connection.request("GET", parts.path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_it_tells_of_every_death_and_counts_every_request(demo, tmp_path):
    process = demo()
    family = started(process)
    assert process.wait(SHORTEST + 20) == 0
    assert process.log == []
    text = "\n".join(process.output)

    assert process.output[0] == (
        f"holdfast in front of 3 backends, {RATE} requests a second, each on a new connection"
    )
    story = [
        r"  +\d\.\d s  web-2 is killed \(SIGKILL\)",
        r"  +\d\.\d s  holdfast takes it out after [\d.,]+ ms \(connection refused\), "
        r"having retried [\d,]+ connections? elsewhere",
        r"  +\d\.\d s  web-2 is started again",
        r"  +\d\.\d s  holdfast takes it back in after [\d.,]+ ms \(checks passed\)",
        r"  +\d+\.\d s  100 connections are opened to stay, each with a request now and then",
        *[TAKEN_OVER] * DEATHS,
        r"  +\d+\.\d s  holdfast is upgraded in place \(holdfast upgrade\)",
        r"  +\d+\.\d s  the new program takes over [\d,]+ connections after [\d.,]+ ms",
    ]
    assert_told_in_order(story, process.output)
    assert len(re.findall(TAKEN_OVER, text)) == DEATHS
    rows = re.findall(
        r"^ +(\d+\.\d) s +\d+ +\d+ +[\d.,]+ ms +[\d.,]+ ms  ([23]) of 3$", text, re.M
    )
    assert len(rows) >= SHORTEST, text  # more where the machine holds up the second act
    assert float(rows[-1][0]) >= SHORTEST

    answered, asked = re.search(
        r"^  (\d+) of (\d+) requests answered p50 ", text.replace(",", ""), re.M
    ).groups()
    inside = re.search(r"^  (\d+) requests? failed inside web-2 when it was killed$", text, re.M)[1]
    assert int(asked) >= SHORTEST * RATE
    assert int(answered) + int(inside) == int(asked)
    assert "  no other request failed" in process.output
    assert re.search(
        r"^  [1-9]\d* connections? found a dead backend and got another one instead$", text, re.M
    )
    assert (
        f"  100 of 100 established connections lived through {DEATHS} deaths of the worker "
        "and an upgrade"
    ) in process.output
    assert "\033" not in text  # colours are for terminals
    assert_all_gone(family)
    assert os.listdir(tmp_path) == []


def test_an_established_connection_that_is_lost_is_not_passed_over(demo):
    process = demo()
    family = in_the_second_act(process)
    os.kill(family["web-1"], signal.SIGKILL)  # with every connection that ends there
    assert process.wait(SHORTEST + 30) == 1
    text = "\n".join(process.output)
    lived = re.search(r"^  (\d+) of 100 established connections lived through ", text, re.M)[1]
    lost = re.findall(r"^  (\d+) connections? lost: \S+", text, re.M)
    assert 0 < int(lived) < 100
    assert int(lived) + sum(map(int, lost)) == 100


def test_kept_up_it_can_be_tried_out_until_ctrl_c(demo, tmp_path):
    process = demo("--keep")
    last = "All of it stays up until Ctrl-C:"
    process.wait_for_output(f"^{last}$", timeout=SHORTEST + 20)
    end = process.output.index(last)
    family = started(process)
    socket = process.wait_for_output(r"^  control   --socket (\S+)$", after=end)[1]
    assert command.holdfast("reload", "--socket", socket).returncode == 0
    assert command.holdfast("upgrade", "--socket", socket).returncode == 0
    balancer = process.wait_for_output(r"^  balancer  (http://\S+/)$", after=end)[1]
    metrics = process.wait_for_output(r"^  metrics   (http://\S+/metrics)$", after=end)[1]
    names = {get(balancer)[1].split()[0] for _ in range(6)}
    assert names == {"web-1", "web-2", "web-3"}
    status, text = get(metrics)
    assert status == 200
    assert 'holdfast_backend_up{pool="web",backend="web-2"} 1' in text

    assert process.stop(signal.SIGINT) == 128 + signal.SIGINT
    assert process.log == []
    assert_all_gone(family)
    assert os.listdir(tmp_path) == []


def test_stopped_in_the_first_act_it_takes_everything_down(demo, tmp_path):
    process = demo()
    family = started(process)
    assert process.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    assert_all_gone(family)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("moment", [TAKEN_OVER, "is upgraded in place", "the new program"])
def test_stopped_in_the_second_act_it_takes_everything_down(demo, tmp_path, moment):
    process = demo()
    family = in_the_second_act(process)
    process.wait_for_output(moment, timeout=SHORTEST + 20)
    assert process.stop(signal.SIGINT) == 128 + signal.SIGINT
    assert process.log == []
    assert_all_gone(family)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("act", [started, in_the_second_act])
def test_killed_it_leaves_no_child(demo, act):
    process = demo()
    family = act(process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert_all_gone(family)


def test_it_fails_and_says_why_when_the_balancer_dies(demo):
    process = demo()
    family = started(process)
    os.kill(family["run"], signal.SIGKILL)
    assert process.wait(10) == 1
    assert process.log[0] == "holdfast demo: the balancer has ended (signal 9)"
    # What the balancer said last, for whoever looks into it.
    assert any(" info ready" in line for line in process.log[1:])
    assert_all_gone(family)


def test_an_instance_says_its_name(instance):
    service = instance("blue")
    service.wait_for_output(rf"^listening 127\.0\.0\.1:{service.port}$")
    status, body = get(f"http://{service.address}/")
    assert (status, body.split()[0]) == (200, "blue")
    assert service.stop(signal.SIGTERM) == 0
    assert service.log == []


def test_an_instance_finds_a_port_by_itself():
    service = Process([BINARY, "instance", "--name", "green"])
    try:
        port = service.wait_for_output(r"^listening 127\.0\.0\.1:(\d+)$")[1]
        assert get(f"http://127.0.0.1:{port}/")[1].split()[0] == "green"
        assert service.stop(signal.SIGINT) == 0
    finally:
        service.kill()


@pytest.mark.parametrize("form", ["taken", "nonsense"])
def test_an_instance_that_cannot_listen_says_where(tcp_server, form):
    taken = tcp_server(tcp.silent).address
    listen, message = {
        "taken": (taken, f"cannot listen on {taken}: address already in use"),
        "nonsense": ("here", "--listen here: write host:port, [ipv6]:port or unix:/path"),
    }[form]
    result = command.holdfast("instance", "--listen", listen)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"holdfast instance: {message}\n"
