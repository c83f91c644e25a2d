"""What the steps of one edit share: the text, the further messages, and the removed files (`edit_words`, `edit_posts`,
`edit_removals`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bridge.delivery.execution import Execution
from bridge.delivery.operations.edit_files import FileChanges, How, Removal, Standing, is_wordless, removals
from bridge.delivery.operations.tools import Tools
from bridge.journal.contract import Carried, Link
from bridge.model.adapter import Edits, Receipt
from bridge.model.errors import ChangeRefused
from bridge.model.events import MessageEdited
from bridge.render.message import FetchResult


@dataclass(frozen=True, slots=True, kw_only=True)
class EditJob:
    """`copies` are the messages in the target, `changed` what the edit changes about the files, `fetched` the edit's files."""

    event: MessageEdited
    link: Link
    adapter: Edits
    copies: Sequence[Standing]
    changed: FileChanges
    fetched: Sequence[FetchResult]
    run: Execution
    tools: Tools


@dataclass(slots=True)
class CopiesLeft:
    """What is left of the copies as the edit goes on."""

    removals: Sequence[Removal]
    staying: list[Standing]
    lines: int
    """Removed files that stay visible: a line in the text says so."""
    edited: dict[int, tuple[Receipt, Carried]] = field(default_factory=dict)
    """By part: the receipts of edits that say something new, and what it contains since."""
    refused: ChangeRefused | None = None
    """The target's refusal for a copy that can no longer be changed: the others still follow the edit."""

    @classmethod
    def of(cls, job: EditJob) -> CopiesLeft:
        planned = removals(job.event, job.changed, job.copies, job.run.target.adapter)
        going = [removal.standing for removal in planned if removal.how is How.WHOLE]
        lines = job.changed.lost + sum(len(removal.indexes) for removal in planned if removal.how is How.LINE)
        return cls(planned, [one for one in job.copies if one not in going], lines)

    def stays(self, removal: Removal) -> None:
        """It was refused: its files stay visible."""
        self.lines += len(removal.indexes)
        if removal.standing not in self.staying:
            self.staying = sorted([*self.staying, removal.standing], key=lambda one: one.number)


def says_nothing(event: MessageEdited) -> bool:
    """Whether it leaves the text as it is: a file of an album whose text is at another file."""
    return event.album_item and is_wordless(event)
