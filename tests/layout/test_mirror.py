"""Tests mirror the tree: `tests/bridge/<package>/test_<module>[_<aspect>].py` is about `bridge/<package>/<module>.py`, and each
larger module of `bridge` and `adapters` has such a file, or one in the `contract` beside it, which asks every storage the same.
`mirror_exceptions.txt` lists the others with their reason; it may only shrink."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TREES = ("bridge", "adapters")
LARGE_LINES = 150
"""A module of fewer lines may be tested through those that use it."""
EXCEPTIONS = Path(__file__).parent / "mirror_exceptions.txt"


def is_only_types(source: str) -> bool:
    """Whether a module has no function with code, but for constructors: types, protocols and tables need no test of their own."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return all(
        function.name == "__init__"
        or all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in function.body)
        for function in functions
    )


def is_about(test: Path, root: Path) -> bool:
    """Whether a test file (relative to `tests`) names a module or package: by its whole name, or by its beginning, with the aspect
    behind it. `test_<folder>.py` is about what the folder's `__init__` has."""
    name = test.stem.removeprefix("test_")
    words = name.split("_")
    folder = root / test.parent
    if not folder.is_dir():
        return False
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    return folder.name in names or any((folder / f"{n}.py").is_file() or (folder / n / "__init__.py").is_file() for n in names)


def misnamed(root: Path) -> Iterator[str]:
    for tree in TREES:
        for path in sorted((root / "tests" / tree).rglob("test_*.py")):
            if not is_about(path.relative_to(root / "tests"), root):
                yield str(path.relative_to(root))


def untested(root: Path) -> Iterator[str]:
    for tree in TREES:
        for path in sorted((root / tree).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            if path.stem.startswith("__") or path.stem == "wire" or source.count("\n") < LARGE_LINES or is_only_types(source):
                continue
            folder = root / "tests" / path.relative_to(root).parent
            tests = [*folder.glob("test_*"), *(folder.parent / "contract").glob("test_*")]
            if not any(test.stem == f"test_{path.stem}" or test.stem.startswith(f"test_{path.stem}_") for test in tests):
                yield str(path.relative_to(root))


def listed(lines: Iterable[str]) -> set[str]:
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def test_tests_mirror_the_tree() -> None:
    found = {*misnamed(ROOT), *untested(ROOT)}
    excepted = listed(EXCEPTIONS.read_text(encoding="utf-8").splitlines())
    new = sorted(found - excepted)
    assert not new, (
        "a test file is named after the module it is about (tests/bridge/x/test_y.py or test_y_<aspect>.py for bridge/x/y.py), and "
        f"a module of {LARGE_LINES} lines or more has one:\n" + "\n".join(new)
    )
    over = sorted(excepted - found)
    assert not over, f"these are right now or gone: take them out of {EXCEPTIONS.name}\n" + "\n".join(over)


def test_it_tells_what_is_misnamed_and_untested(tmp_path: Path) -> None:
    for name, lines in {
        "bridge/a/__init__": 1,
        "bridge/a/big": LARGE_LINES,
        "bridge/a/large": LARGE_LINES,
        "bridge/a/small": 9,
    }.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def run(): return 1\n" + "\n" * lines)
    (tmp_path / "bridge/a/types.py").write_text(
        "class A:\n    def run(self):\n        '''Shape.'''\n        ...\n" + "\n" * LARGE_LINES
    )
    for name in (
        "a/test_large",
        "a/test_large_when_it_rains",
        "a/test_a",
        "a/test_larger",
        "a/test_small",
        "test_nothing",
        "b/test_x",
    ):
        path = tmp_path / "tests/bridge" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = ["tests/bridge/a/test_larger.py", "tests/bridge/b/test_x.py", "tests/bridge/test_nothing.py"]
    assert list(misnamed(tmp_path)) == found
    assert list(untested(tmp_path)) == ["bridge/a/big.py"]
    assert listed(["# why", "", "x.py"]) == {"x.py"}


def test_only_constructors_and_empty_bodies_are_no_code() -> None:
    assert is_only_types(
        "A = {1: 2}\nclass B(Exception):\n    def __init__(self, a):\n        self.a = a\n    async def b(self): ...\n"
    )
    assert not is_only_types("class B:\n    def c(self):\n        return 1\n")
    assert not is_only_types("class B:\n    def c(self):\n        pass\n")
