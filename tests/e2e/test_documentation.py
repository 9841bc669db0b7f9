"""The documents say what the program does: every key and every metric is in them, with its range or
type, and none that doesn't exist.

The program is asked for its keys: each place of the configuration is given an unknown key, and the
help lists those that are known there.
"""

import json
import re
import tempfile

import pytest
from support.command import holdfast
from support.binary import ROOT

CONFIGURATION = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
METRICS = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")

UNKNOWN = "zzzzzzzzzzzzzzzz"  # like no key and no word there is
ROW = re.compile(r"^\| `([a-z_.\[\]]+)` \| .*$", re.MULTILINE)


def judge(path, value):
    """What `check` says of a configuration with nothing in it but this value."""
    for part in reversed(path):
        value = [value] if part == "[]" else {part: value}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        json.dump(value, file)
        file.flush()
        return holdfast("check", "-c", file.name).stderr


def known_keys(judgement):
    match = re.search(rf"unknown key '{UNKNOWN}'.*\n.*\n.*\nhelp: one of (.*)", judgement)
    return match[1].split(", ") if match else None


def explore(path=()):
    """(key's path, path of the place) of everything that a place accepts, and what is inside."""
    for key in known_keys(judge(path, {UNKNOWN: 1})) or []:
        yield (*path, key)
        inside = (*path, key)
        if known_keys(judge(inside, [{UNKNOWN: 1}])):
            inside = (*inside, "[]")
        yield from explore(inside)


def written(path):
    """As the documents write it: pools[].connect.timeout"""
    return ".".join(path).replace(".[]", "[]")


@pytest.fixture(scope="module")
def keys():
    return list(explore())


@pytest.fixture
def rows():
    """Each row of configuration.md that begins with a key, by that key."""
    section = CONFIGURATION.partition("## Top level")[2]
    return {match[1]: match[0] for match in ROW.finditer(section)}


def test_the_program_is_asked_for_every_key(keys):
    assert {
        ("threads",),
        ("log", "level"),
        ("listeners", "[]", "bind"),
        ("pools", "[]", "health", "fall"),
        ("pools", "[]", "backends", "[]", "weight"),
    } <= set(keys)


def test_every_key_is_documented_and_no_other(keys, rows):
    assert set(rows) == {written(path) for path in keys}


def test_every_range_is_documented(keys, rows):
    seen = set()
    for path in keys:
        for judgement in (judge(path, UNKNOWN), judge(path, "999999h")):
            for kind, wanted in ranges(judgement):
                seen.add(kind)
                row = rows[written(path)]
                missing = [text for text in wanted if text not in row]
                assert not missing, f"{written(path)}: no {missing} in {row}"
    assert seen == {"number", "duration", "word"}


def ranges(judgement):
    """What the refusal of a value says about those that are accepted."""
    if match := re.search(r"not a whole number from (\d+) to (\d+)", judgement):
        yield "number", [f"{match[1]} to {match[2]}"]
    if match := re.search(r"not between (\w+) and (\w+)", judgement):
        yield "duration", [f"{match[1]} to {match[2]}"]
    if match := re.search(r"unknown value .*\n.*\n.*\nhelp: one of (.*)", judgement):
        yield "word", [f"`{word}`" for word in match[1].split(", ")]


def test_required_keys_are_documented_as_such(keys, rows):
    required = set()
    for path in keys:
        place = path[:-1]
        if f"error: '{path[-1]}' is missing in" in judge(place, {UNKNOWN: 1}):
            required.add(written(path))
    assert required == {key for key, row in rows.items() if "*required*" in row}
    assert "listeners[].bind" in required


@pytest.fixture
def exposition(holdfast, free_port):
    daemon = holdfast(f"""
listeners: [{{ name: web, bind: "127.0.0.1:{free_port()}", pool: web }}]
pools: [{{ name: web, backends: [{{ name: web-1, address: "127.0.0.1:{free_port()}" }}] }}]
""")
    return daemon.get("/metrics")[2]


def test_every_metric_is_documented_with_its_type_and_labels(exposition):
    documented = dict(
        re.findall(r"^\| `(holdfast_\w+)` \| (.*) \|$", METRICS, re.MULTILINE)
    )
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", exposition, re.MULTILINE))
    assert set(documented) == set(types)
    for name, type_ in types.items():
        labels = labels_of(name, exposition)
        cells = [cell.strip() for cell in documented[name].split("|")]
        assert cells[0] == type_, name
        assert set(re.findall(r"`(\w+)`", cells[1])) == labels, name


def labels_of(family, exposition):
    sample = re.search(rf"^{family}(?:_bucket)?{{(.*)}} ", exposition, re.MULTILINE)
    return set(re.findall(r'(\w+)="', sample[1])) - {"le"} if sample else set()


def test_every_value_of_a_label_is_documented(exposition):
    values = {
        value
        for label, value in re.findall(r'(\w+)="([^"]*)"', exposition)
        if label in ("reason", "cause", "state", "result", "to")
    }
    assert {"no_backend", "half_close_timeout", "unknown", "passed"} <= values
    assert [value for value in values if f"`{value}`" not in METRICS] == []


def test_the_documents_mention_no_metric_that_does_not_exist(exposition):
    exposed = set(re.findall(r"^# TYPE (\w+) ", exposition, re.MULTILINE))
    exposed |= set(re.findall(r"^(\w+)[{ ]", exposition, re.MULTILINE))
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        text = document.read_text(encoding="utf-8")
        mentioned = set(re.findall(r"\bholdfast_[a-z_]+\b", text))
        assert mentioned <= exposed, document
