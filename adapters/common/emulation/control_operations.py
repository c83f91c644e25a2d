"""The operations of the control API: what a caller states for each, and how an emulator carries it out. Called by `control`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from adapters.common.emulation.abilities import ArchivesChats, AsksPolls, ChangesThreads, OpensThreads, PinsMessages, ShowsTyping
from adapters.common.emulation.contract import Emulator, Fault, RemovesBot, StreamFault, Upload


class _Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class InChat(_Body, frozen=True):
    chat_id: str


class AddChat(_Body, frozen=True):
    name: str


class AddPerson(_Body, frozen=True):
    name: str


class Say(InChat, frozen=True):
    """`kinds` says of the first, second ... file as what it is sent (`Upload.kind`); empty: as the platform's client guesses."""

    person: str
    text: str = ""
    reply_to: str = ""
    thread_id: str = ""
    kinds: tuple[str, ...] = ()


class Edit(InChat, frozen=True):
    message_id: str
    text: str


class Delete(InChat, frozen=True):
    message_id: str


class React(InChat, frozen=True):
    message_id: str
    person: str
    emoji: str
    remove: bool = False


class Pin(InChat, frozen=True):
    message_id: str
    person: str
    remove: bool = False


class StartThread(InChat, frozen=True):
    """Answered with the new thread's id."""

    person: str
    name: str
    message_id: str = ""


class ChangeThread(InChat, frozen=True):
    """`name`: a new one; `closed`: whether it is from now on. What is left out stays."""

    thread_id: str
    person: str
    name: str = ""
    closed: bool | None = None


class Type(InChat, frozen=True):
    person: str


class Ask(InChat, frozen=True):
    """A poll; answered with its message's id."""

    person: str
    question: str
    options: tuple[str, ...]
    many: bool = False


class Vote(InChat, frozen=True):
    message_id: str
    person: str
    options: tuple[int, ...]


class ClosePoll(InChat, frozen=True):
    message_id: str


class RemoveBot(InChat, frozen=True):
    """Remove the bot from a chat, or bring it back (`back`)."""

    back: bool = False


class CloseChat(InChat, frozen=True):
    """Nothing more can be sent to this chat, until it is opened again (`reopen`): it is archived, or the bot is removed from it."""

    reopen: bool = False


class Inject(_Body, frozen=True):
    fault: Fault


class ClearFaults(_Body, frozen=True):
    pass


class Disturb(_Body, frozen=True):
    what: StreamFault


class RefuseConnections(_Body, frozen=True):
    refuse: bool


Acting = (
    AddChat
    | AddPerson
    | Say
    | Edit
    | Delete
    | React
    | Pin
    | StartThread
    | ChangeThread
    | Type
    | Ask
    | Vote
    | ClosePoll
    | RemoveBot
    | CloseChat
)
"""What people and administrators do."""
Operation = Acting | Inject | ClearFaults | Disturb | RefuseConnections

OPERATIONS: Mapping[str, type[Operation]] = {
    "add_chat": AddChat,
    "add_person": AddPerson,
    "say": Say,
    "edit": Edit,
    "delete": Delete,
    "react": React,
    "pin": Pin,
    "start_thread": StartThread,
    "change_thread": ChangeThread,
    "type": Type,
    "ask": Ask,
    "vote": Vote,
    "close_poll": ClosePoll,
    "remove_bot": RemoveBot,
    "close_chat": CloseChat,
    "inject": Inject,
    "clear_faults": ClearFaults,
    "disturb": Disturb,
    "refuse_connections": RefuseConnections,
}

_OPTIONAL: Mapping[str, type] = {
    "pin": PinsMessages,
    "start_thread": OpensThreads,
    "change_thread": ChangesThreads,
    "type": ShowsTyping,
    "ask": AsksPolls,
    "remove_bot": RemovesBot,
    "close_chat": RemovesBot,
}


def abilities_of(emulator: Emulator) -> list[str]:
    """The optional operations that an emulator can carry out; `ask` stands for all of polls."""
    return [name for name, ability in _OPTIONAL.items() if isinstance(emulator, ability)]


async def act(platform: str, emulator: Emulator, operation: Acting, files: Sequence[Upload]) -> object:
    """Carry it out. Raises ValueError for what the platform has not, and what the emulator raises for what it refuses."""
    match operation:
        case AddChat():
            return emulator.add_chat(operation.name)
        case AddPerson():
            return emulator.add_person(operation.name)
        case Say():
            where = {"reply_to": operation.reply_to, "thread_id": operation.thread_id}
            return await emulator.say(operation.chat_id, operation.person, operation.text, **where, files=files)
        case Edit():
            await emulator.edit(operation.chat_id, operation.message_id, operation.text)
        case Delete():
            await emulator.delete(operation.chat_id, operation.message_id)
        case React():
            await emulator.react(
                operation.chat_id, operation.message_id, operation.person, operation.emoji, remove=operation.remove
            )
        case RemoveBot():
            if not isinstance(emulator, RemovesBot):
                raise ValueError(f"the emulator of {platform} cannot remove the bot from a chat")
            (emulator.bring_bot_back if operation.back else emulator.remove_bot)(operation.chat_id)
        case CloseChat():
            _close(platform, emulator, operation)
        case _:
            return await _act_where_possible(platform, emulator, operation)
    return None


def _close(platform: str, emulator: Emulator, operation: CloseChat) -> None:
    if isinstance(emulator, ArchivesChats):
        emulator.archive_chat(operation.chat_id, archived=not operation.reopen)
    elif isinstance(emulator, RemovesBot):
        (emulator.bring_bot_back if operation.reopen else emulator.remove_bot)(operation.chat_id)
    else:
        raise ValueError(f"the emulator of {platform} cannot close a chat")


async def _act_where_possible(
    platform: str, emulator: Emulator, operation: Pin | StartThread | ChangeThread | Type | Ask | Vote | ClosePoll
) -> object:
    chat_id = operation.chat_id
    match operation:
        case Pin() if isinstance(emulator, PinsMessages):
            await emulator.pin(chat_id, operation.message_id, operation.person, remove=operation.remove)
        case StartThread() if isinstance(emulator, OpensThreads):
            return await emulator.start_thread(chat_id, operation.person, operation.name, message_id=operation.message_id)
        case ChangeThread() if isinstance(emulator, ChangesThreads):
            name, closed = operation.name.strip(), operation.closed
            await emulator.change_thread(chat_id, operation.thread_id, operation.person, name=name, closed=closed)
        case Type() if isinstance(emulator, ShowsTyping):
            await emulator.type(chat_id, operation.person)
        case Ask() if isinstance(emulator, AsksPolls):
            return await emulator.ask_poll(chat_id, operation.person, operation.question, operation.options, many=operation.many)
        case Vote() if isinstance(emulator, AsksPolls):
            await emulator.vote_for(chat_id, operation.message_id, operation.person, operation.options)
        case ClosePoll() if isinstance(emulator, AsksPolls):
            await emulator.close_poll(chat_id, operation.message_id)
        case _:
            raise ValueError(f"people of {platform} cannot {type(operation).__name__.lower()}")
    return None
