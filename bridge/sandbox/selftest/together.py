"""What people do together in a chat, as checks: answering in a thread, pinning, asking a poll. See `checks`."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.common.emulation.abilities import AsksPolls, OpensThreads, PinsMessages
from adapters.common.emulation.contract import SeenMessage
from bridge.model.capabilities import Feature
from bridge.sandbox.selftest.judging import AUTHOR, OTHER, Verdicts, by_other_means, copies_of, crosses_at_least
from bridge.sandbox.selftest.room import Room, Shown, each
from bridge.sandbox.selftest.verdict import OK, Failed, Refused, Verdict, degraded

_OPTIONS = ("soup of the day", "rice and beans")


async def thread(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    """Somebody opens a thread below a message and writes in it."""
    opening, inside = f"a thread begins in {origin}", f"within the thread of {origin}"
    chat, emulator = room.chat(origin), room.emulators[origin]
    if not chat.threads_from_messages:
        return await crosses_at_least(room, origin, targets, inside, room.declared(origin, Feature.THREAD))
    said = await room.say(origin, AUTHOR, opening)
    copies, verdicts = await copies_of(room, targets, opening)
    place = said
    if chat.names_threads:
        if not isinstance(emulator, OpensThreads):
            raise Failed(f"{room.title(origin)} names threads, and lets nobody open one")
        place = await emulator.start_thread(chat.chat_id, OTHER, f"about {origin}", message_id=said)
    await room.say(origin, OTHER, inside, thread_id=place)

    async def judge(target: str) -> Verdict:
        copy, there = await room.copy(target, inside), copies[target]
        if copy.thread_id and copy.thread_id in (there.message_id, there.thread_id):
            return OK
        linked = any(there.message_id in link for link in Shown(copy.html).links)
        # an origin that tells no words of the thread's beginning leaves the name of who began it, which nobody else says here
        shown = f"{copy.reply_quote} {copy.text}"
        if there.message_id != copy.reply_to and not linked and opening not in shown and AUTHOR not in shown:
            raise Failed(f"does not show what it belongs to: {copy.text!r}")
        has_threads = room.chat(target).threads_from_messages
        return by_other_means(
            room.less_than_full(target, Feature.THREAD) or ("" if has_threads else room.declared(target, Feature.THREAD)),
            "the thread",
        )

    return verdicts | await each(list(copies), judge)


async def pin(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    words, emulator = f"to be pinned in {origin}", room.emulators[origin]
    if not isinstance(emulator, PinsMessages):
        return await crosses_at_least(room, origin, targets, words, _declared(room, origin, Feature.SEES_PINS, "pins"))
    said = await room.say(origin, AUTHOR, words)
    copies, verdicts = await copies_of(room, targets, words)
    await emulator.pin(room.chat_id(origin), said, OTHER)

    async def judge(target: str) -> Verdict:
        reason = room.lacks(origin, Feature.SEES_PINS) or room.lacks(target, Feature.PIN)
        if reason:
            return degraded(reason)
        await room.until(target, lambda: [one for one in room.copies(target, words) if one.pinned], "the copy was not pinned")
        return OK

    return verdicts | await each(list(copies), judge)


async def poll(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    question, emulator = f"What to eat in {origin}?", room.emulators[origin]
    if not isinstance(emulator, AsksPolls):
        return await crosses_at_least(room, origin, targets, question, _declared(room, origin, Feature.POLL, "polls"))
    try:
        await emulator.ask_poll(room.chat_id(origin), AUTHOR, question, _OPTIONS)
    except Exception as refusal:  # each platform has its own
        raise Refused(f"{room.title(origin)} refuses a poll: {refusal}") from refusal

    async def judge(target: str) -> Verdict:
        found = await room.until(target, lambda: _asking(room, target, question), "no copy arrived")
        copy = found[0]
        if len(found) > 1:
            raise Failed(f"{len(found)} copies instead of one")
        if copy.poll is not None and tuple(option.text for option in copy.poll.options) == _OPTIONS:
            return OK
        if lost := [option for option in _OPTIONS if option not in copy.text]:
            raise Failed(f"options are lost: {', '.join(lost)}")
        return by_other_means(room.lacks(target, Feature.POLL), "the poll")

    return await each(targets, judge)


def _asking(room: Room, platform: str, question: str) -> list[SeenMessage]:
    said = [message for message in room.seen(platform) if message.is_bot and not message.deleted]
    return [message for message in said if question in message.text or (message.poll and question in message.poll.question)]


def _declared(room: Room, platform: str, feature: Feature, what: str) -> str:
    """Why people of the platform cannot do that, by its own declaration. Raises Failed if it declares that they can."""
    reason = room.less_than_full(platform, feature)
    if not reason:
        raise Failed(f"{room.title(platform)} declares {what}, and its stand-in has none")
    return reason
