"""Polls: whether one can be a native poll at a target, and how its votes at several places add up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from bridge.model.capabilities import Capabilities, Feature
from bridge.model.characters import is_blank
from bridge.model.events import MessageCreated, MessageEdited, Poll


def native_poll(event: MessageCreated | MessageEdited, capabilities: Capabilities) -> Poll | None:
    """The message's poll if the target can post it as one; None: it is text. An edit posts none. A poll that is over shows its
    result, which a new one would not have; and platforms have no poll with files."""
    poll, limits = event.content.poll, capabilities.limits.poll
    if poll is None or limits is None or not isinstance(event, MessageCreated) or not capabilities.native(Feature.POLL):
        return None
    options = [option.text for option in poll.options]
    fits = (
        limits.options_least <= len(options) <= limits.options_most
        and len(poll.question) <= limits.question_length
        and all(len(option) <= limits.option_length for option in options)
        and not any(map(is_blank, (poll.question, *options)))
        and not poll.closed
        and not event.content.attachments
    )
    return poll if fits else None


def counted(poll: Poll, counts: Iterable[Sequence[int]], *, closed: bool) -> Poll:
    """The poll with the sum of these counts; what counts more options than it has is left out."""
    votes = [0] * len(poll.options)
    for one in counts:
        for index, count in enumerate(one[: len(votes)]):
            votes[index] += max(count, 0)
    options = tuple(msgspec.structs.replace(option, votes=number) for option, number in zip(poll.options, votes, strict=True))
    return msgspec.structs.replace(poll, options=options, closed=closed)
