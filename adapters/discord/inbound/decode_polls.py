"""A poll of a message, and how people have voted on it. Pure; called by `decode_content`, `decode_messages` and `poll_reader`.

Source: API reference, poll resource, August 2026. Counts may be a little wrong until `is_finalized`, which comes some time
after the end."""

from __future__ import annotations

from adapters.discord import wire
from adapters.discord.inbound.decode_context import Context
from adapters.discord.lenient import mapping, moment, objects, text, whole
from adapters.discord.snowflakes import id_of
from bridge.model.events import EventMeta, Poll, PollOption, PollVotesChanged
from bridge.model.refs import ChatRef


def poll_of(value: wire.Poll | None) -> Poll | None:
    data = mapping(value)
    if not data:
        return None
    results = mapping(data.get("results"))
    counts = {whole(c.get("id"), -1): whole(c.get("count")) for c in objects(results.get("answer_counts"))}
    none = 0 if results else None  # answers that nobody has voted for are not counted at all
    options = tuple(
        PollOption(text=_answer_text(mapping(a.get("poll_media"))), votes=counts.get(whole(a.get("answer_id"), -2), none))
        for a in objects(data.get("answers"))
    )
    return Poll(
        question=text(mapping(data.get("question")).get("text")),
        options=options,
        multiple=data.get("allow_multiselect") is True,
        anonymous=False,
        closed=results.get("is_finalized") is True,
        closes_at=moment(data.get("expiry")),
    )


def _answer_text(media: wire.PollMedia) -> str:
    emoji = text(mapping(media.get("emoji")).get("name"))
    return " ".join(part for part in (emoji, text(media.get("text"))) if part)


def votes_of(data: wire.Message, context: Context) -> PollVotesChanged | None:
    """How people have voted on the poll of a message object, as of now; None: it has no poll. Raises what `decode` raises."""
    poll = poll_of(data.get("poll"))
    if poll is None:
        return None
    message_id, channel_id = id_of(data["id"]), id_of(data["channel_id"])
    chat_id, thread_id = context.guilds.chat_of(channel_id)
    now = context.clock.now()
    # the same counts may come again after others: so the moment, which no redelivery repeats, distinguishes them
    key = f"votes:{context.identity.account}:{chat_id}:{message_id}:{now.timestamp():.6f}"
    meta = EventMeta(
        event_key=key,
        origin=ChatRef(context.identity.account, chat_id),
        thread_id=thread_id,
        occurred_at=now,
        received_at=now,
    )
    is_over = poll.closed or (poll.closes_at is not None and poll.closes_at <= now)
    return PollVotesChanged(
        meta=meta, message_id=message_id, votes=tuple(option.votes or 0 for option in poll.options), closed=is_over
    )
