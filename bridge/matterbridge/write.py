"""bridge.yaml of a draft, with a comment where an account or a setting needs an admin."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from bridge.matterbridge.convert import Draft
from bridge.model.foreign_settings import Note

_WIDTH = 130


def as_yaml(draft: Draft, source: str) -> str:
    """The text of bridge.yaml. `source`: the file's name, for people."""
    lines = list(_comment(f"Made from {source}. `messenger-bridge check` says what is still missing.", ""))
    by_place: dict[str, list[Note]] = {}
    for note in draft.notes:
        by_place.setdefault(_section(note, draft), []).append(note)
    for note in by_place.get("", ()):
        lines += _comment(str(note), "")
    lines += ["", "accounts:" + ("" if draft.accounts else " {}")]
    for name, options in draft.accounts.items():
        place = draft.origins[name]
        lines += _comment(f"[{place}]", "  ")
        for note in by_place.get(place, ()):
            why = f"{note.why}" + (f" - {note.action}" if note.action else "")
            lines += _comment(f"{note.place.removeprefix(place + '.')}: {why}", "  ")
        lines += _dumped({name: options}, "  ")
        lines.append("")
    lines.append("routes:" + ("" if draft.routes else " []"))
    for route in draft.routes:
        lines += _dumped([route], "  ")
    return "\n".join(lines).rstrip() + "\n"


def _section(note: Note, draft: Draft) -> str:
    """Of the account that the note is about, empty if it is about none. A name may have a dot, and begin like another's."""
    return max((place for place in draft.origins.values() if note.place.startswith(f"{place}.")), key=len, default="")


def _comment(text: str, indent: str) -> Iterator[str]:
    clean = "".join(one if one.isprintable() else " " for one in text)
    yield from textwrap.wrap(clean, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}#   ", break_on_hyphens=False)


def _dumped(value: Any, indent: str) -> list[str]:
    text = yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH, default_flow_style=False)
    return textwrap.indent(text, indent).splitlines()


class _Dumper(yaml.SafeDumper):
    """Lists of plain values in one line, as people write them; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _sequence(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    plain = all(not isinstance(one, list | dict) for one in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)


_Dumper.add_representer(list, _sequence)
