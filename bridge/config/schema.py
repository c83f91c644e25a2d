"""A JSON Schema (draft 2020-12) of bridge.yaml for editors, made from the same models that read it. Called by the CLI.

It knows no accounts: whether `tg/...` names one, and everything else that takes the whole file, is for `check`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from bridge.config.load import PEOPLE_MATCHES, PRIVATE_PREFIX
from bridge.config.otel import OtelSection
from bridge.config.sections import (
    CommandsSection,
    ConditionSection,
    JournalSection,
    LogSection,
    MediaSection,
    OnDeadSection,
    OpsSection,
    RelaySection,
    RewriteSection,
    ShutdownSection,
    TestSection,
)
from bridge.config.web import WebSection
from bridge.model.platform import Platform

Json = dict[str, Any]

_PEOPLE_MATCH: Json = {
    "enum": [*PEOPLE_MATCHES, False],
    "description": "email: accounts with the same address are one person's",
}

_SECTIONS = (
    ("journal", JournalSection),
    ("media", MediaSection),
    ("web", WebSection),
    ("log", LogSection),
    ("shutdown", ShutdownSection),
    ("commands", CommandsSection),
    ("ops", OpsSection),
    ("otel", OtelSection),
)
_REFERENCE: Json = {"type": "string", "pattern": r"\$\{", "description": "taken from the environment: ${NAME} or ${NAME:-default}"}
_ID: Json = {"type": ["string", "number"]}


def schema(manifests: Sequence[Platform]) -> Json:
    """The schema, with the options of these platforms."""
    defs: Json = {}
    relay = _object(RelaySection, "relay", defs)["properties"]
    sections = {name: _section(model, name, defs) for name, model in _SECTIONS}
    defs["condition"] = {**_object(ConditionSection, "condition", defs), "minProperties": 1}
    defs["rewrite"] = _object(RewriteSection, "rewrite", defs)
    defs["test"] = _test(defs)
    defs["on_dead"] = _object(OnDeadSection, "on_dead", defs)
    defs["filter"] = _filter_lines()
    defs["relay"] = _closed(relay, "Relay options, the outermost of the cascade end > route > account > defaults")
    defs["end"] = _end(relay)
    defs["route"] = _route(relay)
    defs["account"] = _account(manifests, relay, defs)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bridge.yaml",
        "description": "Configuration of messenger-bridge",
        "type": "object",
        "properties": {
            "accounts": {
                "type": "object",
                "description": "Each is one bot or webhook identity on one platform, by the name that routes use",
                "minProperties": 1,
                "propertyNames": {"pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$", "not": {"const": "name"}},
                "additionalProperties": {"$ref": "#/$defs/account"},
            },
            "routes": _list({"$ref": "#/$defs/route"}, "Which chats are mirrored"),
            "people": _list(_person(), "One person on several platforms"),
            "defaults": {"anyOf": [{"$ref": "#/$defs/relay"}, {"type": "null"}], "description": "Relay options for all ends"},
            "people_match": _PEOPLE_MATCH,
            **sections,
            "reserved_names": _list(_ID, "Names that nobody may be shown under, besides those of people and of the bridge's bots"),
        },
        "patternProperties": {f"^{PRIVATE_PREFIX}": {"description": "Ignored; for anchors"}},
        "required": ["accounts"],
        "additionalProperties": False,
        "$defs": defs,
    }


def _list(items: Json, description: str) -> Json:
    return {"anyOf": [{"type": "array", "items": items}, {"type": "null"}], "description": description}


def _person() -> Json:
    return {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "Shown everywhere"},
            "relay": {"type": ["boolean", "string"], "description": "false: nothing of the person is relayed"},
            "roles": {"type": "array", "items": {"type": "string"}, "description": "What filters and commands know the person by"},
        },
        "required": ["name"],
        "additionalProperties": {**_ID, "description": "User id or username in the account of that name"},
    }


_LINES: Json = {
    "filter": _list({"$ref": "#/$defs/filter"}, "The first line whose condition holds decides"),
    "rewrite": _list({"$ref": "#/$defs/rewrite"}, "Replacements in the words of messages, one after the other"),
}


def _filter_lines() -> Json:
    return {
        "type": "object",
        "properties": {
            "drop": {"$ref": "#/$defs/condition", "description": "Messages that match are not relayed"},
            "keep": {
                "$ref": "#/$defs/condition",
                "description": "Messages that match are relayed; messages that no line keeps are not",
            },
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


def _test(defs: Json) -> Json:
    found = _object(TestSection, "test", defs)
    ends = {"type": "array", "items": {"type": "string"}}
    words = {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}}
    found["properties"]["gives"] = {"anyOf": [ends, words], "description": "The ends that get it; or each with its words"}
    return {**found, "required": [*found.get("required", ()), "gives"]}


def _end(relay: Json) -> Json:
    address = {
        "type": "string",
        "pattern": r"^[^/]+/.+|\$\{",
        "description": "account/chat, account/chat/thread or account/chat/*",
        "examples": ["tg/-1001234567890", "team/#engineering"],
    }
    return {
        "anyOf": [
            address,
            {**_closed({"chat": address, **_LINES, **relay}, "An end with its own relay options"), "required": ["chat"]},
        ]
    }


def _route(relay: Json) -> Json:
    end: Json = {"$ref": "#/$defs/end"}
    one_or_more = {"anyOf": [end, {"type": "array", "minItems": 1, "items": end}]}
    properties = {
        "name": {**_ID, "description": "The route's name in log, journal and `dead`; unique"},
        "each": {
            "type": "array",
            "minItems": 1,
            "items": _ID,
            "description": "One route for each name, which stands for * in the ends",
        },
        "between": {"type": "array", "minItems": 2, "items": end, "description": "Mirrored in every direction"},
        "from": {**one_or_more, "description": "One way: where messages come from"},
        "to": {**one_or_more, "description": "One way: where messages go"},
        **_LINES,
        "on_dead": {"anyOf": [{"$ref": "#/$defs/on_dead"}, {"type": "null"}]},
        "tests": _list({"$ref": "#/$defs/test"}, "What should become of messages; `check` says where it does not"),
        **relay,
    }
    return {
        **_closed(properties, "Chats that are mirrored"),
        "required": ["name"],
        "oneOf": [{"required": ["between"], "properties": {"from": False, "to": False}}, {"required": ["from", "to"]}],
    }


def _account(manifests: Sequence[Platform], relay: Json, defs: Json) -> Json:
    choices = []
    for manifest in manifests:
        name = f"account.{manifest.name}"
        found = _object(manifest.options(), manifest.name, defs)
        properties = {
            "platform": {"const": manifest.name},
            **found["properties"],
            **{option: relay[option] for option in relay if option not in found["properties"]},
        }
        defs[name] = {**found, "properties": properties, "description": f"An account on {manifest.title}"}
        matches = {"properties": {"platform": {"const": manifest.name}}, "required": ["platform"]}
        choices.append({"if": matches, "then": {"$ref": f"#/$defs/{name}"}})
    return {
        "type": "object",
        "properties": {"platform": {"enum": [manifest.name for manifest in manifests], "description": "Which messenger"}},
        "required": ["platform"],
        "allOf": choices,
    }


def _closed(properties: Json, description: str) -> Json:
    return {"type": "object", "description": description, "properties": properties, "additionalProperties": False}


def _section(model: type[BaseModel], name: str, defs: Json) -> Json:
    defs[name] = _object(model, name, defs)
    return {"anyOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}]}


def _object(model: type[BaseModel], prefix: str, defs: Json) -> Json:
    """The schema of one model as YAML may write it; its own definitions go into `defs`, with names that cannot clash."""
    found = _renamed(copy.deepcopy(model.model_json_schema()), prefix)
    for name, inner in found.pop("$defs", {}).items():
        defs[f"{prefix}.{name}"] = _loosened(inner)
    found.pop("title", None)
    loose: Json = _loosened(found)
    loose.setdefault("properties", {})
    return loose


def _renamed(node: Any, prefix: str) -> Any:
    if isinstance(node, list):
        return [_renamed(item, prefix) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"#/$defs/{prefix}.{value.removeprefix('#/$defs/')}" if key == "$ref" else _renamed(value, prefix)
        for key, value in node.items()
    }


def _loosened(node: Any) -> Any:
    """What the loader accepts beyond the model: numbers for text, `${VAR}` for anything, `<key>_file` for secrets."""
    if isinstance(node, list):
        return [_loosened(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "properties" in node:
        return _loosened_object(node)
    if "pattern" in node and r"\$\{" in node["pattern"]:
        return node
    said = {key: value for key, value in node.items() if key in ("description", "default", "examples", "deprecated")}
    rest = {key: _loosened(value) for key, value in node.items() if key not in (*said, "title")}
    said = {key: value for key, value in said.items() if not (key == "default" and value is None)}
    if "enum" in node or "const" in node or node.get("type") in ("integer", "number", "boolean"):
        return {"anyOf": [rest, _REFERENCE], **said}
    if node.get("type") == "string":
        rest["type"] = ["string", "number"]
        if "pattern" in rest or "minLength" in rest or "maxLength" in rest or "format" in rest:
            return {"anyOf": [rest, _REFERENCE], **said} if rest.get("format") != "password" else {**rest, **said}
    return {**rest, **said}


def _loosened_object(node: Json) -> Json:
    properties: Json = {}
    required = list(node.get("required", ()))
    rules: list[Json] = []
    for name, inner in node["properties"].items():
        properties[name] = _loosened(inner)
        if not _is_secret(inner):
            continue
        beside = f"{name}_file"
        if beside not in node["properties"]:
            properties[beside] = {"type": "string", "description": f"File that holds {name}, instead of {name}"}
            both = {"required": [name, beside]}
            rules.append({"not": both})
            if name in required:
                required.remove(name)
                rules.append({"anyOf": [{"required": [name]}, {"required": [beside]}]})
    found = {key: value for key, value in node.items() if key not in ("properties", "required", "title")}
    found["properties"] = properties
    if isinstance(found.get("additionalProperties"), dict):
        found["additionalProperties"] = _loosened(found["additionalProperties"])
    if required:
        found["required"] = required
    if rules:
        found["allOf"] = rules
    return found


def _is_secret(node: Json) -> bool:
    return node.get("format") == "password" or any(_is_secret(inner) for inner in node.get("anyOf", ()))
