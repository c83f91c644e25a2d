"""Files and functions stay small, and no module imports one that imports it back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
TREES = ("bridge", "adapters")
LONGEST_FILE_LINES, LONGEST_FUNCTION_LINES, MEDIAN_LINES = 400, 50, 130


def sources(tree: str) -> list[Path]:
    return sorted((ROOT / tree).rglob("*.py"))


def too_long(path: Path, text: str) -> Iterator[str]:
    if text.count("\n") > LONGEST_FILE_LINES:
        yield f"{path}: {text.count(chr(10))} lines: which second thing does it do?"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > LONGEST_FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {lines} lines"


@pytest.mark.parametrize("tree", TREES)
def test_files_and_functions_are_small(tree: str) -> None:
    assert not [one for path in sources(tree) for one in too_long(path.relative_to(ROOT), path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("tree", TREES)
def test_half_of_the_files_are_smaller(tree: str) -> None:
    assert median(path.read_text(encoding="utf-8").count("\n") for path in sources(tree)) < MEDIAN_LINES


def imported(tree: ast.Module, modules: frozenset[str]) -> Iterator[str]:
    """Modules that are imported when this one is used; what only the type checker needs is not."""
    nodes = list[ast.AST](tree.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        nodes.extend(ast.iter_child_nodes(node))


def graph(sources: dict[str, str]) -> dict[str, set[str]]:
    modules = frozenset(sources)
    return {name: (set(imported(ast.parse(text), modules)) & modules) - {name} for name, text in sources.items()}


def test_there_is_no_circle() -> None:
    named = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path.read_text(encoding="utf-8")
        for tree in TREES
        for path in sources(tree)
    }
    TopologicalSorter(graph(named)).prepare()


def test_it_finds_what_is_wrong() -> None:
    long = "def f():\n" + "    x = 1\n" * LONGEST_FUNCTION_LINES + "\n" * LONGEST_FILE_LINES
    assert len(list(too_long(Path("a.py"), long))) == 2
    circle = {"a": "from b import c", "b": "", "b.c": "import a"}
    assert graph(circle) == {"a": {"b.c"}, "b": set(), "b.c": {"a"}}
    with pytest.raises(CycleError):
        TopologicalSorter(graph(circle)).prepare()
