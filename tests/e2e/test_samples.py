"""What people start from: the samples and the documents' examples are valid, without a warning."""

import re

import pytest
from support.command import holdfast
from support.binary import ROOT

FENCED_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAMPLES = sorted((ROOT / "conf").glob("*.yaml"))


def yaml_blocks():
    """(file:line, text) of each fenced block that is a configuration of ours."""
    for document in [ROOT / "README.md", ROOT / "docs/configuration.md"]:
        text = document.read_text(encoding="utf-8")
        for block in FENCED_YAML.finditer(text):
            line = text.count("\n", 0, block.start()) + 2
            yield pytest.param(block[1], id=f"{document.name}:{line}")


def assert_is_accepted(file):
    judgement = holdfast("check", "-c", file)
    assert judgement.stderr == ""
    assert judgement.returncode == 0
    assert judgement.stdout.startswith(f"{file} is valid: ")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_a_sample_is_accepted(sample):
    assert_is_accepted(sample)


@pytest.mark.parametrize("text", yaml_blocks())
def test_an_example_of_the_documents_is_accepted(text, tmp_path):
    file = tmp_path / "example.yaml"
    file.write_text(text, encoding="utf-8")
    assert_is_accepted(file)


def test_there_are_samples_and_examples():
    assert {"minimal.yaml", "holdfast.yaml", "postgres.yaml", "redis.yaml"} <= {
        sample.name for sample in SAMPLES
    }
    documents = {block.id.partition(":")[0] for block in yaml_blocks()}
    assert documents == {"README.md", "configuration.md"}
