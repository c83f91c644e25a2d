"""The services that operations use: frozen, one set for all lanes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from bridge.delivery.execution import Execution, NotNow
from bridge.delivery.places import Places
from bridge.delivery.rendering import MessageRenderer
from bridge.delivery.send import PartSender
from bridge.delivery.shown_tallies import ShownTallies
from bridge.delivery.tally_pace import Place, Shown, TallyPace, Turn
from bridge.files.fetch import FileFetcher
from bridge.journal.contract import Link, LinkStore
from bridge.model.refs import ChatAddress, MessageRef
from bridge.policy.notice_storms import NoticeStorms


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """`has_end` says whether a chat, or a thread of it, is an end of a route."""

    journal: LinkStore
    renderer: MessageRenderer
    places: Places
    sender: PartSender
    files: FileFetcher
    has_end: Callable[[ChatAddress, str | None], bool]
    shown_tallies: ShownTallies = field(default_factory=ShownTallies)
    storms: NoticeStorms = field(default_factory=NoticeStorms)
    pace: TallyPace = field(default_factory=TallyPace)

    def turn(self, shown: Shown, link: Link, run: Execution) -> Turn:
        """Whether what is shown of the copy may change now. Raises NotNow if this delivery is to wait for its turn."""
        now_s, every_s = run.clock.monotonic_s(), run.target.options.tally_every_s
        turn, wait_s = self.pace.turn(_place(shown, link, run), run.pending.delivery_id, now_s, every_s)
        if turn is Turn.WAIT:
            raise NotNow("what is shown of it changed just now", after_s=wait_s)
        return turn

    def changed(self, shown: Shown, link: Link, run: Execution) -> None:
        """It was changed just now."""
        self.pace.changed(_place(shown, link, run), run.clock.monotonic_s())

    async def link(self, message_id: str, run: Execution) -> Link | None:
        """Where the message is. If this thread has no copies, that includes copies in another thread of the target to which no
        route leads any more: nothing else would handle them."""
        target, thread_id = run.pending.target, run.pending.thread_id
        link = await self.journal.link(MessageRef(run.pending.event.meta.origin, message_id), target, thread_id)
        if link is None:
            return None
        for other in link.elsewhere:
            if not self.has_end(target, other.thread_id):
                return msgspec.structs.replace(
                    link, copies=other.copies, tally=other.tally, votes=other.votes, thread_id=other.thread_id
                )
        return link


def _place(shown: Shown, link: Link, run: Execution) -> Place:
    return str(run.pending.target), link.thread_id, link.event_seq, shown
