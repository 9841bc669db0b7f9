"""What the command line answers: data on standard output, messages on standard error, and the exit
code: 0 fine, 1 invalid or failed, 2 usage."""

import contextlib
import os
import re
import subprocess

import pytest
from support.command import WITHOUT_RIGHTS, holdfast
from support.binary import BINARY, ROOT
from support.waiting import wait_until

VERSION = re.search(
    r"project\(holdfast\s+VERSION\s+([\d.]+)", (ROOT / "CMakeLists.txt").read_text()
)[1]
SUBCOMMANDS = [
    *("run", "check", "reload", "upgrade"),
    *("backends", "drain", "maint", "ready", "weight", "add", "remove"),
    *("demo", "instance", "version"),
]

VALID = """\
listeners: [{ name: web, bind: ["127.0.0.1:0", "[::1]:0"], pool: web }]
pools:
  - name: web
    backends:
      - { name: web-1, address: "127.0.0.1:8081" }
      - { name: web-2, address: "127.0.0.1:8082" }
"""

INVALID = """\
listners: []
listeners:
  - name: web
    bind: "127.0.0.1:80800"
    pool: web
    idle_timeout: 5
pools:
  - name: wbe
    balance: round_robn
    backends:
      - { name: a, address: "10.0.0.1" }
"""

JUDGEMENT = """\
FILE:1:1: error: unknown key 'listners' in the configuration
    1 | listners: []
      | ^~~~~~~~
help: did you mean 'listeners'?
FILE:4:11: error: '127.0.0.1:80800' is not an address: port '80800' is not a number from 0 to 65535
    4 |     bind: "127.0.0.1:80800"
      |           ^~~~~~~~~~~~~~~
FILE:5:11: error: there is no pool 'web'
    5 |     pool: web
      |           ^~~
help: did you mean 'wbe'?
FILE:6:19: error: '5' needs a unit: 5ms or 5s
    6 |     idle_timeout: 5
      |                   ^
FILE:9:14: error: unknown value 'round_robn'
    9 |     balance: round_robn
      |              ^~~~~~~~~~
help: did you mean 'round_robin'?
FILE:11:29: error: '10.0.0.1' is not an address: write host:port, [ipv6]:port or unix:/path
   11 |       - { name: a, address: "10.0.0.1" }
      |                             ^~~~~~~~
"""


@pytest.fixture
def config_file(tmp_path):
    """config_file(text) is the path of a file that holds it."""

    def write(text):
        path = tmp_path / "holdfast.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def assert_answer(result, code, stdout="", stderr=""):
    assert (result.returncode, result.stdout, result.stderr) == (code, stdout, stderr)


@pytest.mark.parametrize(
    ("arguments", "message", "help_for"),
    [
        ([], "A subcommand is required", ""),
        (["chekc"], "unknown subcommand 'chekc': did you mean 'check'?", ""),
        (["balance"], f"unknown subcommand 'balance': one of {', '.join(SUBCOMMANDS)}", ""),
        (["--verbose"], "unknown option '--verbose'", ""),
        (["run"], "--config is required", "run "),
        (["check"], "--config is required", "check "),
        (["check", "-c"], "--config: 1 required TEXT missing", "check "),
        (["version", "now"], "The following argument was not expected: now", "version "),
        (["demo", "--rate", "0"], "--rate: Value 0 not in range 1.000000 to 20000.000000", "demo "),
    ],
)
def test_a_wrong_command_line_is_told_what_is_wrong_and_where_help_is(
    arguments, message, help_for
):
    help_line = f"Run holdfast {help_for}--help for more information."
    assert_answer(holdfast(*arguments), 2, stderr=f"holdfast: {message}\n{help_line}\n")


@pytest.mark.parametrize("duration", ["2s", "61m"])
def test_a_demo_has_room_for_what_it_shows(duration):
    message = "holdfast demo: --duration must be between 8s and 60m\n"
    assert_answer(holdfast("demo", "--duration", duration), 2, stderr=message)


def test_help_names_every_subcommand_and_the_exit_codes():
    result = holdfast("--help")
    assert (result.returncode, result.stderr) == (0, "")
    listed = result.stdout.partition("Subcommands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == SUBCOMMANDS
    assert re.search(r"^Exit codes: 0 .*, 1 .*, 2 .*, 3 ", result.stdout, re.MULTILINE)


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_every_subcommand_has_help(subcommand):
    result = holdfast(subcommand, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert f"holdfast {subcommand} [OPTIONS]" in result.stdout


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_the_version_is_the_projects(argument):
    assert_answer(holdfast(argument), 0, stdout=f"holdfast {VERSION}\n")


def test_check_says_what_it_has_read(config_file):
    file = config_file(VALID)
    summary = f"{file} is valid: 1 listeners, 1 pools, 2 backends\n"
    assert_answer(holdfast("check", "-c", file), 0, stdout=summary)


def test_check_may_be_content_and_still_warn(config_file):
    spare = "  - { name: spare, backends: [{ name: spare-1, address: 'localhost:1' }] }\n"
    file = config_file(VALID + spare)
    result = holdfast("check", "-c", file)
    assert result.returncode == 0
    assert result.stdout.startswith(f"{file} is valid: ")
    assert f"{file}:7:13: warning: no listener uses pool 'spare'\n" in result.stderr


# `run` says the same and doesn't start.
@pytest.mark.parametrize("subcommand", ["check", "run"])
class TestRefusing:
    def test_every_error_is_shown_at_once_with_its_place_and_a_way_to_mend_it(
        self, config_file, subcommand
    ):
        file = config_file(INVALID)
        judgement = JUDGEMENT.replace("FILE", str(file))
        assert_answer(holdfast(subcommand, "-c", file), 1, stderr=judgement)

    def test_what_is_no_yaml(self, config_file, subcommand):
        file = config_file("listeners: [\n")
        result = holdfast(subcommand, "-c", file)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith(f"{file}:2:1: error: end of sequence flow not found\n")

    def test_an_empty_file(self, config_file, subcommand):
        file = config_file("# nothing yet\n")
        message = (
            f"{file}: error: the file is empty\n"
            "help: it needs 'listeners' and 'pools'; see the samples in conf/\n"
        )
        assert_answer(holdfast(subcommand, "-c", file), 1, stderr=message)

    def test_a_missing_file(self, tmp_path, subcommand):
        file = tmp_path / "absent.yaml"
        message = f"holdfast: cannot open {file}: no such file or directory\n"
        assert_answer(holdfast(subcommand, "-c", file), 1, stderr=message)

    def test_a_directory(self, tmp_path, subcommand):
        message = f"holdfast: cannot read {tmp_path}: is a directory\n"
        assert_answer(holdfast(subcommand, "-c", tmp_path), 1, stderr=message)

    def test_a_file_one_may_not_read(self, config_file, subcommand):
        file = config_file(VALID)
        file.chmod(0o000)
        message = f"holdfast: cannot open {file}: permission denied\n"
        result = holdfast(subcommand, "-c", file, before=WITHOUT_RIGHTS)
        assert_answer(result, 1, stderr=message)

    def test_a_file_that_is_too_large_for_a_configuration(self, config_file, subcommand):
        file = config_file("#" * (1 << 20) + "\n")
        message = f"holdfast: {file} is larger than 1 MiB: that is no configuration\n"
        assert_answer(holdfast(subcommand, "-c", file), 1, stderr=message)

    def test_control_characters_in_the_file_stay_off_the_terminal(
        self, config_file, subcommand
    ):
        file = config_file('"\x1b[31mred": 1\n"\\e[31m\\nred": 1\n')
        result = holdfast(subcommand, "-c", file)
        assert result.returncode == 1
        assert re.search(r"[^\x20-\x7e\n]", result.stderr) is None, result.stderr


# What is opened first would get the numbers of the standard streams, and the log be written into it.
def test_run_leaves_the_numbers_of_missing_standard_streams_alone(config_file):
    file = config_file(VALID.replace("listeners:", 'admin: { http: "off", socket: "off" }\nlisteners:'))
    command = [BINARY, "run", "-c", file]
    shell = ["bash", "-c", 'exec "$@" <&- >&- 2>&-', "bash", *command]
    with subprocess.Popen(shell) as balancer:
        try:
            streams = [f"/proc/{balancer.pid}/fd/{number}" for number in range(3)]
            # By then it takes the word to end, too.
            wait_until(lambda: "anon_inode:[signalfd]" in _descriptors_of(balancer.pid))
            assert [os.readlink(stream) for stream in streams] == ["/dev/null"] * 3
        finally:
            balancer.terminate()
    assert balancer.returncode == 0


def _descriptors_of(pid):
    """What its descriptors stand for; some may be closed while one looks."""
    folder = f"/proc/{pid}/fd"
    found = []
    for number in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            found.append(os.readlink(f"{folder}/{number}"))
    return found
