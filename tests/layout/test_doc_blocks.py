"""What the pages tell an admin to write and to type is right: every snippet of bridge.yaml passes the check, and every command with
its options and arguments is understood by the command line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from adapters.registry import load_platform, platforms
from bridge.cli.group import build
from bridge.config.load import load_config
from tests.support.doc_blocks import ROOT, Block, blocks, commands, document

NOT_BRIDGE_YAML = {"platforms.md", "webhooks.md", "webhooks.ru.md"}
"""`platforms.md` is about the platforms; the recipes for webhooks are checked by test_recipes.py and played by flows."""
OTHER_YAML = ("display_information:", "tests:", "overrides:", "operations:", "when:")
"""How what is no bridge.yaml begins: Slack's manifest, a part of a route, a dialect, a template."""
ABOUT_THIS_HOST = re.compile(
    r"there is no (such )?(file|folder)|no such file|needs the extra|cannot be read|cannot read the secret's file"
)


@pytest.fixture(scope="module")
def root() -> Any:
    return typer.main.get_command(build()) if isinstance(build(), typer.Typer) else build()


USAGE_ERROR: type[Exception] = typer.BadParameter.__bases__[0]
"""Wrong options or arguments of any kind."""


def parsed(root: Any, words: list[str]) -> Any:
    """As the command line reads it, without doing it. Raises USAGE_ERROR."""
    command, name, rest, context = root, "messenger-bridge", list(words), None
    if "--env-file" in rest:  # taken off before commands are looked for: `bridge.cli.env_option`
        at = rest.index("--env-file")
        del rest[at : at + 2]
    while True:
        context = command.make_context(name, rest, parent=context)
        if not hasattr(command, "resolve_command"):
            return context
        rest = [*context._protected_args, *context.args]
        name, command, rest = command.resolve_command(context, rest)


def test_every_command_of_the_pages_is_understood(root: Any) -> None:
    seen, faults = 0, []
    for block in blocks("sh", "bash", "console", ""):
        for words in commands(block):
            if not words or "--help" in words or "--version" in words or "--install-completion" in words or "..." in words:
                continue
            seen += 1
            try:
                parsed(root, words)
            except USAGE_ERROR as error:
                faults.append(f"{block.page}:{block.line}: messenger-bridge {' '.join(words)}: {error}")
    assert seen > 60
    assert not faults, "\n".join(faults)


def test_a_wrong_command_is_found(root: Any) -> None:
    for words in (["retry-now"], ["status", "--evry", "3"], ["dead", "rety", "7"], ["mute"], ["chats", "tg", "--listen", "soon"]):
        with pytest.raises(USAGE_ERROR):
            parsed(root, words)


def faults_of(block: Block, folder: Path) -> list[str]:
    """Faults and warnings that the check finds in a block."""
    try:
        whole = document(yaml.safe_load(block.text))
    except yaml.YAMLError as error:
        return [f"{block.page}:{block.line}: {error}"]
    if whole is None:
        return [] if block.text.startswith(OTHER_YAML) else [f"{block.page}:{block.line}: no bridge.yaml"]
    named = sorted(set(re.findall(r"\$\{(\w+)", block.text)))
    environ = {name: VALUES.get(name) or likely(name) for name in named}
    environ["CREDENTIALS_DIRECTORY"] = str(folder)
    path = folder / "bridge.yaml"
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
    loaded = load_config(path, environ, load_platform, platforms())
    said = [str(one) for one in (*loaded.faults, *loaded.warnings)]
    return [f"{block.page}:{block.line}: {one}" for one in said if not ABOUT_THIS_HOST.search(one)]


def likely(name: str) -> str:
    """A value for a variable, by the end of its name."""
    return f"https://example.com/{name.lower()}" if name.endswith(("_WEBHOOK", "_URL")) else f"a-value-of-{name.lower()}"


VALUES = {
    "TELEGRAM_TOKEN": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "SLACK_BOT_TOKEN": "xoxb-1-example",
    "SLACK_APP_TOKEN": "xapp-1-example",
    "OPS_URL": "json://127.0.0.1",
    "THEIR_BOT_TOKEN": "xoxb-2-example",
    "THEIR_APP_TOKEN": "xapp-2-example",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


def test_every_snippet_of_bridge_yaml_passes_the_check(tmp_path: Path) -> None:
    found = [block for block in blocks("yaml") if Path(block.page).name not in NOT_BRIDGE_YAML]
    assert len(found) > 25
    faults = [one for block in found for one in faults_of(block, tmp_path)]
    assert not faults, "\n".join(faults)


def test_a_wrong_snippet_is_found(tmp_path: Path) -> None:
    wrong = Block("docs/x.md", 7, "yaml", "routes:\n  - {name: a, between: [tg/-100123, guild/112233445566778899], fitler: []}\n")
    (fault, *_) = faults_of(wrong, tmp_path)
    assert fault.startswith("docs/x.md:7: ")
    assert "fitler" in fault
    assert len(faults_of(wrong._replace(text="a: {b"), tmp_path)) == 1
    assert faults_of(Block("docs/x.md", 1, "yaml", "nonsense: 1\n"), tmp_path) == ["docs/x.md:1: no bridge.yaml"]


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert not {page for page in pages if f"]({page})" not in index}


def numbers(text: str) -> set[str]:
    return {found.replace(",", "") for found in re.findall(r"\d[\d,]*(?:\.\d+)?", text.replace(", ", " "))}


def test_every_figure_of_the_sizes_was_measured_or_is_a_default() -> None:
    page = (ROOT / "docs" / "sizing.md").read_text(encoding="utf-8")
    said = numbers("\n".join(line for line in page.splitlines() if line.startswith("|")))
    known = numbers("".join((ROOT / name).read_text(encoding="utf-8") for name in ("bench/README.md", "docs/configuration.md")))
    assert len(said) > 25
    assert not said - known


def test_what_troubleshooting_quotes_is_what_the_bridge_says() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.partition("| trace says")[2].partition("\n\n")[0].splitlines()[2:]]
    rows += [
        line.split("|")[2]
        for line in page.partition("## A second reader")[2].partition("\n\n")[2].partition("\n\n")[0].splitlines()[2:]
    ]
    quoted = [
        piece.strip(" ().:") for row in rows for code in re.findall(r"`([^`]+)`", row) for piece in re.split(r"\.\.\.|\d+|, ", code)
    ]
    assert len(quoted) > 12
    sources = "\n".join(
        path.read_text(encoding="utf-8") for tree in ("bridge", "adapters") for path in (ROOT / tree).rglob("*.py")
    ).replace('"\n            f" ', " ")
    assert not [piece for piece in quoted if len(piece) > 6 and piece not in sources]
