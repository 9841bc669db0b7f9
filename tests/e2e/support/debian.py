"""A small Debian with systemd in which the balancer's binary runs, as a directory.

Making one takes a minute and the network, so it is kept, outside the repository, under a name that
stands for what is in it. It is of this machine's release, and comes from this machine's package
sources by way of its settings for apt.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from support.daemon import BINARY
from support.process import Process

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdfast/debian"
MAKING_LIMIT = 600
PACKAGES = {"systemd", "systemd-sysv", "dbus"}
# Nobody reads in there.
LEFT_OUT = ["/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*", "/var/cache/*"]
# A login prompt on a console that nobody sits at.
MASKED = ["console-getty.service"]


@contextlib.contextmanager
def tree():
    """The directory, which nobody may write to; it stays for the time of the `with` block."""
    packages = sorted(PACKAGES | _owners(_libraries_of(BINARY)))
    release = _release()
    content = "\n".join([release, *packages, *LEFT_OUT, *MASKED])
    name = hashlib.sha256(content.encode()).hexdigest()[:16]
    with contextlib.ExitStack() as stack:
        with _locked(_folder(CACHE)):
            if not (CACHE / name).exists():
                _remove_unused()
                _make(CACHE / f"{name}.unfinished", release, packages)
                (CACHE / f"{name}.unfinished").rename(CACHE / name)
            stack.enter_context(_locked(CACHE / name, fcntl.LOCK_SH))
        yield CACHE / name


def _remove_unused():
    """Trees of other lists, and what an interrupted run left."""
    for old in CACHE.iterdir():
        if old.is_dir():
            with contextlib.suppress(BlockingIOError), _locked(old, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(old)


def _make(directory, release, packages):
    with tempfile.NamedTemporaryFile("w", suffix=".conf", encoding="utf-8") as settings:
        settings.write(_apt_settings())
        settings.flush()
        command = [
            # What it starts and mounts is gone with it, and it with us, however that ends.
            *("setpriv", "--pdeathsig=KILL"),
            *("unshare", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"),
            "mmdebstrap",
            "--variant=essential",
            f"--include={','.join(packages)}",
            f"--aptopt={settings.name}",
            *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
            "--customize-hook=rm -rf $1/var/lib/apt/lists",
            *(f"--customize-hook=ln -s /dev/null $1/etc/systemd/system/{unit}" for unit in MASKED),
            release,
            directory,
            *_apt_sources(release),
        ]
        making = Process(command)
        try:
            assert making.wait(MAKING_LIMIT) == 0, f"no Debian was made:\n{making.tail()}"
        finally:
            making.kill()
    # Empty, not "uninitialized": every boot has an id of its own, and none is a first one, which
    # would enable every unit (machine-id(5)).
    (directory / "etc/machine-id").write_text("", encoding="ascii")


def _release():
    content = Path("/etc/os-release").read_text(encoding="utf-8")
    return re.search(r"^VERSION_CODENAME=\"?(\w+)", content, re.MULTILINE)[1]


def _apt_sources(release):
    """The files that name this machine's sources of the release."""
    files = _apt_source_files(release)
    if not files:  # as in an image whose package lists were thrown away
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        files = _apt_source_files(release)
    assert files, f"apt has no source of packages of {release}"
    return files


def _apt_source_files(release):
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(SOURCESENTRY)"],
        capture_output=True,
        text=True,
        check=True,
    )
    entries = (line.split(" ", 1) for line in listed.stdout.splitlines())
    # Its updates are bookworm-updates and the like.
    return sorted(
        {where.rpartition(":")[0] for name, where in entries if name.split("-")[0] == release}
    )


def _apt_settings():
    """How this machine reaches its sources: proxies, certificates and so on."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    lines = [line for line in dump.stdout.splitlines() if re.match(r"Acquire::.*[^:] \"", line)]
    return "\n".join(lines) + "\n"


def _libraries_of(program):
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    return re.findall(r"=> (/\S+)", listed.stdout)


def _owners(files):
    """The packages that these files are of. A file below /usr may be known by its name without
    it, and the other way round."""
    names = {name.removeprefix("/usr") for file in files for name in (file, os.path.realpath(file))}
    listed = subprocess.run(
        ["dpkg-query", "--search", *names, *("/usr" + name for name in names)],
        capture_output=True,
        text=True,
        check=False,  # which it isn't when one name is unknown
    )
    lines = listed.stdout.splitlines()
    owners = dict(line.rsplit(": ", 1)[::-1] for line in lines if not line.startswith("diversion"))
    known = {name.removeprefix("/usr"): owner for name, owner in owners.items()}
    for file in files:
        real = os.path.realpath(file)
        assert {file.removeprefix("/usr"), real.removeprefix("/usr")} & known.keys(), (
            f"{file} is of no package"
        )
    return {owner.split(":")[0] for owner in known.values()}


def _folder(path):
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextlib.contextmanager
def _locked(folder, kind=fcntl.LOCK_EX):
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)
