"""A system with systemd as process 1, in a container of systemd-nspawn: the files of this machine, with a layer above them that is
thrown away. Its network is this machine's, so that emulators on loopback are reached."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.patience import PATIENCE_S, eventually_asked

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
OPT = "/opt/messenger-bridge"
PYTHON = "/usr/bin/python3"
_NUMBERS = itertools.count(1)
_CGROUPS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup/systemd"))
_PROGRAM = f"""\
#!/bin/sh
PYTHONPATH={OPT}/tree:{OPT}/packages exec {PYTHON} -m bridge.cli "$@"
"""
_TARGET = """\
[Unit]
Requires=basic.target
After=basic.target
AllowIsolate=yes
"""


def why_not() -> str:
    """Why such a system cannot be started here; empty if it can."""
    if os.getuid() != 0:
        return "only root starts containers"
    for program in ("systemd-nspawn", "nsenter", "setpriv", "unshare"):
        if shutil.which(program) is None:
            return f"{program} is missing: apt-get install systemd-container"
    if not Path("/lib/systemd/systemd").exists():
        return "there is no systemd to start: apt-get install systemd"
    version = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]!r})"
    if not Path(PYTHON).exists() or subprocess.run([PYTHON, "-c", version], check=False).returncode:
        return f"{PYTHON}, which the service may run, is not of the version that these packages are for"
    with contextlib.suppress(OSError):
        if subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0:
            return ""
    return "no mount namespaces here"


class NotHere(Exception):
    """No such system comes up on this machine, before anything of the bridge is in it."""


class Booted:
    """`async with`, which raises NotHere. `folder` gets the layer's mount point."""

    def __init__(self, folder: Path, unit: Path, sysusers: Path) -> None:
        self._folder = folder
        self.root = folder / "root"
        self._unit, self._sysusers = unit, sysusers
        self._name = f"mb-{os.getpid()}-{next(_NUMBERS)}"
        self._container: subprocess.Popen[bytes] | None = None
        self._leader = ""

    async def __aenter__(self) -> Booted:
        layer = self._folder / "layer"
        layer.mkdir()
        self.root.mkdir()
        options = f"lowerdir=/,upperdir={layer}/upper,workdir={layer}/work"
        try:
            _run("mount", "-t", "tmpfs", "tmpfs", str(layer))
            for name in ("upper", "work"):
                (layer / name).mkdir()
            _run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))
            self._install()
            self._boot()
            await eventually_asked(lambda: asyncio.to_thread(self._is_up), "systemd is up")
        except BaseException as error:
            said = self._said()
            await self._end()
            if isinstance(error, AssertionError | OSError):
                raise NotHere(f"{error}: {said}") from error
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def _end(self) -> None:
        await asyncio.to_thread(self._kill)
        try:
            await eventually_asked(lambda: asyncio.to_thread(self._is_cleared), f"{self._name} is empty")
        except AssertionError as error:
            log.warning("%s", error)  # raised, it would hide the error of the test

    def _kill(self) -> None:
        if self._leader:
            subprocess.run(["kill", "-KILL", self._leader], check=False, capture_output=True)
        if self._container is not None:
            self._container.kill()
            self._container.wait()
        for mounted in (self.root, self._folder / "layer"):
            subprocess.run(["umount", "-l", str(mounted)], check=False, capture_output=True)

    def _is_cleared(self) -> bool:
        """Removes its groups of processes, as far as they are empty."""
        left = [place / self._name for place in _CGROUPS if (place / self._name).is_dir()]
        for own in left:
            folders = sorted((path for path in own.rglob("*") if path.is_dir()), key=lambda path: -len(path.parts))
            for folder in (*folders, own):
                with contextlib.suppress(OSError):  # a process in it has not ended yet
                    folder.rmdir()
        return not any(own.is_dir() for own in left)

    def _install(self) -> None:
        """As docs/running.md says, but for the program, which is this tree by the system's Python."""
        etc = self.root / "etc"
        for wanted in (etc / "systemd" / "system").glob("*.wants"):
            shutil.rmtree(wanted)  # none of this machine's services
        (etc / "machine-id").write_text("")
        (etc / "systemd" / "system" / "mark.target").write_text(_TARGET)
        shutil.copy(self._unit, etc / "systemd" / "system" / self._unit.name)
        program = self.root / OPT.lstrip("/") / ".venv" / "bin" / "messenger-bridge"
        program.parent.mkdir(parents=True)
        program.write_text(_PROGRAM)
        program.chmod(0o755)
        for name in ("tree", "packages"):
            (self.root / OPT.lstrip("/") / name).mkdir()
        _run("systemd-sysusers", f"--root={self.root}", str(self._sysusers))
        (etc / "messenger-bridge").mkdir()

    def _boot(self) -> None:
        packages = next(path for path in map(Path, sys.path) if (path / "msgspec").is_dir())
        places = [place / self._name for place in _CGROUPS if (place / "cgroup.procs").is_file()]
        for place in places:
            place.mkdir()
        joined = "".join(f"echo $$ > {place}/cgroup.procs; " for place in places)
        nspawn = [
            *("systemd-nspawn", "--quiet", f"--directory={self.root}", f"--machine={self._name}"),
            *("--register=no", "--keep-unit", "--boot", "--console=pipe", "--link-journal=no"),
            *(f"--bind-ro={ROOT}:{OPT}/tree", f"--bind-ro={packages}:{OPT}/packages", "systemd.unit=mark.target"),
        ]
        command = ["sh", "-c", f'{joined}exec setpriv --pdeathsig KILL "$@"', "sh", *nspawn]
        with (self._folder / "console").open("wb") as console:
            self._container = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=console)

    def _said(self) -> str:
        console = self._folder / "console"
        return console.read_text(errors="replace")[-2000:] if console.exists() else ""

    def _is_up(self) -> bool:
        assert self._container is not None
        assert self._container.poll() is None, self._said()
        if not self._leader:
            found = subprocess.run(
                ["ps", "-o", "pid=", "--ppid", str(self._container.pid)], capture_output=True, text=True, check=False
            )
            self._leader = next((pid for pid in found.stdout.split() if _comm(pid) == "systemd"), "")
        return bool(self._leader) and self.run("systemctl", "is-active", "mark.target").stdout.strip() == "active"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A command inside."""
        inside = ("nsenter", "-t", self._leader, "-m", "-p", "-u", "-i")
        return subprocess.run([*inside, *command], capture_output=True, text=True, timeout=2 * PATIENCE_S, check=False)

    def systemctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("systemctl", *words)

    async def shown(self, name: str) -> str:
        """A property of the service. Asked in a thread: emulators answer it on this loop."""
        asked = await asyncio.to_thread(self.systemctl, "show", "messenger-bridge", f"--property={name}", "--value")
        return asked.stdout.strip()

    def log(self) -> str:
        return self.run("journalctl", "-u", "messenger-bridge", "--no-pager", "-o", "cat").stdout


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)


def _comm(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
