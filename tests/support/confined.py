"""Processes that give away what those of conversions do, and then try something."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from bridge.files.guards import child_command, child_environment
from tests.support.patience import PATIENCE_S

_BEGIN = """
import ctypes, errno, json, os, shutil, signal, socket, subprocess, sys, threading
_, parent, *sys.path = sys.argv
from bridge.files.decoding import confinement, landlock, system_calls
from bridge.files.decoding.confinement import Guards, confine, seal
guards = Guards()
def tell(value):
    os.write(1, json.dumps(value).encode())
    os._exit(0)
"""
_TRY = """
def outcome(act):
    try: act()
    except OSError as error: return errno.errorcode[error.errno]
    except Exception as error: return type(error).__name__
    return "done"
"""
SEAL = "confine(int(parent), guards)\nseal(guards)\n"
NO_NEW_PRIVILEGES = "ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)\n"
LANDLOCK_ALONE = NO_NEW_PRIVILEGES + "landlock.restrict()\n"
SECCOMP_ALONE = NO_NEW_PRIVILEGES + "system_calls.restrict()\n"


def told(code: str, *, before: str = SEAL, input_path: Path | None = None) -> Any:
    """What the code hands to `tell`, in a process that has done `before`; `outcome(act)` is "done" or the name of the error."""
    with (input_path or Path(os.devnull)).open("rb") as stream:
        process = subprocess.run(
            child_command(_BEGIN + _TRY + before + code, str(os.getpid())),
            stdin=stream,
            capture_output=True,
            cwd="/",
            env=child_environment(),
            timeout=PATIENCE_S,
            check=False,
        )
    assert process.stdout, f"ended with {process.returncode}: {process.stderr.decode()[-2000:]}"
    return json.loads(process.stdout)


def outcomes(acts: dict[str, str], *, before: str = SEAL) -> dict[str, str]:
    """What becomes of each of these expressions, in one process."""
    listed = ", ".join(f"{name!r}: lambda: {act}" for name, act in acts.items())
    found = told(f"tell({{name: outcome(act) for name, act in {{{listed}}}.items()}})", before=before)
    assert isinstance(found, dict)
    return found


def restricts(before: str) -> bool:
    """Whether this system lets a process do that to itself at all."""
    return bool(
        told("tell(True)", before="try:\n    " + before.strip().replace("\n", "\n    ") + "\nexcept OSError: tell(False)\n")
    )
