"""`${VAR}` and `${VAR:-default}` in a text; `$${` stands for `${`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:(:-)(.*))?", re.S)


def expand(text: str, environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with variables put in, and what is wrong with it (missing variables, broken references), in words.

    A variable's value is used as it is: references in it are not expanded. As in a shell, `:-` also replaces an empty
    variable."""
    if "${" not in text:
        return text, []
    problems: list[str] = []

    def replace(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        reference = _NAME.fullmatch(found[1] or "")
        if reference is None:
            problems.append(f"{shown(found[0])} is not a reference: write ${{NAME}}, ${{NAME:-default}}, or $${{ for a literal ${{")
            return ""
        name, has_default, default = reference.groups()
        value = environ.get(name)
        if has_default:
            return value or default
        if value is None:
            problems.append(unset(name))
            return ""
        return value

    return _REFERENCE.sub(replace, text), problems


def unset(name: str) -> str:
    """How the problem of a missing variable reads."""
    return f"the environment variable {name} is not set"


def is_unset(problem: str) -> bool:
    return re.fullmatch(unset("[A-Za-z0-9_]+"), problem) is not None


def refers(text: str) -> bool:
    """Whether the text takes anything from the environment."""
    return any(found[0] != "$${" for found in _REFERENCE.finditer(text))


def shown(reference: str) -> str:
    return reference if len(reference) > 2 else "an unclosed ${"
