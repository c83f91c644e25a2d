"""Runs of rich text: their words, and neighbours that belong together joined. Pure; `rich_text` hands on what others use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import eq
from typing import TypeGuard

import msgspec

from bridge.model.characters import clean, is_clean
from bridge.model.pauses import in_steps, pause_point
from bridge.model.rich_text_nodes import Emoji, Inline, Mention, MentionKind, Text, Timestamp

_MANY = 1024
"""So many runs are looked at in one step where the interpreter does it by itself."""


def words_of(inlines: Sequence[Inline]) -> str:
    """What is displayed of runs, without markup."""
    if len(inlines) == 1:
        return inline_text(inlines[0])
    if len(inlines) > _MANY:
        return "".join(words_of(inlines[at : at + _MANY]) for at in range(0, len(inlines), _MANY))
    pause_point()
    return "".join([run.text for run in inlines] if only_texts(inlines) else map(inline_text, in_steps(inlines)))


def inline_text(inline: Inline) -> str:
    """What is displayed of one run, without markup."""
    if type(inline) is Text:
        return inline.text  # nearly every one, and a pattern takes longer
    match inline:
        case Text():
            return inline.text
        case Emoji():
            return inline.text or (f":{inline.name}:" if inline.name else "")
        case Mention():
            return ("#" if inline.kind is _CHAT else "@") + (inline.name or inline.id)
        case Timestamp():
            return inline.text or format_moment(inline.unix_s)


_CHAT = MentionKind.CHAT


@lru_cache(maxsize=256)
def format_moment(unix_s: int) -> str:
    """`YYYY-MM-DD HH:MM UTC`; a number that is no date of the calendar is given back as it is."""
    try:
        return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return str(unix_s)


def merge_inlines(inlines: Iterable[Inline]) -> tuple[Inline, ...]:
    """Neighbouring `Text` runs with equal marks and link joined; empty ones dropped; characters cleaned."""
    inlines = tuple(inlines)
    if are_merged(inlines):
        return inlines  # nearly every message
    merged: list[Inline] = []
    run: list[Text] = []
    for inline in in_steps(inlines):
        if isinstance(inline, Text):
            if not clean(inline.text):
                continue  # what shows nothing does not keep its neighbours apart
            if run and (run[0].marks != inline.marks or (run[0].link or None) != (inline.link or None)):
                merged.extend(_joined(run))
                run = []
            run.append(inline)
        else:
            atom = _cleaned(inline)
            if inline_text(atom):
                merged.extend(_joined(run))
                run = []
                merged.append(atom)
    merged.extend(_joined(run))
    return tuple(merged)


def are_merged(inlines: tuple[Inline, ...]) -> bool:
    """Whether these are `Text` runs that `merge_inlines` would leave as they are. Asked about every text several times."""
    if len(inlines) == 1:
        run = inlines[0]
        return type(run) is Text and run.text != "" and run.link != "" and type(run.marks) is int and is_clean(run.text)
    if len(inlines) <= _FEW:
        return inlines != () and _are_few_merged(inlines)
    for at in range(0, len(inlines), _MANY):
        pause_point()
        if not _are_many_merged(inlines[at : at + _MANY + 1]):  # with the first of those that follow: it may have to be joined
            return False
    return True


def _are_many_merged(inlines: tuple[Inline, ...]) -> bool:
    """It has no loop of its own: what goes over the runs are the interpreter's."""
    if not only_texts(inlines):
        return False
    texts = [run.text for run in inlines]
    marks = [run.marks for run in inlines]
    links = [run.link for run in inlines]
    if not all(texts) or set(map(type, marks)) != {int} or "" in links:
        return False
    if True in map(eq, marks, marks[1:]) or any(links):
        kinds = list(zip(marks, links, strict=True))
        if True in map(eq, kinds, kinds[1:]):
            return False
    return is_clean("".join(texts))


_FEW = 8
"""So many runs are sooner looked at one by one."""


def _are_few_merged(inlines: tuple[Inline, ...]) -> bool:
    before = None
    for run in inlines:
        if type(run) is not Text or not run.text or run.link == "" or type(run.marks) is not int or not is_clean(run.text):
            return False
        if before is not None and before.marks == run.marks and before.link == run.link:
            return False
        before = run
    return True


def only_texts(inlines: Sequence[Inline]) -> TypeGuard[tuple[Text, ...]]:
    """Whether there is no mention, emoji or timestamp among them."""
    if len(inlines) <= _VERY_FEW:
        return all(type(run) is Text for run in inlines)
    return _TEXT_ONLY.issuperset(map(type, inlines))


_TEXT_ONLY = {Text}
_VERY_FEW = 2
"""So many are sooner asked one by one."""


def _cleaned(atom: Mention | Emoji | Timestamp) -> Mention | Emoji | Timestamp:
    match atom:
        case Mention():
            name = clean(atom.name)
            return atom if name is atom.name else msgspec.structs.replace(atom, name=name)
        case Emoji():
            name, text = clean(atom.name), clean(atom.text)
            return atom if name is atom.name and text is atom.text else msgspec.structs.replace(atom, name=name, text=text)
        case Timestamp():
            text = clean(atom.text)
            return atom if text is atom.text else msgspec.structs.replace(atom, text=text)


def _joined(run: Sequence[Text]) -> Iterator[Text]:
    """One run for several with the same marks and link; none if there is no text."""
    text = clean("".join([piece.text for piece in run]))
    if text:
        yield Text(text, int(run[0].marks), run[0].link or None)
