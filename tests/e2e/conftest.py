"""What end-to-end tests are given: the balancer, real servers and odd ones, all ended with the
test. How to use them is in CONTRIBUTING.md."""

import contextlib
import hashlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest
from support import ports, servers, tcp
from support.binary import BINARY
from support.command import run
from support.configuration import NO_CHECKS, web
from support.continuity import DEATHS
from support.crowd import Crowd, Services
from support.daemon import Holdfast
from support.faults import BINARY as FAULTS_BINARY
from support.faults import Faults
from support.machine import Machine
from support.namespaces import Namespaces
from support.program import Program
from support.service import Service
from support.systemd import Systemd
from support.tcp import TcpServer
from support.wire import Wire

BIG_FILE_SIZE = 64 << 20
USUAL_LIMIT = 120

_daemons = pytest.StashKey[list]()
_failed = pytest.StashKey[bool]()


@pytest.fixture
def free_port():
    """free_port() is a TCP port that nobody uses."""
    return ports.free_port


@pytest.fixture
def holdfast(request, tmp_path):
    """holdfast(config) is a running balancer, an instance of support.daemon.Holdfast.

    After the test it must stop with exit code 0 on SIGTERM (or have ended with `expected_exit`,
    which a test that kills it sets), hold no sockets of clients that are gone, and have logged no
    error that the test did not expect.
    """
    assert BINARY.exists(), f"{BINARY} is not built"
    started = request.node.stash[_daemons] = []

    def start(config, **options):
        directory = tmp_path / f"holdfast-{len(started) + 1}"
        directory.mkdir()
        daemon = Holdfast(directory, config, **options)
        started.append(daemon)
        return daemon

    try:
        yield start
        if not request.node.stash.get(_failed, False):
            for daemon in started:
                daemon.assert_ends_well()
    finally:
        for daemon in started:
            daemon.kill()


@pytest.fixture
def balancing(holdfast):
    """balancing(backend's address ...) -> (balancer, its address), for tests that kill workers."""

    def start(*backends, timeout="10s", **settings):
        address = ("127.0.0.1", ports.free_port())
        # Python's servers may be slow to accept a crowd, and the kernel to ask again; that isn't
        # what these tests are about.
        pool = {"health": NO_CHECKS, "connect": {"timeout": timeout}, "passive": "off"}
        daemon = holdfast(web("%s:%d" % address, *backends, pool=pool, **settings))
        daemon.expect_log(DEATHS)
        return daemon, address

    return start


@pytest.fixture
def faults(tmp_path):
    """Where the processes of faulty() die, a support.faults.Faults."""
    with contextlib.closing(Faults(tmp_path)) as made:
        yield made


@pytest.fixture
def faulty(holdfast, faults):
    """faulty(config) is the balancer in the build with fault points."""

    def start(config, **options):
        daemon = holdfast(
            config, environment=faults.environment, binary=FAULTS_BINARY, **options
        )
        daemon.expect_log(r" error (worker died cause=(crashed|killed|hung)|worker hangs)")
        return daemon

    assert FAULTS_BINARY.exists(), f"{FAULTS_BINARY} is not built"
    return start


@pytest.fixture
def program():
    """A copy of the balancer to start instances from and to replace, a support.program.Program."""
    with contextlib.closing(Program()) as made:
        yield made


@pytest.fixture
def address():
    """A loopback address that nobody uses."""
    return "127.0.0.1", ports.free_port()


@pytest.fixture
def echoing(holdfast, program, tcp_server, address):
    """A balancer that runs `program` at `address`, in front of a server that echoes."""
    text = web("%s:%d" % address, tcp_server(tcp.echo).address, pool={"health": NO_CHECKS})
    return holdfast(text, binary=program.path)


@pytest.fixture
def nginx(tmp_path, served_files):
    """nginx() serves `served_files` over HTTP."""
    yield from _stopping(
        lambda count, **options: servers.nginx(
            _subdirectory(tmp_path, f"nginx-{count}"), served_files.root, **options
        )
    )


@pytest.fixture
def redis(tmp_path):
    """redis() is an empty Redis."""
    yield from _stopping(
        lambda count, **options: servers.redis(
            _subdirectory(tmp_path, f"redis-{count}"), **options
        )
    )


@pytest.fixture
def postgres(postgres_cluster):
    """postgres() is a fresh PostgreSQL server."""
    yield from _stopping(lambda _, **options: postgres_cluster.start(**options))


@pytest.fixture
def iperf3():
    """iperf3() is an iperf3 server."""
    yield from _stopping(lambda _, **options: servers.iperf3(**options))


@pytest.fixture
def instance():
    """instance("name") is a `holdfast instance`, which answers HTTP with its name."""
    yield from _stopping(lambda _, name, **options: servers.instance(name, **options))


@pytest.fixture
def tcp_server():
    """tcp_server(handler) is a support.tcp.TcpServer."""
    yield from _stopping(lambda _, handler, **options: TcpServer(handler, **options))


@pytest.fixture
def crowd_services():
    """crowd_services() is what a crowd talks to: `.address` and `.bulk_address`."""
    yield from _stopping(lambda _: Services())


@pytest.fixture
def crowd():
    """crowd(target, bulk_target) is a support.crowd.Crowd of clients, all established:
    .event(name), .finish().assert_nothing_lost()."""
    yield from _stopping(lambda _, *targets, **counts: Crowd(*targets, **counts))


@pytest.fixture
def wire(holdfast, tmp_path_factory):
    """wire() is a balancer with both ends in the test's hands, a support.wire.Wire."""
    with contextlib.ExitStack() as stack:

        def start(**options):
            made = Wire(holdfast, tmp_path_factory.mktemp("s"), **options)
            stack.callback(made.close)
            return made

        yield start


@pytest.fixture
def namespaces():
    """namespaces(3) is a balancer's host and three others, a support.namespaces.Namespaces."""
    with contextlib.ExitStack() as stack:
        yield lambda count: stack.enter_context(contextlib.closing(Namespaces(count)))


@pytest.fixture
def systemd(tmp_path):
    """What a service tells systemd, an instance of support.systemd.Systemd."""
    with contextlib.closing(Systemd(tmp_path / "notify")) as listening:
        yield listening


@pytest.fixture
def service(request):
    """The holdfast unit of a machine that has booted systemd, a support.service.Service."""
    if os.geteuid() != 0:
        pytest.skip("only root can boot a machine")
    with (
        contextlib.closing(Machine()) as machine,
        contextlib.closing(Service(machine)) as unit,
    ):
        yield unit
        if request.node.stash.get(_failed, False):
            print(*machine.run("journalctl", "--no-pager").stdout.splitlines()[-200:], sep="\n")


@pytest.fixture(scope="session")
def postgres_cluster():
    """The cluster that postgres() copies; also finds its programs: program("pgbench")."""
    directory = tempfile.mkdtemp(prefix="holdfast-postgres-")
    yield servers.PostgresCluster(directory)
    shutil.rmtree(directory)


@pytest.fixture
def pgbench(postgres_cluster):
    """pgbench(port, ...) is its command line."""

    def command_line(port, *options):
        program = postgres_cluster.program("pgbench")
        return [program, "-h", "127.0.0.1", "-p", port, "-U", "postgres", *options, "postgres"]

    return command_line


@pytest.fixture
def fill(pgbench):
    """fill(server) makes pgbench's tables on a server."""

    def initialize(server):
        done = run(pgbench(server.port, "-i", "-I", "dtg", "-s", 1, "-q"))
        assert done.returncode == 0, done.stderr

    return initialize


class ServedFiles:
    """A directory with `hello` and `big`, whose content nobody can guess."""

    def __init__(self, root):
        self.root = Path(root)
        (self.root / "hello").write_text("hello\n", encoding="ascii")
        content = os.urandom(BIG_FILE_SIZE)
        (self.root / "big").write_bytes(content)
        self.big_size = len(content)
        self.big_sha256 = hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="session")
def served_files(tmp_path_factory):
    return ServedFiles(tmp_path_factory.mktemp("served"))


def _subdirectory(parent, name):
    directory = parent / name
    directory.mkdir()
    return directory


def _stopping(start):
    """Yields a function that starts a server and counts them; stops them all afterwards."""
    with contextlib.ExitStack() as stack:
        count = 0

        def start_one(*arguments, **options):
            nonlocal count
            count += 1
            server = start(count, *arguments, **options)
            stack.callback(server.stop)
            return server

        yield start_one


def pytest_configure():
    """A shell starts what it puts in the background with SIGINT ignored, which would be handed on
    to every program that a test starts and interrupts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """Remembers that a test failed, and shows what its balancers said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.stash[_failed] = True
        for daemon in item.stash.get(_daemons, []):
            report.sections.append((f"holdfast, pid {daemon.pid}", daemon.tail(200)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """A test that hangs fails after its limit instead of holding up the rest."""
    marker = item.get_closest_marker("limit")
    limit = marker.args[0] if marker else USUAL_LIMIT

    def too_long(*_):
        pytest.fail(f"still running after {limit} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(limit)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture
def socket_directory(tmp_path_factory):
    """A directory whose name is short enough for a Unix socket's path (unix(7))."""
    return tmp_path_factory.mktemp("s")
