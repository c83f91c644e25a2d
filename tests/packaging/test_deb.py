"""The Debian package, without its dependencies: installed by dpkg into another root, its scripts run there, used, and purged. The
whole package, with its dependencies, is `make deb`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is missing: not a Debian"),
]


def run(*command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **more}
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=6 * PATIENCE_S, check=False)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deb")
    done = run(ROOT / "scripts" / "deb.sh", "--bare", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = folder.glob("*.deb")
    return found


def dpkg(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """dpkg on another root, whose scripts are told it in DPKG_ROOT instead of being run inside."""
    as_root = [] if os.getuid() == 0 else ["fakeroot"]
    options = (f"--instdir={root}", f"--admindir={root}/var/lib/dpkg", f"--log={root}/dpkg.log")
    forced = ("--force-script-chrootless", "--force-depends", "--force-not-root")
    return run(*as_root, "dpkg", *options, *forced, *arguments)


@pytest.fixture
def system(tmp_path: Path, package: Path) -> Path:
    root = tmp_path / "root"
    for folder in ("info", "updates", "triggers"):
        (root / "var" / "lib" / "dpkg" / folder).mkdir(parents=True)
    (root / "var" / "lib" / "dpkg" / "status").write_text("")
    (root / "etc").mkdir()
    done = dpkg(root, "-i", package)
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def test_its_description_is_whole(package: Path) -> None:
    fields = run("dpkg-deb", "--field", package).stdout
    assert "@" not in re.sub(r"<.*@.*>", "", fields), "every mark was replaced"
    assert re.search(r"^Depends: python3 \(>= 3\.\d+\), python3 \(<< 3\.\d+\)", fields, re.MULTILINE)
    assert int(re.search(r"^Installed-Size: (\d+)", fields, re.MULTILINE)[1]) > 1000  # type: ignore[index]


def test_it_puts_everything_in_its_place_and_nothing_of_this_machine(package: Path, system: Path) -> None:
    for name in (
        "usr/lib/systemd/system/messenger-bridge.service",
        "usr/lib/sysusers.d/messenger-bridge.conf",
        "usr/share/man/man1/messenger-bridge.1.gz",
        "usr/share/bash-completion/completions/messenger-bridge",
        "usr/share/zsh/vendor-completions/_messenger-bridge",
        "usr/share/fish/vendor_completions.d/messenger-bridge.fish",
        "usr/share/doc/messenger-bridge/copyright",
        "usr/share/doc/messenger-bridge/bridge.yaml.example",
        "usr/share/doc/messenger-bridge/docs/running.md",
    ):
        assert (system / name).is_file(), name
    assert os.readlink(system / "usr/bin/messenger-bridge") == "/opt/messenger-bridge/.venv/bin/messenger-bridge"
    assert (system / "etc/messenger-bridge/credentials").stat().st_mode & 0o777 == 0o700
    contents = run("dpkg-deb", "--contents", package).stdout.splitlines()
    assert len(contents) > 300
    assert all(" root/root " in line for line in contents)
    assert not [line for line in contents if not line.startswith("l") and "w" in line[4:10]], "only root may write"
    for path in (system / "opt").rglob("*"):
        if path.is_file() and not path.is_symlink() and path.suffix not in (".pyc", ".so", ".ogg"):
            text = path.read_bytes()
            assert b"/tmp/" not in text[:4000] or path.suffix in (".py", ".md"), path
    unit = (system / "usr/lib/systemd/system/messenger-bridge.service").read_text()
    for program in re.findall(r"^Exec(?:Start|StartPre|Reload)=(\S+)", unit, re.MULTILINE):
        assert program.startswith("/bin/") or os.path.lexists(system / program.lstrip("/")), program
    assert (system / re.search(r"^Documentation=file://(\S+)", unit, re.MULTILINE)[1].lstrip("/")).is_file()  # type: ignore[index]


def test_its_user_is_made(system: Path) -> None:
    if shutil.which("systemd-sysusers") is None:
        pytest.skip("systemd-sysusers is missing")
    assert "messenger-bridge:" in (system / "etc" / "passwd").read_text()
    assert not Path("/run/systemd/system").exists() or "messenger-bridge" not in run("systemctl", "list-units").stdout


def test_the_installed_program_works(system: Path, tmp_path: Path) -> None:
    home = system / "opt" / "messenger-bridge" / ".venv"
    assert (home / "bin" / "messenger-bridge").read_text().startswith("#!/opt/messenger-bridge/.venv/bin/python")
    python = home / "bin" / "python"
    if not python.exists():
        pytest.skip(f"this machine has no {os.readlink(python)}, which the package runs with")
    packages = next(home.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    done = run(python, "-P", "-m", "bridge.cli", "--version", PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1")
    assert (done.returncode, done.stderr) == (0, "")
    example = run(python, "-P", "-m", "bridge.cli", "example", PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1")
    assert example.stdout == (ROOT / "bridge.yaml.example").read_text(encoding="utf-8")
    code = "from bridge.cli.shipped import find; print(find('docs/first-bridge-slack.md'))"
    page = run(python, "-P", "-c", code, PYTHONPATH="", PYTHONDONTWRITEBYTECODE="1").stdout.strip()
    assert page == str((system / "usr/share/doc/messenger-bridge/docs/first-bridge-slack.md").resolve())


def test_an_upgrade_keeps_what_is_an_admins_and_a_purge_leaves_the_journal(system: Path, package: Path) -> None:
    (system / "etc/messenger-bridge/bridge.yaml").write_text("accounts: {}\n")
    state = system / "var" / "lib" / "messenger-bridge"
    state.mkdir(parents=True)
    (state / "messenger-bridge.journal").write_text("words")
    again = dpkg(system, "-i", package)
    assert again.returncode == 0, again.stderr
    assert (system / "etc/messenger-bridge/bridge.yaml").read_text() == "accounts: {}\n"
    removed = dpkg(system, "-r", "messenger-bridge")
    assert removed.returncode == 0, removed.stderr
    assert (system / "etc/messenger-bridge/bridge.yaml").exists()
    purged = dpkg(system, "-P", "messenger-bridge")
    assert purged.returncode == 0, purged.stderr
    assert "the journal stays in /var/lib/messenger-bridge" in purged.stderr
    assert not (system / "etc/messenger-bridge").exists()
    assert (state / "messenger-bridge.journal").read_text() == "words"
    assert not (system / "usr/bin/messenger-bridge").exists()
