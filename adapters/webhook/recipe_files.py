"""Reads recipes: the shipped ones, an admin's file, or entries in bridge.yaml. Every fault is told with its place.

Reads local files only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from adapters.common import yaml_files
from adapters.webhook.recipe import ENTRIES, FORMATS, Recipe
from bridge.model.errors import ConfigFault
from bridge.model.templates import TemplateFault, template

SHIPPED = Path(__file__).parent / "templates"
AUTO = "auto"
POSTS = ("slack", "mattermost", "discord")
"""Names of templates that are no recipes: a payload of that platform's own incoming webhooks, whatever else it may look like."""
KNOWN = frozenset({"payload", "headers", "query", "method", "end"})
_LOCAL = frozenset({"loop", "caller", "self"})


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """How an end reads what comes in. Without recipes by what it is, or as `post` says."""

    recipes: tuple[Recipe, ...] = ()
    post: str = ""
    faults: tuple[ConfigFault, ...] = ()


def shipped_names() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


@cache
def shipped() -> tuple[Recipe, ...]:
    """All that tell by a payload whether they are for it, in the order of their files' names."""
    return tuple(recipe for name in shipped_names() for recipe in _shipped(name))


@cache
def _shipped(name: str) -> tuple[Recipe, ...]:
    loaded = read_text((SHIPPED / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml")
    if loaded.faults:
        raise loaded.faults[0]
    return loaded.recipes


def load(given: Path | Mapping[str, Any], key: str) -> Loaded:
    """What `template:` of an end means. `key`: where it stands in bridge.yaml."""
    if isinstance(given, Mapping):
        return _of_entries(given, key)
    name = given.name
    if given.suffix not in (".yaml", ".yml") and not given.is_file():
        if name == AUTO:
            return Loaded()
        if name in POSTS:
            return Loaded(post=name)
        if name in shipped_names():
            return Loaded(recipes=_shipped(name))
        known = ", ".join((AUTO, *POSTS, *shipped_names()))
        return _failed(ConfigFault("no such template", key=key, value=name, hint=f"there is {known}; or a .yaml file of yours"))
    try:
        return read_text(yaml_files.read(given, "the template", key=key), str(given))
    except ConfigFault as fault:
        return _failed(fault)


def _failed(*faults: ConfigFault) -> Loaded:
    return Loaded(faults=faults)


def read_text(text: str, path: str) -> Loaded:
    """One recipe, or a list of them: the first that is for a payload shows it."""
    try:
        root = yaml_files.parse(text, path)
    except ConfigFault as fault:
        return _failed(fault)
    reader = _Reader(path)
    nodes = root.value if isinstance(root, SequenceNode) else [root]
    recipes = tuple(reader.recipe(node) for node in nodes)
    return Loaded(recipes=() if reader.faults else recipes, faults=tuple(reader.faults))


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path
        self.faults: list[ConfigFault] = []

    def _fault(self, node: Node | None, key: str, why: str) -> None:
        self.faults.append(yaml_files.fault_at(node, why, self._path, key=key))

    def recipe(self, node: Node | None) -> Recipe:
        if not isinstance(node, MappingNode):
            self._fault(node, "", f"a template is a mapping of {', '.join(ENTRIES)}")
            return Recipe()
        found: dict[str, Any] = {}
        for name, key, value in yaml_files.entries(node):
            if name in found or name not in ENTRIES:
                self._fault(key, name, "given twice" if name in found else f"unknown entry; there is {', '.join(ENTRIES)}")
            elif name == "fields":
                found[name] = tuple(self._fields(value))
            else:
                found[name] = self._source(value, name)
        for why in _missing(found):
            self._fault(node, "", why)
        return Recipe(**found)

    def _fields(self, node: Node) -> Iterator[tuple[str, str]]:
        if not isinstance(node, MappingNode):
            self._fault(node, "fields", "must be a mapping: the words before each value, and its template")
            return
        for name, _, value in yaml_files.entries(node):
            yield name, self._source(value, f"fields.{name}")

    def _source(self, node: Node, key: str) -> str:
        if not isinstance(node, ScalarNode):
            self._fault(node, key, "must be text: quote a template that begins with {")
            return ""
        for why, line in faults_of(str(node.value), key):
            # of a text in a block, its own lines begin below the key
            below = line + 1 if node.style in ("|", ">") else 0
            self.faults.append(yaml_files.fault_at(node, why, self._path, key=key, below=below))
        return str(node.value)


def _of_entries(given: Mapping[str, Any], key: str) -> Loaded:
    """Entries in bridge.yaml itself, whose places its own reader knows by their keys."""
    faults: list[ConfigFault] = []
    found: dict[str, Any] = {}

    def source(value: Any, at: str) -> str:
        if isinstance(value, Mapping | list) or value is None:
            faults.append(ConfigFault("must be text: quote a template that begins with {", key=at))
            return ""
        text = str(value).lower() if isinstance(value, bool) else str(value)
        faults.extend(ConfigFault(why, key=at) for why, _ in faults_of(text, at.rpartition(".")[2]))
        return text

    for name, value in given.items():
        at = f"{key}.{name}"
        if name not in ENTRIES:
            faults.append(ConfigFault(f"unknown entry; there is {', '.join(ENTRIES)}", key=at))
        elif name != "fields":
            found[name] = source(value, at)
        elif isinstance(value, Mapping):
            found[name] = tuple((str(label), source(each, f"{at}.{label}")) for label, each in value.items())
        else:
            faults.append(ConfigFault("must be a mapping: the words before each value, and its template", key=at))
    faults += [ConfigFault(why, key=key) for why in _missing(found)]
    return Loaded(recipes=() if faults else (Recipe(**found),), faults=tuple(faults))


def _missing(found: Mapping[str, Any]) -> Iterator[str]:
    if not any(found.get(name) for name in ("title", "text", "fields", "ignore")):
        yield "a template needs title, text or fields: without them it shows nothing"


def faults_of(source: str, key: str) -> Iterator[tuple[str, int]]:
    """What is wrong with one entry, and in which of its lines (0 is the first)."""
    if key == "format" and "{" not in source and source not in FORMATS:
        yield f"must be one of {', '.join(FORMATS)}", 0
        return
    try:
        names = template(source).names
    except TemplateFault as error:
        yield str(error), max(0, error.line - 1)
        return
    for name in sorted({name.partition(".")[0] for name in names} - KNOWN - _LOCAL):
        where = next((number for number, text in enumerate(source.split("\n")) if re.search(rf"\b{re.escape(name)}\b", text)), 0)
        yield f"there is no {name!r}; there is {', '.join(sorted(KNOWN))} (such as payload.{name})", where
