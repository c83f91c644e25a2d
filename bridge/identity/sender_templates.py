"""Templates of sender names: `{name} ({platform})`, or Jinja2 in a sandbox for conditions. Pure.

A text with `{{` or `{%` is Jinja2, unless it is a valid simple template: those of earlier versions keep their meaning."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bridge.model.templates import Template

PLACEHOLDERS = ("name", "username", "platform", "account", "chat")
MORE = ("bot", "known", "roles")
"""Further variables of Jinja2: whether it is a bot, whether it is a person of `people`, and the names of the person's roles."""
_TRIAL = "Qjz"


@lru_cache(maxsize=256)
def problem(template: str) -> tuple[str, str] | None:
    """Why the template cannot be used, and what to do; None if it can."""
    if not template.strip():
        return "is empty", "use '{name}'"
    if is_jinja(template):
        return _jinja_problem(template)
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError as error:
        return f"not a template: {error}", "write {{ and }} for braces themselves"
    for _, field, form, conversion in fields:
        if field is None:
            continue
        if field not in PLACEHOLDERS:
            return f"unknown placeholder {{{field}}}", _meant(field, PLACEHOLDERS)
        if form or conversion:
            return f"{{{field}}} takes no format", f"write {{{field}}}"
    if not _names_somebody(fields):
        return "shows nobody's name", "it needs {name} or {username}"
    return None


@lru_cache(maxsize=256)
def is_jinja(template: str) -> bool:
    if "{{" not in template and "{%" not in template:
        return False
    try:
        return not _names_somebody(list(string.Formatter().parse(template)))
    except ValueError:
        return True


def fill(template: str, values: Mapping[str, Any]) -> str:
    """The template with these values: all of PLACEHOLDERS and MORE. Raises ValueError for one that has a `problem`, or that cannot
    be filled with them."""
    if is_jinja(template):
        return _compiled(template).text(values)
    return template.format(**{name: values[name] for name in PLACEHOLDERS})


def _names_somebody(fields: list[Any]) -> bool:
    return any(field in ("name", "username") for _, field, *_ in fields)


@lru_cache(maxsize=256)
def _compiled(template: str) -> Template:
    from bridge.model.templates import Template  # Jinja2 costs memory that most bridges need not spend

    return Template(template)


def _jinja_problem(template: str) -> tuple[str, str] | None:
    try:
        compiled = _compiled(template)
    except ValueError as error:
        return str(error), "write {{ name }} for a value, {% if bot %} for a condition"
    known = (*PLACEHOLDERS, *MORE)
    for name in sorted(compiled.names):
        if name.partition(".")[0] not in known:
            return f"unknown name {name}", _meant(name, known)
    for bot in (False, True):
        trial: dict[str, Any] = dict.fromkeys(PLACEHOLDERS, "x") | {"bot": bot, "known": not bot, "roles": []}
        try:
            shown = fill(template, trial | {"name": _TRIAL, "username": _TRIAL})
        except ValueError as error:
            return str(error), "try it with a name, with and without a username"
        if _TRIAL.casefold() not in shown.casefold():
            return "does not show everybody's name", "it needs {{ name }} or {{ username }}, whatever the conditions give"
    return None


def _meant(wrong: str, known: Sequence[str]) -> str:
    import difflib  # only for faults

    near = difflib.get_close_matches(wrong, known, n=1)
    return f"did you mean {near[0]!r}?" if near else "there is " + ", ".join(known)
