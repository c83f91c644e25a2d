"""The Debian package's scripts on a running system, with a systemctl that fails as told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S

SCRIPTS = Path(__file__).parents[2] / "packaging" / "debian"
_RUNNING = "/run/systemd/system"


def run(folder: Path, script: str, *arguments: str, failing: str) -> tuple[int, str, list[str]]:
    """Exit status, stderr, and what systemctl was asked. `failing`: the word of systemctl that fails."""
    programs = folder / "bin"
    programs.mkdir()
    asked = folder / "asked"
    (programs / "systemctl").write_text(f'#!/bin/sh\necho "$1" >>"{asked}"\n[ "$1" != "{failing}" ]\n')
    (programs / "systemd-sysusers").write_text("#!/bin/sh\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    text = (SCRIPTS / script).read_text()
    assert _RUNNING in text
    copy = folder / script
    copy.write_text(text.replace(_RUNNING, str(folder)))
    environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "DPKG_ROOT": ""}
    done = subprocess.run(
        ["/bin/sh", str(copy), *arguments], env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    return done.returncode, done.stderr, asked.read_text().split()


@pytest.mark.parametrize(
    ("failing", "told"), [("try-restart", "journalctl -u messenger-bridge"), ("daemon-reload", "run: systemctl daemon-reload")]
)
def test_an_upgrade_whose_service_does_not_start_is_installed_all_the_same(tmp_path: Path, failing: str, told: str) -> None:
    status, said, asked = run(tmp_path, "postinst", "configure", "0.9", failing=failing)
    assert (status, asked) == (0, ["daemon-reload", "try-restart"])
    assert told in said
    assert said.startswith("messenger-bridge: ")
    assert len(said.splitlines()) == 1


def test_a_first_installation_starts_nothing_and_says_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, "postinst", "configure", failing="try-restart") == (0, "", ["daemon-reload"])


def test_a_removal_is_done_though_systemd_does_not_answer(tmp_path: Path) -> None:
    status, said, asked = run(tmp_path, "postrm", "remove", failing="daemon-reload")
    assert (status, asked) == (0, ["daemon-reload"])
    assert said.startswith("messenger-bridge: ")
