"""What keeps the processes that decode strangers' files from the network and other files. Asked by `check`, told by `convert`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

_PROBE_S = 60.0
_TCP_ALONE = "(TCP)"
_MOST_LETTERS = 200

_PROBE = """
import sys
_, parent, *sys.path = sys.argv
from bridge.files.decoding.child import probe
probe(int(parent))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """`network`, `files`: the kernel's means that keep a process from them. `missing`: those that are not in force, and why."""

    network: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def are_whole(self) -> bool:
        """Whether neither can be reached."""
        return bool(self.files) and self._has_no_network

    @property
    def _has_no_network(self) -> bool:
        return any(not name.endswith(_TCP_ALONE) for name in self.network)

    def in_words(self) -> str:
        """One line, for an admin."""
        network, files = ", ".join(self.network), ", ".join(self.files)
        if self._has_no_network:
            said = f"without network ({network})"
        else:
            said = f"with the service's network, but for TCP ({network})" if network else "with the service's network"
        said += f" and without files ({files})" if files else " and may open the files that the service may open"
        missing = ", ".join(f"{name} ({why})" for name, why in self.missing.items())
        return f"conversions run {said}" + (f"; not in force: {missing}" if missing else "")


def guards_of(facts: object) -> Guards | None:
    """As a child told them; None: it said nothing, or nonsense, since a file may have made it say that."""
    told = facts.get("guards") if isinstance(facts, dict) else None
    if not isinstance(told, dict):
        return None
    network, files, missing = told.get("network"), told.get("files"), told.get("missing")
    if not (isinstance(network, list) and isinstance(files, list) and isinstance(missing, dict)):
        return None
    return Guards(
        network=tuple(str(name)[:_MOST_LETTERS] for name in network),
        files=tuple(str(name)[:_MOST_LETTERS] for name in files),
        missing={str(name)[:_MOST_LETTERS]: str(why)[:_MOST_LETTERS] for name, why in missing.items()},
    )


def probed() -> Guards:
    """Those of a process that is started as one for a conversion is. Blocks. One that cannot be asked has none, and says why."""
    try:
        answer = subprocess.run(
            child_command(_PROBE, str(os.getpid())),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=child_environment(),
            timeout=_PROBE_S,
            check=False,
        )
        facts = json.loads(answer.stdout or b"{}")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Guards(missing={"all": f"the process cannot be asked: {type(error).__name__}"})
    found = guards_of(facts)
    if found is not None:
        return found
    error_text = str(facts.get("error", "")) if isinstance(facts, dict) else ""
    return Guards(missing={"all": error_text or f"the process ended with {answer.returncode}"})


def child_command(code: str, *arguments: str) -> tuple[str, ...]:
    """Runs the code with these arguments, and behind them our own `sys.path`: nothing of the user's settings is read."""
    return sys.executable, "-I", "-B", "-c", code, *arguments, *sys.path


def child_environment() -> dict[str, str]:
    """Nothing of ours: tokens may be there. One arena of memory, since the address space is limited."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    return {"LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "1", **kept}
