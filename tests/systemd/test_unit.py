"""The unit: systemd itself accepts it, it is locked down, and it says what the documentation promises."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bridge.cli.reload import _WITHIN_S
from tests.support.patience import PATIENCE_S

UNIT = Path(__file__).parents[2] / "systemd" / "messenger-bridge.service"
INSTALLED = "/opt/messenger-bridge/.venv/bin/messenger-bridge"
MOST_EXPOSED = 2.0


@pytest.fixture
def installed_unit(tmp_path: Path) -> Path:
    """The unit as on a host where the program exists: `systemd-analyze verify` looks for the executable."""
    program = shutil.which("true")
    assert program is not None
    text = UNIT.read_text()
    assert text.count(INSTALLED) == 3
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace(INSTALLED, program))
    return unit


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    assert program is not None, "systemd-analyze is missing: apt-get install systemd"
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def test_systemd_accepts_the_unit(installed_unit: Path) -> None:
    verdict = analyze("verify", str(installed_unit))
    assert verdict.returncode == 0, verdict.stderr
    assert installed_unit.name not in verdict.stderr


def test_systemd_refuses_a_broken_unit(installed_unit: Path) -> None:
    """The check above can fail."""
    installed_unit.write_text(installed_unit.read_text().replace("Type=notify", "Type=nonsense\nNoSuchKey=1"))
    assert installed_unit.name in analyze("verify", str(installed_unit)).stderr


def test_the_unit_is_locked_down(installed_unit: Path) -> None:
    verdict = analyze("security", "--offline=true", str(installed_unit))
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", verdict.stdout)
    assert found, verdict.stdout + verdict.stderr
    assert float(found[1]) <= MOST_EXPOSED


def settings(path: Path) -> dict[str, list[str]]:
    """All values of each key, in order."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_what_an_attacker_could_use_is_closed() -> None:
    unit = settings(UNIT)
    assert unit["StartLimitIntervalSec"] == ["0"], "nobody can use up the starts"
    assert float(unit["RestartSec"][0]) >= 5, "and each takes its time"
    assert unit["IPAddressDeny"] == ["link-local"]
    assert unit["ProtectSystem"] == ["strict"]
    assert "ExecPaths" not in unit, "what it names can be written, in spite of ProtectSystem=strict"
    (writable,) = unit["NoExecPaths"]
    named = {"/var/lib/" + unit["StateDirectory"][0], "/run/" + unit["RuntimeDirectory"][0]}
    assert {path.lstrip("-") for path in writable.split()} == {*named, "/tmp", "/var/tmp", "/dev/shm"}
    assert unit["ReadOnlyPaths"] == ["/etc/" + unit["ConfigurationDirectory"][0]]
    assert unit["SocketBindDeny"] == ["any"]
    assert unit["SocketBindAllow"] == ["tcp:1024-65535"]
    size = {"M": 1, "G": 1024}
    high, most = (int(unit[key][0][:-1]) * size[unit[key][0][-1]] for key in ("MemoryHigh", "MemoryMax"))
    assert 1400 < high < most, "it is slowed down before it is ended, and two converting processes have room"
    assert "LoadCredentialEncrypted=" in UNIT.read_text()


def test_what_is_executed_lies_where_nothing_can_be_written() -> None:
    unit = settings(UNIT)
    for key in ("ExecStartPre", "ExecStart", "ExecReload"):
        for command in unit[key]:
            assert command.startswith(("/opt/", "/usr/")), command


def test_the_part_for_newer_systemd_changes_only_what_the_older_one_does_not_know() -> None:
    more = settings(UNIT.parent / "newer-systemd.conf")
    assert more == {"RestartSteps": ["8"], "RestartMaxDelaySec": ["300"]}


def test_a_reload_is_asked_for_in_one_way_which_can_fail() -> None:
    """Type=notify-reload sends a signal too, whose result `systemctl reload` does not tell. Source: systemd.service(5)."""
    found = [settings(path) for path in (UNIT, UNIT.parent / "newer-systemd.conf")]
    assert [one["Type"] for one in found if "Type" in one] == [["notify"]]
    assert [len(one["ExecReload"]) for one in found if "ExecReload" in one] == [1]


def test_the_unit_keeps_its_promises() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read_string(UNIT.read_text())
    service = unit["Service"]
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) > 0
    assert " check " in service["ExecStartPre"]
    assert " run " in service["ExecStart"]
    reload = [line.partition("=")[2] for line in UNIT.read_text().splitlines() if line.startswith("ExecReload=")]
    assert reload == [service["ExecStart"].replace(" run ", " reload ")], "it fails when the daemon did not apply the file"
    assert int(service["TimeoutStartSec"]) > _WITHIN_S, "the command gives up before systemd does"
    assert service["RuntimeDirectory"] == "messenger-bridge"
    assert service["RuntimeDirectoryMode"] == "0750"
    assert service["User"] == "messenger-bridge"
    assert service["StateDirectory"] == "messenger-bridge"
    assert service["RestartPreventExitStatus"] == "78"
    assert "LoadCredential=" in UNIT.read_text()
