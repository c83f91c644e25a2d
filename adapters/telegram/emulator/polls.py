"""Polls: sent and stopped by bots, voted on and stopped by people.

Source: Bot API reference 10.3, sendPoll, stopPoll, Poll, Update: a bot gets the state of polls that it sent, and of polls that
somebody stopped; who voted only of those of its own that are not anonymous."""

from __future__ import annotations

import random
from collections.abc import Sequence

from adapters.telegram.emulator.call import Call
from adapters.telegram.emulator.errors import bad_request
from adapters.telegram.emulator.methods_send import Method
from adapters.telegram.emulator.records import Json, Message, Person
from adapters.telegram.emulator.wire import message_wire, user_wire
from adapters.telegram.emulator.world import World

OPTIONS_MOST = 12
_LONGEST_S = 2_628_000
_OF_MESSAGE = ("description", "description_entities", "media")
"""Fields of a Poll that it has only inside a Message."""


async def send_poll(call: Call) -> Json:
    question = call.params.text("question").strip()
    options = call.params.json("options")
    if not 1 <= len(question) <= 300:
        raise bad_request("poll question must be non-empty" if not question else "poll question length must not exceed 300")
    if not isinstance(options, list) or not 1 <= len(options) <= OPTIONS_MOST:
        raise bad_request(f"poll must have 1-{OPTIONS_MOST} options")
    texts = [str(option["text"] if isinstance(option, dict) else option).strip() for option in options]
    if not all(1 <= len(text) <= 100 for text in texts):
        raise bad_request("poll options length must not exceed 100" if all(texts) else "poll options must be non-empty")
    chat = call.chat()
    if "poll" in chat.forbidden_kinds:
        raise bad_request("not enough rights to send polls to the chat")
    anonymous = not ("is_anonymous" in call.params and not call.params.boolean("is_anonymous"))
    if chat.type == "channel" and not anonymous:
        raise bad_request("non-anonymous polls can't be sent to channel chats")
    poll: Json = {
        "id": str(random.getrandbits(62)),
        "question": question,
        "options": [{"persistent_id": str(n), "text": text, "voter_count": 0} for n, text in enumerate(texts)],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": anonymous,
        "type": call.params.text("type") or "regular",
        "allows_multiple_answers": call.params.boolean("allows_multiple_answers"),
        "allows_revoting": True,
        "members_only": False,
    }
    if close_date := call.params.integer("close_date") or 0:
        if not 5 <= close_date - call.world.now() <= _LONGEST_S:
            raise bad_request("poll close date must be at least 5 seconds and no more than 2628000 seconds in the future")
        poll["close_date"] = close_date
    described = call.caption({name.replace("description", "caption"): value for name, value in _description(call).items()})
    if described:
        poll["description"] = described["caption"]
        poll["description_entities"] = described.get("caption_entities", [])
    return message_wire(call.post(call.target(), [{"poll": poll}])[0])


def of_person(question: str, options: Sequence[str], *, many: bool) -> Json:
    """The poll that a person makes in an app, which shows who voted. Raises ValueError for what the apps do not take."""
    if not 1 <= len(question) <= 300:
        raise ValueError("a question has 1 to 300 characters")
    if not 2 <= len(options) <= OPTIONS_MOST or not all(1 <= len(option) <= 100 for option in options):
        raise ValueError(f"a poll has 2 to {OPTIONS_MOST} answers of 1 to 100 characters")
    return {
        "id": str(random.getrandbits(62)),
        "question": question,
        "options": [{"persistent_id": str(n), "text": text, "voter_count": 0} for n, text in enumerate(options)],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": False,
        "type": "regular",
        "allows_multiple_answers": many,
        "allows_revoting": True,
        "members_only": False,
    }


def _description(call: Call) -> Json:
    if "description" not in call.params:
        return {}
    entities = call.params.json("description_entities") if "description_entities" in call.params else []
    return {"description": call.params.text("description"), "description_entities": entities}


async def stop_poll(call: Call) -> Json:
    message = call.message(call.chat(), "stop the poll of")
    if message.sender is not call.bot or "poll" not in message.content:
        raise bad_request("message can't be edited" if "poll" in message.content else "message with poll to stop not found")
    if message.content["poll"]["is_closed"]:
        raise bad_request("poll has already been closed")
    close(call.world, message)
    return _state(message)


def vote(world: World, message: Message, person: Person, options: Sequence[int]) -> None:
    """A person votes for these options, by their index, instead of those before; for none: takes the vote back."""
    poll = message.content["poll"]
    if poll["is_closed"]:
        raise ValueError("the poll is closed")
    before = message.ballots.pop(person.user_id, [])
    if options:
        message.ballots[person.user_id] = list(options)
    counted = [
        option | {"voter_count": option["voter_count"] - (index in before) + (index in options)}
        for index, option in enumerate(poll["options"])
    ]
    message.content = message.content | {"poll": poll | {"options": counted, "total_voter_count": len(message.ballots)}}
    if message.sender is not None and message.sender.is_bot:
        queue = world.queues[message.sender.user_id]
        queue.push("poll", _state(message))
        if not poll["is_anonymous"]:
            queue.push("poll_answer", {"poll_id": poll["id"], "user": user_wire(person), "option_ids": list(options)})
    world.show("edited", message)


def close(world: World, message: Message) -> None:
    """The poll is stopped by hand."""
    message.content = message.content | {"poll": message.content["poll"] | {"is_closed": True}}
    world.tell("poll", message.chat, _state(message))
    world.show("edited", message)


def _state(message: Message) -> Json:
    return {name: value for name, value in message.content["poll"].items() if name not in _OF_MESSAGE}


METHODS: dict[str, Method] = {"sendPoll": send_poll, "stopPoll": stop_poll}
