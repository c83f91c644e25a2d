"""What an adapter from outside the tree promises: it is found by its entry point, small, and imports what adapters may."""

from __future__ import annotations

import ast
import io
import tokenize
import tomllib
from pathlib import Path

import yaml
from messenger_bridge_ntfy import MANIFEST

from adapters.registry import load_platform, platforms
from bridge.config.load import load_config

PACKAGE = Path(__file__).parents[1] / "messenger_bridge_ntfy"
PROJECT = Path(__file__).parents[3] / "pyproject.toml"
_NO_CODE = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)


def lines_of_code(source: str) -> int:
    """Without blank lines, comments and docstrings."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {line for token in tokens if token.type not in _NO_CODE for line in range(token.start[0], token.end[0] + 1)}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines -= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return len(lines)


def test_it_is_found_by_its_entry_point() -> None:
    assert "ntfy" in platforms()
    assert load_platform("ntfy").manifest is MANIFEST


def test_it_is_small() -> None:
    """Without its emulator, and its case for the suite."""
    assert sum(lines_of_code(path.read_text()) for path in PACKAGE.glob("*.py") if path.stem != "conformance") <= 300


def test_it_imports_what_adapters_may() -> None:
    contracts = {one["id"]: one for one in tomllib.loads(PROJECT.read_text())["tool"]["importlinter"]["contracts"]}
    forbidden = contracts["adapters-import-the-model"]["forbidden_modules"]
    others = contracts["bridge-knows-no-platform"]["protected_modules"]
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names for wrong in [*forbidden, *others] if f"{name}.".startswith(f"{wrong}.")], path


def test_its_options_are_checked_with_all_others(tmp_path: Path) -> None:
    path = tmp_path / "bridge.yaml"
    document = {
        "accounts": {"news": {"platform": "ntfy", "token": "tk_abcdefgh", "username": "kim"}},
        "routes": [{"name": "r", "between": ["news/alerts", "news/not a topic"]}],
    }
    path.write_text(yaml.safe_dump(document))
    faults = "\n".join(map(str, load_config(path, {}, load_platform, platforms()).faults))
    assert "a user needs both username and password" in faults
    assert "two ways to log in" in faults
    assert "a topic of ntfy has" in faults
    assert "tk_abcdefgh" not in faults
