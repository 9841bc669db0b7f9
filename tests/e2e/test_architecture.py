"""The tree is the architecture: who may include whom.

The table is that of docs/design.md; a folder may always include itself. An #include is judged by
the folder it names, `holdfast/<folder>/...` for public headers and `<folder>/...` for those of
src/, or by the library it belongs to.
"""

import re

import pytest
from support.binary import ROOT

POOL_AND_BELOW = {"pool", "state", "config", "base"}
MAY_INCLUDE = {
    "base": set(),
    "config": {"base"},
    "state": {"base"},
    "loop": {"base"},
    "balance": {"config", "base"},
    "pool": {"balance", "state", "config", "base"},
    "health": {"loop", *POOL_AND_BELOW},
    "discovery": {"loop", *POOL_AND_BELOW},
    "relay": {"loop", "balance", *POOL_AND_BELOW},
    "worker": {"relay", "health", "discovery", "loop", "balance", *POOL_AND_BELOW},
    "observe": {"health", *POOL_AND_BELOW},
    "service": {"base"},
    "takeover": {"service", "state", "base"},
    "guardian": {"takeover", "state", "base"},
}
MAY_INCLUDE["admin"] = {"observe", "worker", *MAY_INCLUDE["worker"]}
MAY_INCLUDE["cli"] = set(MAY_INCLUDE)

# A library's headers, and the folder that alone may include them.
ONLY_USER = {
    "yaml-cpp/": "config",
    "prometheus/": "observe",
    "microhttpd.h": "admin",
    "uv.h": "loop",
    "systemd/": "service",
    "openssl/": "health",
    "spdlog/": "base",
    "CLI/": "cli",
    "curl/": "cli",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def violations(root):
    """`file:line: what is wrong`, for the tree below root."""
    return [
        f"{path.relative_to(root)}:{number}: {wrong}"
        for top in (root / "include/holdfast", root / "src")
        for path in sorted(top.rglob("*"))
        if path.suffix in (".h", ".cc")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (match := INCLUDE.match(line))
        if (wrong := judge(path.relative_to(top).parts[0], match[1]))
    ]


def judge(folder, included):
    """What is wrong with a file of `folder` including this; None when nothing is."""
    if folder not in MAY_INCLUDE:
        return f"folder {folder}/ is not in the table"
    for library, user in ONLY_USER.items():
        if included.startswith(library) and folder != user:
            return f"only {user}/ may include <{included}>"
    other = included.removeprefix("holdfast/").partition("/")[0]
    if included.startswith("holdfast/") and other not in MAY_INCLUDE:
        return f"folder {other}/ is not in the table"
    if other in MAY_INCLUDE and other != folder and other not in MAY_INCLUDE[folder]:
        return f"{folder}/ may not include {other}/ ({included})"
    return None


def test_every_include_follows_an_arrow_of_the_design():
    assert violations(ROOT) == []


def test_the_guardian_has_little_to_die_of():
    """Lines of code, without comments."""
    code = [
        line
        for folder in ("src/guardian", "include/holdfast/guardian")
        for file in (ROOT / folder).iterdir()
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.strip().startswith("//")
    ]
    assert 100 < len(code) < 500


def test_the_tree_is_where_this_test_looks():
    folders = {path.name for path in (ROOT / "src").iterdir() if path.is_dir()}
    assert {"base", "relay", "cli"} <= folders


@pytest.fixture
def tree(tmp_path):
    """plant(file, text) puts a file into an otherwise empty source tree."""

    def plant(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path

    return plant


@pytest.mark.parametrize(
    ("file", "line", "wrong"),
    [
        (
            "src/guardian/watchdog.cc",
            '#include "holdfast/config/config.h"',
            "guardian/ may not include config/ (holdfast/config/config.h)",
        ),
        (
            "include/holdfast/balance/balance.h",
            '#include "holdfast/pool/pool.h"',
            "balance/ may not include pool/ (holdfast/pool/pool.h)",
        ),
        (
            "src/health/checker.cc",
            '#include "relay/connector.h"',
            "health/ may not include relay/ (relay/connector.h)",
        ),
        ("src/relay/pump.cc", "#  include <uv.h>", "only loop/ may include <uv.h>"),
        (
            "src/cli/check.cc",
            "#include <yaml-cpp/yaml.h>",
            "only config/ may include <yaml-cpp/yaml.h>",
        ),
        ("src/tls/tls.cc", "#include <string>", "folder tls/ is not in the table"),
        (
            "src/cli/run.cc",
            '#include "holdfast/tls/tls.h"',
            "folder tls/ is not in the table",
        ),
    ],
)
def test_a_planted_violation_is_found(tree, file, line, wrong):
    assert violations(tree(file, f"// first\n{line}\n")) == [f"{file}:2: {wrong}"]


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("src/cli/run.cc", '#include "holdfast/service/notify.h"'),
        ("src/relay/pump.cc", '#include "relay/pump.h"'),
        ("src/relay/session.cc", '#include "holdfast/pool/pool.h"'),
        ("src/loop/loop.cc", "#include <uv.h>"),
        ("src/base/fd.cc", "#include <sys/socket.h>"),
        ("src/base/fd.cc", '// like #include "relay/pump.h"'),
    ],
)
def test_what_the_table_allows_passes(tree, file, line):
    assert violations(tree(file, line)) == []
