"""What the documentation names is there: links, paths, modules and what is in them, commands with options, targets, metrics."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bridge.cli.group import build
from tests.layout.test_observability import rows

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    {
        *ROOT.glob("*.md"),
        *(page for page in (ROOT / ".github").rglob("*") if page.is_file()),
        *(page for folder in ("docs", "adapters", "bench", "tests", "systemd") for page in (ROOT / folder).rglob("*.md")),
        *(ROOT / "systemd").iterdir(),
        ROOT / "bridge.yaml.example",
    }
)
TOPS = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")))
LINK = re.compile(r"\]\((?!\w+://|#|url\))([^)#\s]+)(?:#[^)]*)?\)")
PATH = re.compile(rf"`((?:{TOPS})/[\w./-]+)(?:::\w+)?`")
SOURCES = sorted(path for folder in ("bridge", "adapters", "tests", "bench", "scripts") for path in (ROOT / folder).rglob("*.py"))
SYMBOL = re.compile(r"`((?:bridge|adapters|tests|bench)(?:\.[A-Za-z_]\w*)+)(?:\(\))?`")
NO_SYMBOLS = ("bridge.yaml", "bridge.env")
COMMAND = re.compile(r"(?:^|`|\$ |bin/)messenger-bridge((?: [^`|\n]*)?)", re.MULTILINE)
SAYS_WORD = {"group", "as", "is"}
"""Words that follow the program's name in a sentence, and are no commands."""


def pages(what: re.Pattern[str], among: Iterable[Path] = PAGES) -> Iterator[tuple[str, str]]:
    for page in among:
        for found in what.findall(page.read_text(encoding="utf-8")):
            yield str(page.relative_to(ROOT)), found


def test_links_lead_somewhere() -> None:
    links = list(pages(LINK))
    assert len(links) > 20
    assert not [(page, link) for page, link in links if not ((ROOT / page).parent / link).exists()]


def test_paths_are_there() -> None:
    paths = list(pages(PATH))
    assert len(paths) > 60
    assert not [(page, path) for page, path in paths if not (ROOT / path).exists()]


def is_there(dotted: str) -> bool:
    """A module, or what is in one: a class, a function, a method, a field."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        rest = parts[length:]
        for number, name in enumerate(rest):
            if name in getattr(found, "__annotations__", {}):
                return number == len(rest) - 1
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


def test_modules_and_what_is_in_them_are_there() -> None:
    named = [(page, name) for page, name in pages(SYMBOL, [*PAGES, *SOURCES]) if not name.startswith(NO_SYMBOLS)]
    assert len(named) > 30
    assert not [(page, name) for page, name in named if not is_there(name)]


def test_paths_in_comments_are_there() -> None:
    paths = list(pages(PATH, SOURCES))
    assert len(paths) > 5
    assert not [(page, path) for page, path in paths if not (ROOT / path).exists()]


def test_what_is_not_there_is_found() -> None:
    assert is_there("bridge.model.errors.RetryLater")
    assert not is_there("bridge.model.errors.RetryNever")
    assert not is_there("bridge.model.nothing")


@pytest.fixture(scope="module")
def root() -> Any:
    return typer.main.get_command(build()) if isinstance(build(), typer.Typer) else build()


def test_commands_and_their_options_are_there(root: Any) -> None:
    known = 0
    for page, line in pages(COMMAND):
        words = iter(shlex.split(re.split(r"  | > | #|\)", line.strip())[0].strip("'.,:;"), comments=True) if line.strip() else [])
        command = root
        for word in words:
            if word.startswith("-"):
                options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
                assert word.partition("=")[0] in options | {"--help", "--env-file"}, f"{page}: messenger-bridge{line}"
                known += 1
            elif hasattr(command, "get_command") and word not in SAYS_WORD and re.fullmatch(r"[a-z][a-z-]+", word):
                found = command.get_command(None, word)
                assert found is not None, f"{page}: messenger-bridge{line}"
                command, known = found, known + 1
            else:
                break
    assert known > 25


def test_make_has_the_targets() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = list(pages(re.compile(r"(?:^|`)make ([a-z-]+)", re.MULTILINE)))
    assert len(named) > 5
    assert not [(page, target) for page, target in named if target not in targets]


def test_metrics_have_the_names() -> None:
    kept = {name for name, _ in rows("The metrics")}
    named = {name for _, name in pages(re.compile(r"messenger_bridge_([a-z_]+)"), [*PAGES, *(ROOT / "monitoring").iterdir()])}
    assert len(named) > 10
    assert not named - kept - {"lag_seconds_bucket"}


def children_of_bridge() -> set[str]:
    return {
        path.stem
        for path in (ROOT / "bridge").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file()
    }


def test_both_maps_name_every_package_and_module_of_bridge() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = set(re.findall(r"`bridge/(\w+)", "\n".join(line for line in page.splitlines() if line.startswith("| `bridge/"))))
    assert table == children_of_bridge()
    docstring = importlib.import_module("bridge").__doc__ or ""
    entries = [
        name for cell in re.findall(r"(?:^|\s{2,})(\w+(?:, \w+)*)(?=\s{2,})", docstring, re.MULTILINE) for name in cell.split(", ")
    ]
    assert sorted(entries) == sorted(children_of_bridge())


def test_the_table_of_the_architecture_names_what_is_in_each_folder() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `(bridge/\w+)/` \| (.*) \|$", page, re.MULTILINE)
    assert len(found) > 9
    for folder, text in found:
        for name in re.findall(r"`(\w+)/?`", text):
            module = ROOT / folder / f"{name}.py"
            assert module.is_file() or module.with_suffix("").is_dir() or is_there(f"{folder.replace('/', '.')}.{name}"), (
                folder,
                name,
            )


def test_what_the_exercise_names_is_in_a_file_that_it_names() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## An exercise")[2]
    answers = re.split(r"^\d\. ", page, flags=re.MULTILINE)[1:]
    assert len(answers) == 5
    for answer in answers:
        folders = [
            path.replace("<platform>", "*").rstrip("/") for path in re.findall(r"`((?:bridge|adapters|tests)/[^`]+)`", answer)
        ]
        sources = [
            source
            for path in folders
            for found in ROOT.glob(path)
            for source in ([found] if found.is_file() else found.rglob("*.py"))
        ]
        texts = [source.read_text(encoding="utf-8") for source in sources]
        assert not [name for name in re.findall(r"`(\w+)`", answer) if not any(name in text for text in texts)]
        assert not [path for path in folders if not list(ROOT.glob(path))]
