"""The wheel and the source package: built as `make dist` builds them, installed without a network, and used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
CONFIG = """\
accounts:
  tg: {platform: telegram, token: "${TELEGRAM_TOKEN}"}
  spirit: {platform: teamspirit, server: 'http://127.0.0.1:9', api_key: a-teamspirit-key}
routes:
  - {name: lobby, between: [tg/-1001234567890, spirit/lobby]}
"""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [str(ROOT / "scripts" / "dist.sh"), str(folder)], capture_output=True, text=True, timeout=6 * PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it, which sees the dependencies of this one. Nothing is fetched."""
    folder = tmp_path_factory.mktemp("installed") / "venv"
    (wheel,) = dist.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], timeout=PATIENCE_S, check=True)
    options = ("--quiet", "--no-index", "--no-deps", "--no-compile")
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", folder, "install", *options, wheel]
    subprocess.run(pip, timeout=PATIENCE_S, check=True, capture_output=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def run(installed: Path, folder: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environ["TELEGRAM_TOKEN"] = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
    program = installed / "bin" / "messenger-bridge"
    return subprocess.run(
        [program, *arguments],
        cwd=folder, env=environ, input=typed, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip


def test_the_wheel_has_what_the_tree_has(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "bridge", "adapters"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    code = {
        name
        for name in tracked
        if name.endswith((".py", ".sql", ".yaml", ".html", ".css", ".js", ".svg", ".txt", ".ogg", ".typed"))
    }
    assert len(code) > 300
    assert not sorted(name for name in code - set(names) if (ROOT / name).exists())
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]
    shared = {name.partition(".data/data/")[2] for name in names if ".data/data/" in name}
    for name in (
        "share/man/man1/messenger-bridge.1",
        "share/bash-completion/completions/messenger-bridge",
        "share/zsh/site-functions/_messenger-bridge",
        "share/fish/vendor_completions.d/messenger-bridge.fish",
        "share/doc/messenger-bridge/bridge.yaml.example",
        "share/doc/messenger-bridge/docs/upgrading.md",
        "share/doc/messenger-bridge/systemd/messenger-bridge.service",
        "share/doc/messenger-bridge/monitoring/messenger-bridge.rules.yaml",
    ):
        assert name in shared


def test_the_source_package_can_build_it_and_holds_the_docs(dist: Path) -> None:
    (source,) = dist.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "setup.py", "constraints.txt", "bridge.yaml.example", "systemd/messenger-bridge.service"} <= names
    assert {
        "docs/running.md",
        "scripts/setup.sh",
        "bridge/journal/sqlite/schema.sql",
        "packaging/generated/messenger-bridge.1",
    } <= names


def test_the_installed_program_works(installed: Path, tmp_path: Path) -> None:
    version = run(installed, tmp_path, "--version")
    assert version.returncode == 0, version.stderr
    example = run(installed, tmp_path, "example")
    assert example.stdout == (ROOT / "bridge.yaml.example").read_text(encoding="utf-8")
    (tmp_path / "bridge.yaml").write_text(CONFIG)
    (tmp_path / "bridge.yaml").chmod(0o600)
    check = run(installed, tmp_path, "check")
    assert (check.returncode, check.stdout.splitlines()[:1]) == (0, ["bridge.yaml: ok, 2 accounts, 1 route"]), check.stderr
    assert run(installed, tmp_path, "schema").returncode == 0
    where = run(installed, tmp_path, "check", "-c", "nowhere.yaml")
    assert where.returncode == 78


LINK = re.compile(r"\]\((?!\w+://|#|url\))([^)#\s]+)(?:#[^)]*)?\)")
IN_THE_SOURCE_PACKAGE_ALONE = ("adapters/teamspirit/dialect", "bench/", "examples/", "tests/")
"""What only people who change the bridge follow a link to."""


def test_a_link_from_one_installed_page_to_another_leads_there(installed: Path) -> None:
    pages = installed / "share" / "doc" / "messenger-bridge"
    links = [
        (page.relative_to(pages), (page.parent / link).resolve())
        for page in pages.rglob("*.md")
        for link in LINK.findall(page.read_text(encoding="utf-8"))
    ]
    assert len(links) > 150
    lost = [(str(page), os.path.relpath(link, pages)) for page, link in links if not link.exists()]
    assert not [one for one in lost if not one[1].startswith(IN_THE_SOURCE_PACKAGE_ALONE)]


def test_init_names_the_page_that_is_installed(installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, "init", typed="discord\n\n").stderr
    page = re.search(r"click by click: (.*)", said)
    assert page, said
    assert Path(page[1]).resolve() == (installed / "share/doc/messenger-bridge/docs/first-bridge-discord.md").resolve()
    assert Path(page[1]).is_file()


def test_the_man_page_is_one(installed: Path) -> None:
    page = installed / "share" / "man" / "man1" / "messenger-bridge.1"
    text = page.read_text(encoding="utf-8")
    for command in ("run", "check", "trace", "dead retry", "journal backup"):
        assert f".SS messenger\\-bridge {command} " in text
    assert r"\fB\-\-env\-file FILE\fR" in text
    if shutil.which("man") is None:
        pytest.skip("man is missing: its page is not read")
    shown = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "journal backup" in re.sub(".\x08", "", shown.stdout)


@pytest.mark.parametrize(
    ("shell", "file"), [("bash", "bash-completion/completions/messenger-bridge"), ("zsh", "zsh/site-functions/_messenger-bridge")]
)
def test_completions_are_scripts_of_their_shell(installed: Path, shell: str, file: str) -> None:
    script = installed / "share" / file
    assert "_MESSENGER_BRIDGE_COMPLETE" in script.read_text()
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is missing")
    done = subprocess.run([program, "-n", script], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_bash_completes_with_it(installed: Path, tmp_path: Path) -> None:
    program = shutil.which("bash")
    assert program is not None
    script = installed / "share" / "bash-completion" / "completions" / "messenger-bridge"
    call = "_messenger_bridge_completion messenger-bridge"
    ask = f'source {script}; COMP_WORDS=(messenger-bridge jour); COMP_CWORD=1; {call}; echo "${{COMPREPLY[@]}}"'
    environ = {**os.environ, "PATH": f"{installed / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        [program, "-c", ask], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout.strip() == "journal"
