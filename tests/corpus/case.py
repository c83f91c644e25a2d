"""A case of the corpus as it lies on disk: what came over the wire, and what a person reviewed of what became of it.

`<platform>/<name>.json` is the case, `<platform>/<name>.yaml` beside it the expectation. Read by `test_corpus` and `__main__`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
SECRET = "s3cr3t-of-the-payload"
"""Stands for what a sender tells and nobody may see."""
KEYS = frozenset({"about", "payloads", "missing", "route", "account"})

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """`about`: one sentence, with the source of the shape. `missing`: ids of files that the server tells of but does not have.
    `route`, `account`: options as in bridge.yaml, where the case needs some."""

    path: Path
    about: str
    payloads: tuple[Json, ...]
    missing: frozenset[str] = frozenset()
    route: Json = field(default_factory=dict)
    account: Json = field(default_factory=dict)
    public: bool = False
    """Whether the bridge has a public listener, whatever the platform."""

    @property
    def origin(self) -> str:
        return self.path.parent.name

    @property
    def name(self) -> str:
        return f"{self.origin}/{self.path.stem}"

    @property
    def expectation(self) -> Path:
        return self.path.with_suffix(".yaml")


def read(path: Path) -> Case:
    """Raises ValueError for a case with keys nobody reads, or without payloads."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if set(document) - KEYS or not document.get("payloads") or not document.get("about"):
        raise ValueError(f"{path}: a case has the keys {', '.join(sorted(KEYS))}; `about` and `payloads` are required")
    return Case(
        path,
        document["about"],
        tuple(document["payloads"]),
        frozenset(document.get("missing", ())),
        document.get("route", {}),
        document.get("account", {}),
    )


def message_ids(case: Case) -> set[str]:
    """Native ids of the messages that a case's payloads tell of as new, where every case needs ids of its own."""
    found: set[str] = set()
    for payload in case.payloads:
        match case.origin:
            case "telegram" if "message" in payload:
                found.add(str(payload["message"]["message_id"]))
            case "discord" if payload.get("t") == "MESSAGE_CREATE" and payload["d"]["id"] != "0":
                found.add(payload["d"]["id"])
            case "slack" if payload["type"] == "message" and payload.get("subtype") not in ("message_changed", "message_deleted"):
                found.add(payload["ts"])
    return found


def cases() -> list[Case]:
    return [read(path) for path in sorted(HERE.glob("*/*.json"))]


class _Readable(yaml.SafeDumper):
    """Texts of several lines as blocks, so that a person can read them."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_block = "\n" in text and not any(line.endswith(" ") for line in text.split("\n"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if is_block else None)


_Readable.add_representer(str, _text)


def written(about: str, expectation: Json) -> str:
    """An expectation as it is kept."""
    head = f"# {about}\n"
    return head + yaml.dump(expectation, Dumper=_Readable, allow_unicode=True, sort_keys=False, width=120)
