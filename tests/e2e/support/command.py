"""Running a program to its end."""

import os
import subprocess

from support.binary import BINARY

# In front of a command: root's rights are gone, so that files and ports refuse themselves as they
# do to everybody else.
WITHOUT_RIGHTS = (
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
)

# In front of a command: it runs as nobody, who can do no more than read the files it is given,
# wherever they are.
AS_NOBODY = (
    [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--bounding-set=-all,+dac_read_search",
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=-all,+dac_read_search",
    ]
    if os.geteuid() == 0
    else []
)


def run(command, timeout=60, given="", **options):
    """The finished process: .returncode, .stdout, .stderr as text. Reads `given`."""
    return subprocess.run(
        [str(word) for word in command],
        input=given,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        **options,
    )


def holdfast(*arguments, before=(), **options):
    """`holdfast ARGUMENTS`, with the words of `before` in front."""
    return run([*before, BINARY, *arguments], **options)
