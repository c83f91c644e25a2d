"""What the child process gives away before it decodes anything: first what costs nothing (`confine`), then, when it has loaded what
it decodes with, all files, the network and other processes (`seal`). What the system does not allow is told, in `Guards`."""

from __future__ import annotations

import contextlib
import errno
import os
import resource

from bridge.files.decoding import bounds
from bridge.files.decoding.bounds import Refused

_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9
_NICE = 10
SECCOMP, LANDLOCK, LANDLOCK_TCP, NAMESPACES = "seccomp", "Landlock", "Landlock (TCP)", "namespaces"


class Guards:
    """`network`, `files`: what keeps the process from them. `missing`: what is not in force, and why."""

    def __init__(self) -> None:
        self.network: list[str] = []
        self.files: list[str] = []
        self.missing: dict[str, str] = {}

    def facts(self) -> dict[str, object]:
        """As the child tells it."""
        return {"network": self.network, "files": self.files, "missing": self.missing}


def confine(parent: int, guards: Guards) -> None:
    """Before anything is loaded. Raises Refused if the limits cannot be set: then nothing is decoded at all."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")  # if memory is short, this process goes and not the daemon
    with contextlib.suppress(OSError):
        os.nice(_NICE)
    try:
        for limit, most in (
            (resource.RLIMIT_AS, bounds.MEMORY_BYTES),
            (resource.RLIMIT_CPU, bounds.CPU_S),
            (resource.RLIMIT_FSIZE, 0),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_NOFILE, 64),
        ):
            resource.setrlimit(limit, (most, most))
    except (OSError, ValueError) as error:
        raise Refused(f"the limits of the process cannot be set: {error}") from None
    _separate(guards)
    if os.getppid() != parent:
        os._exit(0)  # it has ended before it could be told to take us along


def _separate(guards: Guards) -> None:
    """Ends with the parent, gets no further rights, and has a network of its own, where that is allowed: an empty one."""
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        if libc.unshare(_CLONE_NEWNET) and libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    except (ImportError, OSError, AttributeError, MemoryError) as error:
        guards.missing[NAMESPACES] = _why(error)  # not Linux, or no memory may be written and executed
    else:
        guards.network.append(NAMESPACES)


def seal(guards: Guards) -> None:
    """When everything is loaded: afterwards no library can be. The two guard against different mistakes, and one may be missing:
    Landlock knows no UDP and no UNIX sockets that have a path, and seccomp knows only numbers."""
    try:
        from bridge.files.decoding import landlock, system_calls
    except (ImportError, OSError, MemoryError) as error:
        guards.missing[LANDLOCK] = guards.missing[SECCOMP] = _why(error)
        return
    try:
        version = landlock.restrict()
    except (OSError, AttributeError, MemoryError) as error:
        guards.missing[LANDLOCK] = _why(error)
    else:
        guards.files.append(LANDLOCK)
        if version >= landlock.TCP_FROM:
            guards.network.append(LANDLOCK_TCP)
    try:
        system_calls.restrict()
    except (OSError, AttributeError, MemoryError) as error:
        guards.missing[SECCOMP] = _why(error)
    else:
        guards.files.append(SECCOMP)
        guards.network.append(SECCOMP)


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return "not in this kernel" if error.errno == errno.ENOSYS else error.strerror or str(error)
    return f"{type(error).__name__}: {error}"
