"""The unit as it is installed, judged by systemd's own tools, and the messages it waits for."""

import re
import signal
import socket
import subprocess

import pytest
from support import configuration, tcp
from support.binary import BINARY, ROOT
from support.installation import install

UNIT = ROOT / "systemd/holdfast.service"
MOST_EXPOSURE = 2.0  # of 10, by `systemd-analyze security`


def seconds(name):
    """The value of a directive of the unit that is a whole number of seconds."""
    return int(re.search(rf"^{name}=(\d+)s$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)[1])


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    destination = tmp_path_factory.mktemp("root")
    install(destination)
    return destination


def test_the_unit_is_sandboxed():
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=True,
    )
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    assert float(exposure[1]) <= MOST_EXPOSURE, result.stdout


def test_the_installed_unit_passes_verification_without_a_word(installed, tmp_path):
    unit = (installed / "usr/lib/systemd/system/holdfast.service").read_text(encoding="utf-8")
    # verify wants the program to exist where the unit says.
    copy = tmp_path / "holdfast.service"
    copy.write_text(unit.replace("/usr/sbin/holdfast", f"{installed}/usr/sbin/holdfast"))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_the_installed_program_runs(installed):
    result = subprocess.run(
        [installed / "usr/sbin/holdfast", "version"], capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith("holdfast ")


def test_the_installed_sample_configuration_is_valid(installed):
    subprocess.run(
        [BINARY, "check", "-c", installed / "etc/holdfast/holdfast.yaml"], check=True
    )


def test_a_configuration_that_is_there_already_stays(tmp_path):
    configuration = tmp_path / "etc/holdfast/holdfast.yaml"
    configuration.parent.mkdir(parents=True)
    configuration.write_text("# mine\n", encoding="ascii")
    install(tmp_path)
    assert configuration.read_text(encoding="ascii") == "# mine\n"


@pytest.mark.parametrize(
    ("prefix", "configuration"),
    [
        ("/usr/local", "/etc/holdfast/holdfast.yaml"),
        ("/home/me/holdfast", "/home/me/holdfast/etc/holdfast/holdfast.yaml"),
    ],
)
def test_the_unit_follows_another_prefix(tmp_path, prefix, configuration):
    install(tmp_path, prefix)
    unit = (tmp_path / f"{prefix[1:]}/lib/systemd/system/holdfast.service").read_text()
    assert f"ExecStart={prefix}/sbin/holdfast run -c {configuration}\n" in unit
    assert (tmp_path / f"{prefix[1:]}/sbin/holdfast").exists()
    assert (tmp_path / configuration[1:]).exists()


def test_the_unit_grants_more_time_to_stop_than_shutdown_timeout():
    default = re.search(
        r"shutdown_timeout = std::chrono::seconds\((\d+)\)",
        (ROOT / "include/holdfast/config/config.h").read_text(encoding="utf-8"),
    )
    assert seconds("TimeoutStopSec") > int(default[1])


def test_it_says_when_it_is_ready_and_when_it_stops(holdfast, systemd, tcp_server, free_port):
    front = free_port()
    backend = tcp_server(tcp.echo)
    config = configuration.web(f"127.0.0.1:{front}", backend.address)
    daemon = holdfast(config, environment=systemd.environment)
    assert "READY=1" in systemd.next()
    with socket.create_connection(("127.0.0.1", front), 20) as client:
        client.sendall(b"hello")
        assert tcp.read_exactly(client, 5) == b"hello"
    daemon.send_signal(signal.SIGTERM)
    systemd.next_with("STOPPING=1")


def test_it_feeds_the_watchdog(holdfast, systemd, tcp_server, free_port):
    # Without WATCHDOG_PID, the limit is meant for whoever reads it (sd_watchdog_enabled(3)).
    environment = {**systemd.environment, "WATCHDOG_USEC": "200000"}
    config = configuration.web(f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address)
    holdfast(config, environment=environment)
    systemd.next_with("WATCHDOG=1")
    systemd.next_with("WATCHDOG=1")
