"""Jinja2's sandbox with a bound on what a template may cost, whatever it is filled with.

Each turn of a loop, each call and each filter costs a unit, and large values cost more by their size. A template that has used up
its units fails: nothing it does takes more than a moment, or more than some megabytes. Used by `templates`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

MOST_UNITS = 50_000
MOST_TEXT = 1024**2
"""Characters that one template gives."""
_LETTERS_PER_UNIT, _ITEMS_PER_UNIT = 256, 16
_LARGEST_ARGUMENT = 10_000
"""Widths, counts and the like: what makes a long text of a short one."""
_LARGEST_NUMBER = 2**256
_WIDE_FORMAT = re.compile(r"\d{5}|\*|\{[^{}]*\{")
"""A width of five digits, or one that is an argument."""
_TEXT_FILTERS = frozenset(
    {"capitalize", "indent", "lower", "replace", "striptags", "title", "trim", "truncate", "upper", "urlencode", "wordcount"}
)
_LIST_FILTERS = frozenset(
    {"dictsort", "first", "items", "join", "last", "length", "list", "map", "reject", "rejectattr", "reverse", "select"}
    | {"selectattr", "sort", "sum", "unique"}
)
"""Of nothing they make nothing: payloads say null for what is not there."""
_PER_ITEM = frozenset(
    {"batch", "dictsort", "groupby", "join", "list", "map", "max", "min", "reject", "rejectattr", "select", "selectattr", "slice"}
    | {"sort", "sum", "unique"}
)
"""They do something with each item, which of a text is each letter: a sender may write one where a list is expected."""
_COUNTED, _WEIGHED = "the bridge counts", "the bridge weighs"


class TooMuch(ValueError):
    """The template does more than any message needs."""

    def __init__(self) -> None:
        super().__init__("the template does too much: a loop or a text without end?")


_left: ContextVar[list[int] | None] = ContextVar("units left", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """What is filled in within shares one allowance."""
    if _left.get() is not None:
        yield
        return
    token = _left.set([MOST_UNITS])
    try:
        yield
    finally:
        _left.reset(token)


def _spend(units: int) -> None:
    left = _left.get()
    if left is None:  # a constant expression, worked out when the template is compiled
        if units > MOST_UNITS:
            raise TooMuch
        return
    left[0] -= units
    if left[0] < 0:
        raise TooMuch


def weighed(value: Any) -> Any:
    """The value itself, paid for by its size."""
    if isinstance(value, str | bytes):
        _spend(1 + len(value) // _LETTERS_PER_UNIT)
        if len(value) > MOST_TEXT:
            raise TooMuch
    elif isinstance(value, list | tuple | dict | set | frozenset):
        _spend(1 + len(value) // _ITEMS_PER_UNIT)
    else:
        _spend(1)
    return value


def _counted(values: Any) -> Any:
    """What a loop goes through, each turn paid for."""
    if isinstance(values, Iterable):
        return _turns(values)
    return values


def _turns(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        _spend(1)
        yield value


def _check(arguments: Iterable[Any]) -> None:
    for argument in arguments:
        weighed(argument)
        if isinstance(argument, int) and not isinstance(argument, bool) and abs(argument) > _LARGEST_ARGUMENT:
            raise TooMuch


def _check_growth(name: str, on: Any, arguments: tuple[Any, ...]) -> None:
    """Before the few that make much of little."""
    match name, arguments:
        case "replace", (str() as old, str() as new, *_) if isinstance(on, str):
            _check_size(len(on) + (on.count(old) if old else len(on) + 1) * len(new))
        case "join", (separator, *_) if not isinstance(on, str) and hasattr(on, "__len__"):
            _check_size(len(on) * len(str(separator)))
        case "join", (values, *_) if isinstance(on, str) and hasattr(values, "__len__"):
            _check_size(len(values) * len(on))
        case (("format" | "format_map"), _) if isinstance(on, str) and _WIDE_FORMAT.search(on):
            raise TooMuch
        case "expandtabs", _ if isinstance(on, str):
            _check_size(len(on) + on.count("\t") * _LARGEST_ARGUMENT)
        case (("indent" | "wordwrap" | "urlize"), _) if isinstance(on, str):
            _check_size(len(on) + (on.count("\n") + 1) * max((_width(each) for each in arguments), default=0))
        case (("translate" | "decode" | "encode"), _) if isinstance(on, str | bytes):
            raise TooMuch  # a table of long texts, a codec that takes its time
        case "sum", _ if isinstance(on, list | tuple) and not all(isinstance(each, int | float) for each in on):
            raise TooMuch


def _width(argument: Any) -> int:
    return argument if isinstance(argument, int) else len(str(argument))


def _check_size(letters: int) -> None:
    if letters > MOST_TEXT:
        raise TooMuch


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter or a test, with what it is given and what it gives paid for."""
    nothing = "" if name in _TEXT_FILTERS else () if name in _LIST_FILTERS else None
    passes = getattr(function, "jinja_pass_arg", None)  # it is handed the environment or the context first

    def call(*given: Any, **named: Any) -> Any:
        first = 1 if passes is not None else 0
        if len(given) > first and given[first] is None and nothing is not None:
            given = (*given[:first], nothing, *given[first + 1 :])
        arguments = given[first:]
        on, rest = (arguments[0] if arguments else None), (*arguments[1:], *named.values())
        weighed(on)
        if name in _PER_ITEM and isinstance(on, Sized):
            _spend(len(on))
        _check(rest)
        _check_growth(name, on, rest)
        return weighed(function(*given, **named))

    if passes is not None:
        call.jinja_pass_arg = passes  # type: ignore[attr-defined]
    return call


class _Paying(NodeTransformer):
    """Loops pay for their turns, and so do comparisons, joined texts and slices for what they look through."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _filter(node.iter, _COUNTED)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:
        self.generic_visit(node)
        node.expr = _filter(node.expr, _WEIGHED)
        for operand in node.ops:
            operand.expr = _filter(operand.expr, _WEIGHED)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        node.nodes = [_filter(each, _WEIGHED) for each in node.nodes]
        return _filter(node, _WEIGHED)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, _WEIGHED) if isinstance(node.arg, nodes.Slice) and node.ctx == "load" else node


def _filter(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """See this module's text. What a mapping holds goes before the methods that it has: `payload.items` may be an entry."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "//"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.globals.clear()
        self.filters: dict[str, Any] = {name: _guarded(name, each) for name, each in self.filters.items()}
        self.tests: dict[str, Any] = {name: _guarded(name, each) for name, each in self.tests.items()}
        self.filters.update({_COUNTED: _counted, _WEIGHED: weighed})

    def _generate(self, source: nodes.Template, *given: Any, **named: Any) -> str:
        return super()._generate(_Paying().visit(source), *given, **named)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        _check((*args, *kwargs.values()))
        _check_growth(*_method(__obj), (*args, *kwargs.values()))
        return weighed(super().call(__context, __obj, *args, **kwargs))

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        _, on = _method(value)
        wrapped = super().wrap_str_format(value)
        if wrapped is not None and isinstance(on, str) and _WIDE_FORMAT.search(on):
            raise TooMuch
        return wrapped

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        weighed(left), weighed(right)
        is_number = isinstance(left, int | float) and isinstance(right, int | float)
        if operator == "%" and isinstance(left, str) and _WIDE_FORMAT.search(left):
            raise TooMuch
        if operator == "**" and (not is_number or abs(right) > 64 or abs(left) > _LARGEST_ARGUMENT):
            raise TooMuch
        if operator == "*":
            sized = next((each for each in (left, right) if hasattr(each, "__len__")), None)
            if sized is not None:
                _check_size(len(sized) * max(0, *(each for each in (left, right, 0) if isinstance(each, int))))
            elif is_number and max(abs(left), abs(right)) > _LARGEST_NUMBER:
                raise TooMuch
        return weighed(super().call_binop(context, operator, left, right))


def _method(function: Any) -> tuple[str, Any]:
    """Which method of what, if it is one that Python has built in."""
    return getattr(function, "__name__", ""), getattr(function, "__self__", None)
