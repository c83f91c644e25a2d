"""A container without a container's engine: buildah builds the image of a system that debootstrap made, and namespaces run it as
compose.yaml says: file system read-only but for the journal and /tmp, no rights, its process is number 1."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
UID = "10001"
IMAGE = "localhost/messenger-bridge"
_PROGRAMS = {
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
_START = """\
set -e
root=$1; shift
ip link set lo up
mount --bind "$root" "$root"
mount --bind "$1" "$root/var/lib/messenger-bridge"; shift
while [ "$1" != -- ]; do mount --bind "$1" "$root$2"; mount -o remount,bind,ro "$root$2"; shift 2; done
shift
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
exec chroot "$root" "$@"
"""
AS_THE_USER = (
    "setpriv",
    f"--reuid={UID}",
    f"--regid={UID}",
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--no-new-privs",
)


class NotHere(Exception):
    """What an image is made of cannot be had on this machine."""


def why_not() -> str:
    """Why no image can be built and run here; empty if it can."""
    if os.getuid() != 0:
        return "only root builds images from nothing"
    for program, package in _PROGRAMS.items():
        if shutil.which(program) is None:
            return f"{program} is missing: apt-get install {package}"
    if sys.version_info[:2] != (3, 11):
        return "the image's Python is 3.11, and this one fetches packages of another version"
    if subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True, check=False).returncode:
        return "no namespaces here"
    return ""


def run(*command: str | Path, timeout_s: float = 6 * PATIENCE_S) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


class Builder:
    """`with`. Images below `folder`, which are large: they are gone afterwards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buildah = ("buildah", "--root", str(folder / "images"), "--runroot", str(folder / "run"), "--storage-driver", "vfs")

    def __enter__(self) -> Builder:
        return self

    def __exit__(self, *_: object) -> None:
        for name in ("images", "run", "base", "wheels"):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def _call(self, *arguments: str | Path) -> str:
        done = run(*self._buildah, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def fetch(self) -> None:
        """Debian's packages and Python's, at once. Raises NotHere."""
        base, wheels = self._folder / "base", self._folder / "wheels"
        pip = (sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(wheels))
        hashed = ("--require-hashes", "--no-deps", "-r", str(ROOT / "constraints.txt"))
        wanted = "--include=python3,python3-venv,ca-certificates"
        commands = [["debootstrap", "--variant=minbase", wanted, "bookworm", str(base)], [*pip, *hashed], [*pip, "setuptools>=69"]]
        logs = [(self._folder / f"fetch-{number}.log") for number in range(len(commands))]
        running = []
        for command, log in zip(commands, logs, strict=True):
            with log.open("wb") as file:
                running.append(subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT))
        try:
            codes = [one.wait(timeout=10 * PATIENCE_S) for one in running]
        finally:
            for one in running:
                if one.poll() is None:
                    one.kill()
                    one.wait()
        for code, command, log in zip(codes, commands, logs, strict=True):
            if code:
                raise NotHere(f"{command[0]} failed: {log.read_text(errors='replace')[-300:]}")
        (base / "usr/local/bin/python").symlink_to("/usr/bin/python3")

    def build(self) -> tuple[str, Path]:
        """Of the Dockerfile as it is. The name of a container of it, and where its files are."""
        (base_name,) = set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE))
        scratch = self._call("from", "scratch")
        self._call("copy", "--quiet", scratch, self._folder / "base", "/")
        self._call("commit", "--quiet", scratch, f"docker.io/library/{base_name}")
        self._call("rm", scratch)
        pip_conf = self._folder / "pip.conf"
        pip_conf.write_text("[global]\nno-index = true\nfind-links = /wheels\ndisable-pip-version-check = true\n")
        mounts = ("--volume", f"{self._folder / 'wheels'}:/wheels:ro", "--volume", f"{pip_conf}:/etc/pip.conf:ro")
        options = ("--isolation", "chroot", "--pull-never", "--format", "docker", "--tag", IMAGE)
        self._call("build", *options, *mounts, ROOT)
        container = self._call("from", "--pull-never", IMAGE)
        return container, Path(self._call("mount", container))

    def inspect(self, container: str) -> str:
        return self._call("inspect", container)


@contextmanager
def started(
    root: Path, state: Path, files: Mapping[Path, str], environ: Mapping[str, str], command: list[str], log: Path
) -> Iterator[psutil.Process]:
    """The image's process, number 1 of its own. `files`: what is mounted read-only, and where."""
    for path in files.values():
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mounted = [part for source, path in files.items() for part in (str(source), path)]
    given = ["env", "-i", *(f"{name}={value}" for name, value in environ.items())]
    inside = [*AS_THE_USER, *given, *command]
    namespaces = ("unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child")
    with log.open("wb") as file:
        outer = subprocess.Popen(
            [*namespaces, "sh", "-c", _START, "sh", str(root), str(state), *mounted, "--", *inside], stdout=file, stderr=file
        )
    try:
        yield psutil.Process(outer.pid)
    finally:
        outer.kill()
        outer.wait()


def inside(process: psutil.Process, environ: Mapping[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """As `docker compose exec` does: beside the process, in its namespaces and as its user."""
    (first,) = process.children()
    into = ("nsenter", f"--target={first.pid}", "--mount", "--pid", "--net", "--ipc", "--root", "--wd")
    return run(*into, *AS_THE_USER, "env", "-i", *(f"{name}={value}" for name, value in environ.items()), *command)
