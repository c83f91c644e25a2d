"""A recipe: how one sender's payload becomes a message, as data. What it shows it names; a whole payload is never shown, since
payloads carry secrets. Pure; read by `recipe_files`, used by `inbound.decode`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bridge.model.template_bounds import TooMuch, bounded
from bridge.model.templates import TemplateFailed, shown, template

FORMATS = ("plain", "markdown", "mrkdwn")

_MOST_FIELDS = 50


class Recipe(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Each entry is a Jinja2 template over `payload`, `headers`, `query`, `method` and `end`; `fields` are a name and a template
    each."""

    when: str = ""
    """True for payloads that the recipe is for. Empty: for all."""
    ignore: str = ""
    """If its result is not empty, nothing is posted, and the result is the reason."""
    id: str = ""
    """The id of the incident or object that the message is about: the same id again is an edit."""
    over: str = ""
    """True when that is over: the next request with this id is a new message."""
    author: str = ""
    avatar: str = ""
    title: str = ""
    text: str = ""
    format: str = "plain"
    """How `text` is written: plain, markdown or mrkdwn (Slack's)."""
    url: str = ""
    """The target of the title's link."""
    fields: tuple[tuple[str, str], ...] = ()


ENTRIES = Recipe.__struct_fields__


class Filled(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a recipe for one payload. `ignored` is the reason if it is no message."""

    ignored: str = ""
    id: str = ""
    over: bool = False
    author: str = ""
    avatar: str = ""
    title: str = ""
    text: str = ""
    format: str = "plain"
    url: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    failed: str = ""
    """The entries that could not be filled in, which are left out, and why."""


def is_for(recipe: Recipe, values: Mapping[str, Any]) -> bool:
    """Raises TemplateFailed."""
    return not recipe.when or _holds(template(recipe.when).native(values))


def fill(recipe: Recipe, values: Mapping[str, Any]) -> Filled:
    """An entry that cannot be filled in costs itself. Raises TemplateFailed for `id`, and when all of it costs too much."""
    filling = _Filling(values)
    with bounded():
        if reason := filling.line("ignore", recipe.ignore):
            return Filled(ignored=reason)
        shown = [(name, filling.text(name, value)) for name, value in recipe.fields[:_MOST_FIELDS]]
        format_ = filling.line("format", recipe.format)
        return Filled(
            id=" ".join(template(recipe.id).text(values).split()) if recipe.id else "",
            over=_holds(filling.native("over", recipe.over)),
            author=filling.line("author", recipe.author),
            avatar=filling.line("avatar", recipe.avatar),
            title=filling.line("title", recipe.title),
            text=filling.text("text", recipe.text),
            format=format_ if format_ in FORMATS else "plain",
            url=filling.line("url", recipe.url),
            fields=tuple((name, value) for name, value in shown if value),
            failed=filling.failed,
        )


class _Filling:
    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.failed = ""

    def native(self, entry: str, source: str) -> Any:
        """Raises TemplateFailed only when it costs too much."""
        try:
            return template(source).native(self._values) if source else ""
        except TemplateFailed as error:
            if isinstance(error.__cause__, TooMuch):
                raise
            self.failed = self.failed or f"{entry}: {error}"
            return ""

    def text(self, entry: str, source: str) -> str:
        """Without the space that a template's own lines leave around it."""
        return shown(self.native(entry, source)).strip()

    def line(self, entry: str, source: str) -> str:
        return " ".join(self.text(entry, source).split())


def _holds(value: Any) -> bool:
    return value.strip().lower() not in ("", "false", "none", "0") if isinstance(value, str) else bool(value)
