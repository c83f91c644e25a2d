"""Jinja2 templates in a sandbox, as admins write them. A text that is one `{{ expression }}` keeps the expression's own type.

What a template may cost is bounded (`template_bounds`), whatever it is filled with. Used for the names of senders, and by adapters
whose formats are data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property, lru_cache
from typing import Any, TypeVar
from urllib.parse import quote

from jinja2 import ChainableUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2 import Template as JinjaTemplate
from jinja2.environment import TemplateExpression

from bridge.model.template_bounds import MOST_TEXT, BoundedEnvironment, TooMuch, bounded, weighed

Values = Mapping[str, Any]
T = TypeVar("T")


class TemplateFault(ValueError):
    """The text is no template. `line` of it is where, 1 for the first; 0 if nobody knows."""

    def __init__(self, why: str, line: int = 0) -> None:
        super().__init__(why)
        self.line = line


class TemplateFailed(ValueError):
    """The template cannot be filled with these values, or would cost too much."""


class _Absent(ChainableUndefined):
    """A value that is not there counts as nothing: an absent optional part of a message must not fail the call."""


def shown(value: Any) -> str:
    """One rule for all texts: nothing is empty, switches and numbers as JSON writes them."""
    if value is None or isinstance(value, Undefined):
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _segment(value: Any) -> str:
    """A value inside a URL path can never become another segment, a query or a step up."""
    quoted = quote(shown(value), safe="")
    return quoted.replace(".", "%2E") if set(quoted) == {"."} else quoted


def _paid(show: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: str(weighed(show(value)))


def _environment(*, in_path: bool) -> BoundedEnvironment:
    environment = BoundedEnvironment(
        undefined=_Absent, autoescape=False, keep_trailing_newline=True, finalize=_paid(_segment if in_path else shown)
    )
    environment.filters["json"] = _paid(lambda value: json.dumps(value, ensure_ascii=False))
    return environment


_TEXT = _environment(in_path=False)
_PATH = _environment(in_path=True)


class Template:
    """A template. `names` are the variables it reads, dotted (`message.sender.name`).

    One that is nothing but text and variables, as most are, is filled in directly, which gives the same at a tenth of the time.
    What Jinja compiles of the others is kept from their first use on."""

    def __init__(self, source: str, *, in_path: bool = False) -> None:
        self._environment = environment = _PATH if in_path else _TEXT
        try:
            tree = environment.parse(source)
            self._pieces = _simple_pieces(tree)
            if self._pieces is None:
                environment.compile(source)  # finds what parsing does not: unknown filters and tests
        except TemplateSyntaxError as error:
            raise TemplateFault(f"not a template: {error.message}", error.lineno) from error
        except (SyntaxError, RecursionError, MemoryError, ValueError, OverflowError) as error:
            raise TemplateFault("not a template: nested too deeply, or too large") from error
        self.source = source
        self.names = frozenset(_names(tree))
        self._single = None if in_path else _single_expression(tree, source)
        self._shown = _segment if in_path else shown

    @cached_property
    def _template(self) -> JinjaTemplate:
        return self._environment.from_string(self.source)

    @cached_property
    def _expression(self) -> TemplateExpression:
        assert self._single is not None
        return self._environment.compile_expression(self._single)

    def text(self, values: Values) -> str:
        """The text with its variables filled in; empty for what is absent. Raises TemplateFailed."""
        if self._pieces is None:
            return self._filled(lambda: self._rendered(values))
        return "".join(piece if isinstance(piece, str) else self._shown(_look_up(piece, values)) for piece in self._pieces)

    def native(self, values: Values) -> Any:
        """The value itself if the template is a single expression (None if it is absent), else the text. Raises TemplateFailed."""
        if self._single is None:
            return self.text(values)
        if self._pieces is not None and isinstance(self._pieces[0], tuple):
            return _look_up(self._pieces[0], values)
        value = self._filled(lambda: self._expression(**values))
        return None if isinstance(value, Undefined) else value

    def _rendered(self, values: Values) -> str:
        """Piece by piece, so that it ends where it becomes too long."""
        pieces, letters = [], 0
        for piece in self._template.generate(values):
            letters += len(piece)
            if letters > MOST_TEXT:
                raise TooMuch
            pieces.append(piece)
        return "".join(pieces)

    def _filled(self, fill: Callable[[], T]) -> T:
        """What a payload can make of a template is no bug of ours: a text where a number was expected, a division by nothing."""
        try:
            with bounded():
                return fill()
        except (TemplateError, ArithmeticError, LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise TemplateFailed(f"the template cannot be filled in: {error}"[:300]) from error


@lru_cache(maxsize=1024)
def template(source: str) -> Template:
    """Compiled once. Raises TemplateFault."""
    return Template(source)


@lru_cache(maxsize=1024)
def path_template(source: str) -> Template:
    """The same for a URL path: each value is percent-encoded as one segment. Raises TemplateFault."""
    return Template(source, in_path=True)


def fill_tree(tree: Any, values: Values) -> Any:
    """A JSON body with its templates filled in. An entry whose template comes out as nothing is left out, and so is a mapping of
    which nothing is left; what the tree itself writes as null, empty or constant stays.

    `{$each: "{{ list }}", $item: tree}` is a list: the tree filled in for each of the list, which it reads as `item`; nothing for
    an empty one."""
    if isinstance(tree, str):
        return template(tree).native(values)
    if isinstance(tree, Mapping) and set(tree) == {"$each", "$item"}:
        each = fill_tree(tree["$each"], values)
        return [fill_tree(tree["$item"], {**values, "item": item}) for item in each] if isinstance(each, list) and each else None
    if isinstance(tree, Mapping):
        filled = {key: fill_tree(value, values) for key, value in tree.items()}
        kept = {key: value for key, value in filled.items() if value is not None or tree[key] is None}
        return kept if kept or not tree else None
    if isinstance(tree, list):
        items = [fill_tree(value, values) for value in tree]
        return [item for item, original in zip(items, tree, strict=True) if item is not None or original is None]
    return tree


def _single_expression(tree: nodes.Template, source: str) -> str | None:
    if len(tree.body) != 1 or not isinstance(tree.body[0], nodes.Output):
        return None
    parts = tree.body[0].nodes
    stripped = source.strip()
    if len(parts) != 1 or isinstance(parts[0], nodes.TemplateData) or stripped != source:
        return None
    return stripped.removeprefix("{{").removesuffix("}}").strip("-+ \n")


def _simple_pieces(tree: nodes.Template) -> tuple[str | tuple[str, ...], ...] | None:
    """Texts and dotted names of a template that has nothing else; None for any other."""
    pieces: list[str | tuple[str, ...]] = []
    for output in tree.body:
        if not isinstance(output, nodes.Output):
            return None
        for node in output.nodes:
            if isinstance(node, nodes.TemplateData):
                pieces.append(node.data)
                continue
            path: list[str] = []
            at: nodes.Node = node
            while isinstance(at, nodes.Getattr):
                path.append(at.attr)
                at = at.node
            if not isinstance(at, nodes.Name):
                return None
            pieces.append((at.name, *reversed(path)))
    return tuple(pieces)


def _look_up(path: tuple[str, ...], values: Values) -> Any:
    found: Any = values
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _names(tree: nodes.Template) -> Iterator[str]:
    """Dotted names of everything read from outside; of `a.b.c` only the longest, not `a` and `a.b` too."""
    inner: set[int] = set()
    stored = {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
    for node in tree.find_all((nodes.Getattr, nodes.Name)):
        if id(node) in inner:
            continue
        parts: list[str] = []
        at: nodes.Node = node
        while isinstance(at, nodes.Getattr):
            parts.append(at.attr)
            at = at.node
            inner.add(id(at))
        if isinstance(at, nodes.Name) and at.name not in stored:
            yield ".".join([at.name, *reversed(parts)])
