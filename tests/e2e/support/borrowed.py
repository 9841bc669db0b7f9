"""Another process's sockets, to ask the kernel about (pidfd_getfd(2))."""

import contextlib
import ctypes
import errno
import os
import re
import socket

_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def tcp_sockets(pid):
    """The connected TCP sockets of a process, as sockets of this one."""
    with contextlib.ExitStack() as stack:
        found = []
        for one in _sockets(pid):
            stack.enter_context(one)
            with contextlib.suppress(OSError):
                if one.family in (socket.AF_INET, socket.AF_INET6) and one.getpeername():
                    found.append(one)
        yield found


def option(pid, level, name, **ends):
    """That option of the process's TCP socket with these ends: peer_port or own_port. There must be
    one such socket."""
    with tcp_sockets(pid) as sockets:
        (found,) = [one for one in sockets if _has(one, **ends)]
        return found.getsockopt(level, name)


def _has(one, peer_port=None, own_port=None):
    return (peer_port in (None, one.getpeername()[1])) and (
        own_port in (None, one.getsockname()[1])
    )


def _sockets(pid):
    process = os.pidfd_open(pid)
    try:
        for number in sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd")):
            with contextlib.suppress(FileNotFoundError):
                if re.match("socket:", os.readlink(f"/proc/{pid}/fd/{number}")):
                    if (borrowed := _borrow(process, number)) is not None:
                        yield borrowed
    finally:
        os.close(process)


def _borrow(process, number):
    """None when it is gone by now."""
    fd = _libc.syscall(_PIDFD_GETFD, process, number, 0)
    if fd < 0:
        code = ctypes.get_errno()
        if code == errno.EBADF:
            return None
        raise OSError(code, os.strerror(code))
    return socket.socket(fileno=fd)
