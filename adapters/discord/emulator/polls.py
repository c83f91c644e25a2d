"""Polls: made by a request, voted on by people, ended by their author. REST: their end.

Source: API reference, poll resource, August 2026: a poll of a webhook has nobody who could end it; a message with a poll cannot be
edited; the end is told by an update of the message and by a message of type 46."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from adapters.common.emulation.contract import SeenPoll, SeenPollOption
from adapters.discord.emulator import errors
from adapters.discord.emulator.api import Api, Handler
from adapters.discord.emulator.errors import json_response
from adapters.discord.emulator.ids import stamp
from adapters.discord.emulator.operations import Operations
from adapters.discord.emulator.records import Channel, Message, Reference, User

Json = dict[str, Any]

LONGEST_H = 768
POLL_EXPIRED, CANNOT_EDIT, NOT_A_POLL = 520001, 520003, 520006


def made_of(request: object) -> Json | None:
    """The poll of a message that was created with this "Poll Create Request". Raises ApiError for a bad one."""
    if request is None:
        return None
    stated: Json = request if isinstance(request, dict) else {}
    question = str((stated.get("question") or {}).get("text") or "")
    answers = stated.get("answers")
    if not 1 <= len(question) <= 300:
        raise errors.invalid_form("poll.question.text", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 300 in length.")
    if not isinstance(answers, list) or not 1 <= len(answers) <= 10:
        raise errors.invalid_form("poll.answers", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 10 in length.")
    for number, answer in enumerate(answers):
        words = str(((answer or {}).get("poll_media") or {}).get("text") or "")
        if not 1 <= len(words) <= 55:
            field = f"poll.answers.{number}.poll_media.text"
            raise errors.invalid_form(field, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 55 in length.")
    hours = stated.get("duration", 24)
    if not isinstance(hours, int) or not 1 <= hours <= LONGEST_H:
        raise errors.invalid_form("poll.duration", "NUMBER_TYPE_MAX", f"int value should be between 1 and {LONGEST_H}.")
    return {
        "question": {"text": question},
        "answers": [{"answer_id": n, "poll_media": answer["poll_media"]} for n, answer in enumerate(answers, 1)],
        "expiry": stamp(datetime.now(UTC) + timedelta(hours=hours)),
        "allow_multiselect": bool(stated.get("allow_multiselect")),
        "layout_type": 1,
        "results": {"is_finalized": False, "answer_counts": []},
    }


class Polls:
    """Of one guild."""

    def __init__(self, api: Api, operations: Operations) -> None:
        self._api = api
        self._operations = operations
        self._ballots: dict[int, dict[int, frozenset[int]]] = {}
        """By message and person."""

    def table(self) -> list[tuple[str, str, Handler]]:
        return [("POST", "/channels/{channel}/polls/{message}/expire", self.expire)]

    async def expire(self, request: web.Request) -> web.StreamResponse:
        bot = self._api.bot(request)
        channel = self._api.channel(request, bot)
        message = self._api.message(request, channel)
        if message.poll is None:
            raise errors.ApiError(400, NOT_A_POLL, "Cannot expire a non-poll message")
        if message.webhook_id is not None or message.author.id != bot.user.id:
            raise errors.ApiError(403, 50005, "Cannot edit a message authored by another user")
        if message.poll["results"]["is_finalized"]:
            raise errors.ApiError(400, POLL_EXPIRED, "Poll expired")
        return json_response(self._api.payloads.message(self.end(channel, message), viewer=bot))

    def vote(self, channel: Channel, message: Message, user: User, answers: Sequence[int]) -> None:
        """A person votes for these answers, by their ids, instead of those before."""
        assert message.poll is not None
        ballots = self._ballots.setdefault(message.id, {})
        before, now = ballots.get(user.id, frozenset()), frozenset(answers)
        ballots[user.id] = now
        counts = {
            each["answer_id"]: sum(each["answer_id"] in ballot for ballot in ballots.values()) for each in message.poll["answers"]
        }
        results = {
            "is_finalized": False,
            "answer_counts": [{"id": n, "count": count, "me_voted": False} for n, count in counts.items() if count],
        }
        voters = tuple((n, tuple(person for person, ballot in ballots.items() if n in ballot)) for n in counts)
        self._operations.change_quietly(channel, message, poll=message.poll | {"results": results}, voters=voters)
        for name, changed in (("REMOVE", before - now), ("ADD", now - before)):
            for answer in sorted(changed):
                self._operations.tell_vote(f"MESSAGE_POLL_VOTE_{name}", channel, message, user, answer)

    def end(self, channel: Channel, message: Message) -> Message:
        """By its author, or since its time is over."""
        assert message.poll is not None
        poll = message.poll | {
            "expiry": stamp(datetime.now(UTC)),
            "results": (message.poll.get("results") or {"answer_counts": []}) | {"is_finalized": True},
        }
        ended = self._operations.amend(channel, message, poll=poll)
        counts = {one["id"]: one["count"] for one in poll["results"]["answer_counts"]}
        fields = [
            {"name": "poll_question_text", "value": poll["question"]["text"], "inline": False},
            {"name": "total_votes", "value": str(sum(counts.values())), "inline": False},
        ]
        self._operations.post(
            channel,
            author=message.author,
            webhook_id=message.webhook_id,
            type=46,
            reference=Reference(kind=0, channel_id=channel.id, message_id=message.id),
            embeds=({"type": "poll_result", "fields": fields},),
        )
        return ended


def of_person(question: str, options: Sequence[str], *, many: bool) -> Json | None:
    """The poll that a person makes in the client. Raises ApiError as the server does."""
    answers = [{"poll_media": {"text": option}} for option in options]
    return made_of({"question": {"text": question}, "answers": answers, "duration": 24, "allow_multiselect": many})


def seen(message: Message, name: Callable[[int], str]) -> SeenPoll | None:
    """A message's poll as its parts."""
    if message.poll is None:
        return None
    results = message.poll.get("results") or {}
    counts = {one["id"]: one["count"] for one in results.get("answer_counts", ())}
    voters = dict(message.voters)
    options = tuple(
        SeenPollOption(
            text=answer["poll_media"]["text"],
            votes=counts.get(answer.get("answer_id"), 0),
            by=tuple(name(user_id) for user_id in voters.get(answer.get("answer_id"), ())),
        )
        for answer in message.poll["answers"]
    )
    closed = bool(results.get("is_finalized"))
    question = message.poll["question"]["text"]
    return SeenPoll(question=question, options=options, many=bool(message.poll.get("allow_multiselect")), closed=closed)


def shown(poll: Json) -> tuple[str, str]:
    """As the client shows a poll: text, and HTML."""
    results = poll.get("results") or {}
    counts = {one["id"]: one["count"] for one in results.get("answer_counts", ())}
    lines = [f"Poll: {poll['question']['text']}"]
    for answer in poll["answers"]:
        count = counts.get(answer.get("answer_id"), 0)
        lines.append(f"- {answer['poll_media']['text']}" + (f" {count}" if count else ""))
    if results.get("is_finalized"):
        lines.append("(closed)")
    text = "\n".join(lines)
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text, f'<div class="poll">{escaped}</div>'
