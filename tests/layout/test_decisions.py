"""Decision notes have one form: context, choice, alternatives, what would change our mind; numbered without a gap or a double."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

NOTES = sorted((Path(__file__).parents[2] / "docs" / "decisions").glob("*.md"))
FORM = ["Context", "Choice", "Alternatives", "What would change our mind"]
MAY_BE_THERE = {"What it costs"}


@pytest.mark.parametrize("note", NOTES, ids=lambda note: note.stem[:4])
def test_a_note_has_the_form(note: Path) -> None:
    text = note.read_text(encoding="utf-8")
    assert re.match(r"# [^\d]", text), "the number is in the file's name"
    titles = re.findall(r"^\*\*([A-Z][^*]+)\.\*\*", text, re.MULTILINE)
    assert [title for title in titles if title not in MAY_BE_THERE] == FORM
    assert "\n## " not in text


def test_notes_are_numbered() -> None:
    numbers = [int(note.stem[:4]) for note in NOTES]
    assert numbers == list(range(1, len(NOTES) + 1))
