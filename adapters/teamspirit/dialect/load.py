"""Reads a dialect: a shipped one by name or a file, with single entries overridden, every fault reported with its place.

Called by the manifest's option check (`messenger-bridge check`) and when an adapter is built. Reads local files only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, SequenceNode

from adapters.common import yaml_files
from adapters.teamspirit.dialect import variables
from adapters.teamspirit.dialect.calls import Operations
from adapters.teamspirit.dialect.model import Dialect
from adapters.teamspirit.dialect.sense import nonsense_of
from bridge.model.errors import ConfigFault
from bridge.model.templates import TemplateFault, path_template, template

SHIPPED = Path(__file__).parent.parent / "dialects"
Path_ = tuple[str | int, ...]
"""A place in the file: keys and list positions."""

_PARAMETER_ENTRIES = ("headers", "query", "form", "multipart")


@dataclass(frozen=True)
class Given:
    """One entry as it is written."""

    key: str
    value: Any
    source: str
    """`mattermost.yaml:98`; empty for an override of the account."""


@dataclass
class Loaded:
    """Either a dialect or its faults."""

    dialect: Dialect | None
    faults: list[ConfigFault] = field(default_factory=list)
    entries: tuple[Given, ...] = ()
    """All entries, overrides included, in the file's order. Empty if there are faults."""


def shipped_names() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load_dialect(name_or_path: str, overrides: Mapping[str, Any] | None = None, base_folder: Path | None = None) -> Loaded:
    """The dialect of that name, or in that file (relative to `base_folder`), with `overrides` laid over its entries. An override
    that is null takes the entry out."""
    path = SHIPPED / f"{name_or_path}.yaml" if re.fullmatch(r"[\w\-]+", name_or_path) else Path(name_or_path)
    if not path.is_absolute() and base_folder is not None:
        path = base_folder / path
    if path.parent == SHIPPED and not path.exists():
        return Loaded(
            None, [ConfigFault("no such dialect", key="dialect", value=name_or_path, hint=_nearest(name_or_path, shipped_names()))]
        )
    try:
        text = yaml_files.read(path, "the dialect file", key="dialect")
        return _Reader(str(path) if path.parent != SHIPPED else path.name).load(text, overrides or {})
    except ConfigFault as fault:
        return Loaded(None, [fault])


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path
        self._faults: list[ConfigFault] = []
        self._places: dict[Path_, Node] = {}
        self._overridden: set[Path_] = set()

    def load(self, text: str, overrides: Mapping[str, Any]) -> Loaded:
        """Raises ConfigFault for what is no YAML."""
        root = yaml_files.parse(text, self._path)
        if not isinstance(root, MappingNode):
            return Loaded(None, [ConfigFault("a dialect must be a mapping", path=self._path, line=1, column=1)])
        raw = self._value(root, ())
        self._lay_over(raw, overrides, ())
        dialect = self._validated(raw)
        self._check_templates(raw)
        if dialect is not None:
            for nonsense in nonsense_of(dialect):
                self._add(nonsense.at, nonsense.why, hint=nonsense.hint)
        self._faults.sort(key=lambda fault: (fault.line, fault.column))
        return Loaded(None, self._faults) if self._faults else Loaded(dialect, [], tuple(self._given(raw)))

    # -- the tree and its places --------------------------------------------------------------------------------------------

    def _value(self, node: Node, at: Path_) -> Any:
        self._places[at] = node
        if isinstance(node, MappingNode):
            values: dict[str, Any] = {}
            for key, key_node, value_node in yaml_files.entries(node):
                if key in values:
                    self._add((*at, key), "given twice", node=key_node)
                    continue
                values[key] = self._value(value_node, (*at, key))
                self._places[(*at, key, "<key>")] = key_node
            return values
        if isinstance(node, SequenceNode):
            return [self._value(item, (*at, number)) for number, item in enumerate(node.value)]
        try:
            value = yaml.constructor.SafeConstructor().construct_object(node)
        except (yaml.YAMLError, ValueError):
            return node.value
        return value if value is None or isinstance(value, str | int | float | bool) else node.value

    def _given(self, raw: dict[str, Any]) -> Iterator[Given]:
        for at, value in _leaves(raw, ()):
            yield Given(_dotted(at), value, "" if self._is_override(at) else f"{self._path}:{self._line(at)}")

    def _is_override(self, at: Path_) -> bool:
        return any(at[: len(prefix)] == prefix for prefix in self._overridden)

    def _line(self, at: Path_) -> int:
        node = next((self._places[at[:length]] for length in range(len(at), -1, -1) if at[:length] in self._places), None)
        return node.start_mark.line + 1 if node is not None else 0

    def _lay_over(self, raw: dict[str, Any], overrides: Mapping[str, Any], at: Path_) -> None:
        for key, value in overrides.items():
            here = (*at, str(key))
            if isinstance(value, Mapping) and isinstance(raw.get(key), dict):
                self._lay_over(raw[key], value, here)
            elif value is None:
                self._overridden.add(here)
                if str(key) not in raw and str(key) not in _keys_of(at):
                    self._add(here, "there is no such entry to take out", hint=_nearest(str(key), raw))
                raw.pop(str(key), None)
            else:
                raw[str(key)] = _plain(value)
                self._overridden.add(here)

    def _add(self, at: Path_, why: str, *, value: str = "", hint: str = "", node: Node | None = None) -> None:
        key = _dotted(at)
        if self._is_override(at):
            self._faults.append(ConfigFault(why, key=f"overrides.{key}", value=value, hint=hint))
            return
        place = node
        while place is None and at:
            place = self._places.get(at)
            at = at[:-1]
        self._faults.append(yaml_files.fault_at(place or self._places[()], why, self._path, key=key, value=value, hint=hint))

    # -- shape --------------------------------------------------------------------------------------------------------------

    def _validated(self, raw: dict[str, Any]) -> Dialect | None:
        try:
            return Dialect.model_validate(raw)
        except ValidationError as error:
            for item in error.errors(include_url=False, include_context=False):
                at = tuple(part for part in item["loc"] if part not in ("[key]",))
                if item["type"] == "extra_forbidden":
                    hint = _nearest(str(at[-1]), _keys_of(at[:-1]))
                    self._add(at, "unknown entry", hint=hint, node=self._places.get((*at, "<key>")))
                elif item["type"] == "missing":
                    self._add(at[:-1], f"the entry {at[-1]!r} is missing")
                else:
                    wrong = "[key]" in item["loc"]
                    hint = _nearest(str(at[-1]), _keys_of(at[:-1])) if wrong else ""
                    node = self._places.get((*at, "<key>")) if wrong else None
                    shown = item["input"] if isinstance(item["input"], str | int | float) else ""
                    self._add(at, _in_words(item["msg"]), value=str(shown)[:80], hint=hint, node=node)
            return None

    # -- templates ----------------------------------------------------------------------------------------------------------

    def _check_templates(self, raw: dict[str, Any]) -> None:
        account = variables.ACCOUNT
        self._check_template(("base",), raw.get("base"), account)
        self._check_parameters(("headers",), raw.get("headers"), account)
        socket = raw.get("websocket")
        if isinstance(socket, dict):
            self._check_template(("websocket", "url"), socket.get("url"), account)
            self._check_parameters(("websocket", "headers"), socket.get("headers"), account)
            for where, source in _leaves(socket.get("hello"), ("websocket", "hello")):
                self._check_template(where, source, account)
        operations = raw.get("operations")
        if not isinstance(operations, dict):
            return
        for name, call in operations.items():
            if name not in variables.OPERATIONS or not isinstance(call, dict):
                continue
            self._check_call(("operations", name), call, variables.known(name))
            if isinstance(call.get("prepare"), dict):
                self._check_call(("operations", name, "prepare"), call["prepare"], variables.known(name))

    def _check_call(self, at: Path_, call: dict[str, Any], names: Mapping[str, str]) -> None:
        self._check_template((*at, "path"), call.get("path"), names, in_path=True)
        for entry in ("url", "id"):
            self._check_template((*at, entry), call.get(entry), names)
        for entry in _PARAMETER_ENTRIES:
            self._check_parameters((*at, entry), call.get(entry), names)
        for where, source in _leaves(call.get("json"), (*at, "json")):
            self._check_template(where, source, names)

    def _check_parameters(self, at: Path_, raw: Any, names: Mapping[str, str]) -> None:
        if isinstance(raw, dict):
            for key, source in raw.items():
                self._check_template((*at, key), source, names)

    def _check_template(self, at: Path_, source: Any, names: Mapping[str, str], *, in_path: bool = False) -> None:
        if not isinstance(source, str):
            return
        try:
            read = (path_template if in_path else template)(source).names
        except TemplateFault as fault:
            self._add(at, str(fault), value=source[:80])
            return
        for name in sorted(read):
            if not variables.is_known(name, names):
                self._add(at, f"unknown variable {name!r}", hint=_nearest(name, names))


def _in_words(message: str) -> str:
    """A validator's message as a sentence about the entry."""
    message = message.removeprefix("Value error, ").partition(", unable to")[0]
    message = re.sub(r"^Input should be(?: a valid)? ", "must be ", message)
    return message.replace("must be integer", "must be a whole number").replace("must be dictionary", "must be a mapping")


def _keys_of(at: Path_) -> list[str]:
    """The entries that the model knows at a place."""
    model: Any = Dialect
    for part in at:
        model = _inner(model, part)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [info.alias or name for name, info in model.model_fields.items()]
    if get_origin(model) is dict:
        return [str(value) for value in get_args(get_args(model)[0])]
    return []


def _inner(model: Any, part: str | int) -> Any:
    if isinstance(model, type) and issubclass(model, BaseModel):
        for name, info in model.model_fields.items():
            if part in (name, info.alias):
                return _bare(info.annotation)
    if get_origin(model) is dict:
        return get_args(model)[1]
    return None


def _bare(annotation: Any) -> Any:
    """`X` of `X | None`."""
    if get_origin(annotation) in (Union, type(int | None)):
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


def _leaves(tree: Any, at: Path_) -> Iterator[tuple[Path_, Any]]:
    """All scalars, and empty mappings and lists, with their places."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, (*at, key))
    elif isinstance(tree, list) and tree:
        for number, value in enumerate(tree):
            yield from _leaves(value, (*at, number))
    else:
        yield at, tree


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def _dotted(at: Iterable[str | int]) -> str:
    text = ""
    for part in at:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _nearest(wrong: str, valid: Iterable[str]) -> str:
    import difflib  # only for faults

    names = list(valid)
    near = difflib.get_close_matches(wrong, names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there is {', '.join(sorted(names))}" if 0 < len(names) <= 12 else ""


OPERATION_NAMES = tuple(Operations.model_fields)
