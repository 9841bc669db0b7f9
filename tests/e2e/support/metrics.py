"""Prometheus' text format as a dictionary."""

import re

_SAMPLE = re.compile(r"^(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


class Metrics(dict):
    """Samples by (name, labels), where labels is a frozenset of (label, value) pairs."""

    @classmethod
    def parse(cls, text):
        metrics = cls()
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            match = _SAMPLE.match(line)
            assert match, f"not a sample: {line!r}"
            labels = frozenset(_LABEL.findall(match["labels"] or ""))
            metrics[match["name"], labels] = float(match["value"])
        return metrics

    def value(self, name, **labels):
        """The one sample with this name and exactly these labels."""
        key = (name, frozenset(labels.items()))
        assert key in self, f"no sample {name} {labels}; there are {self.named(name)}"
        return self[key]

    def sum(self, name, **labels):
        """The sum over all samples with this name and at least these labels."""
        wanted = set(labels.items())
        return sum(value for found, value in self.named(name).items() if wanted <= found)

    def named(self, name):
        """All samples of this name, by their labels."""
        return {labels: value for (found, labels), value in self.items() if found == name}
