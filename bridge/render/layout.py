"""Distributes text and files over messages: for new copies, and onto existing ones. Pure; called by `render`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.model.adapter import OutboundFile
from bridge.model.rich_text import EMPTY, RichText, normalize, plain, stack
from bridge.render.attachments import Target, grouped, takes_caption
from bridge.render.long_text import Ending, split_at_most
from bridge.render.parts import Held
from bridge.render.split import Limit


@dataclass(kw_only=True, slots=True, eq=False)
class Slot:
    """A message to be filled: its files, and whether it can hold text beside them."""

    files: tuple[OutboundFile, ...] = ()
    has_files: bool = False
    captioned: bool = True
    text: RichText = EMPTY
    surplus: bool = False
    """An existing message that is no longer needed."""
    unchanged: bool = False
    """An existing message that an edit does not affect: its files and the line above them stay as they are."""


class Layout:
    """What text becomes of which message; all text is in normal form.

    `head` is the name line above a message's text, `tail` the one above its further parts; both may be empty. A text that needs
    too many messages is cut, and ends with `ending`; `left_out` then says how many of its characters are nowhere."""

    def __init__(
        self, target: Target, *, head: RichText, tail: RichText, ending: Ending, edited: bool, file_follows: bool = False
    ) -> None:
        self._target = target
        self._head = normalize(head)
        self._tail = normalize(tail)
        self._ending = ending
        self._edited = edited
        self._file_follows = file_follows
        self.left_out = 0

    def new(self, files: Sequence[OutboundFile | None], body: RichText, below: RichText = EMPTY) -> list[Slot]:
        """The messages of a new copy: a text that fits is the caption of the first files, a longer one goes before them. None
        stands for a file that an edited message has already."""
        limits = self._target.capabilities.limits
        slots = [
            Slot(
                files=group, has_files=True, captioned=takes_caption(group, self._target.capabilities) and limits.caption_length > 0
            )
            for group in grouped([file for file in files if file], self._target.capabilities)
        ]
        if not slots and files:
            slots = [Slot(has_files=True)]
        whole = stack(self._head, body, below)
        if not slots or (whole and not (slots[0].captioned and self._fits(whole, slots[0]))):
            slots.insert(0, Slot())
        return self._filled(slots, stack(self._head, body), below, new=True)

    def onto(self, existing: Sequence[Held], body: RichText, below: RichText = EMPTY) -> list[Slot]:
        """The same text for messages that exist. Those beyond are new."""
        slots = [Slot(has_files=one is not Held.WORDS, captioned=one is not Held.FILES_ALONE) for one in existing]
        return self._filled(slots, stack(self._head, body), below, new=False)

    def _filled(self, slots: list[Slot], words: RichText, below: RichText, *, new: bool) -> list[Slot]:
        """The text goes to the first message that can hold any, then to further ones without files, added as needed. Other messages
        with files only say whose they are."""
        if not (words or below):
            for slot in slots:
                slot.surplus = not slot.has_files
            return slots or [Slot()]
        first = next((slot for slot in slots if self._can_hold_text(slot)), None)
        if first is None:
            first = Slot()
            slots.append(first)
        files = max(sum(slot.has_files for slot in slots if slot is not first), self._file_follows)
        most = max(1, self._target.options.long_text_parts - files)
        texts = self._split(words, below, first, max(most, sum(not slot.has_files or slot is first for slot in slots)))
        first.text = texts[0]
        places = [slot for slot in slots if not slot.has_files and slot is not first]
        for text in texts[1:]:
            slot = places.pop(0) if places else self._added(slots, before_files=new)
            slot.text = stack(self._tail, text)
        for slot in places:
            slot.surplus = True
        for slot in slots:
            if slot.has_files and slot is not first and slot.captioned and self._fits(self._tail, slot):
                slot.text = self._tail
                slot.unchanged = not new
        return slots

    def _added(self, slots: list[Slot], *, before_files: bool) -> Slot:
        slot = Slot()
        files_at = next((number for number, other in enumerate(slots) if other.has_files), len(slots))
        slots.insert(files_at if before_files else len(slots), slot)
        return slot

    def _can_hold_text(self, slot: Slot) -> bool:
        return not slot.has_files or (slot.captioned and self._fits(stack(self._head, plain("…")), slot))

    def _split(self, words: RichText, below: RichText, first: Slot, most: int) -> list[RichText]:
        further = Slot()
        parts, self.left_out = split_at_most(
            words,
            Limit(lambda text: self._length(stack(self._tail, text), further), self._most(further)),
            first=Limit(lambda text: self._length(text, first), self._most(first)),
            most=most,
            ending=self._ending,
            below=below,
        )
        return parts or [stack(words, below)]

    def _fits(self, text: RichText, slot: Slot) -> bool:
        return self._length(text, slot) <= self._most(slot)

    def _length(self, text: RichText, slot: Slot) -> int:
        return int(self._target.measure(text, caption=slot.has_files))

    def _most(self, slot: Slot) -> int:
        limits = self._target.capabilities.limits
        limit = limits.caption_length if slot.has_files else limits.text_length
        if self._edited and limits.edit_length is not None:
            limit = min(limit, limits.edit_length)
        return limit
