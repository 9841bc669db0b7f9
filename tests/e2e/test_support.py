"""The tests' own tools: a check that cannot fail checks nothing."""

import sys

import pytest
from support.daemon import Holdfast
from support.metrics import Metrics
from support.process import Process
from support.waiting import wait_until


def python(code):
    return Process([sys.executable, "-u", "-c", code])


def logged(line):
    """A balancer that has logged this line; nothing is started."""
    daemon = Holdfast.__new__(Holdfast)
    daemon.log = ["2026-01-02T03:04:05.678Z info ready", line]
    daemon._expected = []
    return daemon


@pytest.mark.parametrize(
    "line",
    [
        "2026-01-02T03:04:05.678Z error worker_died cause=signal",
        "2026-01-02T03:04:05.678Z critical out_of_memory",
        "holdfast: relay.cc:12: void f(): Assertion `x == y' failed.",
        "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60",
        "WARNING: ThreadSanitizer: data race (pid=7)",
        "pump.cc:9:3: runtime error: signed integer overflow",
        "terminate called after throwing an instance of 'std::bad_alloc'",
    ],
)
def test_a_bad_line_of_the_log_fails_a_test(line):
    with pytest.raises(AssertionError, match="on standard error"):
        logged(line).assert_log_is_clean()


def test_an_expected_error_does_not():
    daemon = logged("2026-01-02T03:04:05.678Z error reload_failed file=a.yaml")
    daemon.expect_log("reload_failed")
    daemon.assert_log_is_clean()


def test_the_word_error_in_a_value_is_no_error():
    logged("2026-01-02T03:04:05.678Z info backend_down reason=error").assert_log_is_clean()


def test_metrics_are_found_by_name_and_labels():
    metrics = Metrics.parse(
        "# HELP x_total Text\n# TYPE x_total counter\n"
        'x_total{pool="a",backend="b"} 3\nx_total{pool="a",backend="c, \\"d\\""} 4\nup 1\n'
    )
    assert metrics.value("up") == 1
    assert metrics.value("x_total", pool="a", backend="b") == 3
    assert metrics.sum("x_total", pool="a") == 7
    with pytest.raises(AssertionError):
        metrics.value("x_total", pool="a")


def test_waiting_for_what_never_comes_fails():
    with pytest.raises(AssertionError, match="not true within 0.05 s"):
        wait_until(lambda: False, 0.05)


def test_a_line_is_waited_for_and_found():
    process = python("import sys; print('ready port=7', file=sys.stderr); sys.stdin.read()")
    assert process.wait_for_log(r"port=(\d+)")[1] == "7"
    assert process.stop() == 0 or process.exit_code < 0


def test_waiting_for_a_line_ends_with_the_process():
    process = python("import sys; sys.exit('no such file')")
    with pytest.raises(AssertionError, match="no such file"):
        process.wait_for_log("ready", timeout=30)
    assert process.wait() == 1


def test_what_ignores_sigterm_is_killed_and_fails():
    process = python(
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print('deaf', file=sys.stderr)\n"
        "signal.pause()"
    )
    process.wait_for_log("deaf")
    with pytest.raises(AssertionError, match="did not stop within"):
        process.stop(timeout=0.1)
    assert process.exit_code == -9


def test_open_sockets_are_counted():
    process = python(
        "import socket, sys, signal\na = socket.socket(); b = socket.socket()\n"
        "print('open', file=sys.stderr)\nsignal.pause()"
    )
    process.wait_for_log("open")
    assert process.open_sockets() == 2
    process.stop()
