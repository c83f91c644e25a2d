"""The error tree. Adapters classify, the core decides; a class exists where the core decides differently.

BridgeError
├── DeliveryError                 raised by an adapter's send, edit, delete, react, open_file
│   ├── RetryLater                not done; try again after a wait            -> the lane (or account) waits, then tries again
│   │   └── FileHarmed            a file to send is not on disk as fetched     -> the spool fetches it again
│   ├── OutcomeUnknown            may be done: the request left, no answer    -> reconcile, then resend or hold by policy
│   ├── Rejected                  final for this message                      -> dead letter
│   │   ├── RightMissing          an edit or deletion, until a human acts     -> dead letter that says what to do
│   │   ├── ChangeRefused         an edit or deletion, for ever               -> skipped by name, the copy stays as it is
│   │   └── FileRejected          final for files of it, words are welcome    -> sent without them, a line says so
│   ├── ChatDown                  this chat refuses until a human acts        -> the lane waits long, its end is reported unhealthy
│   │   └── ChatOff                switched off, what is sent to it is wanted  -> the same, and nothing is given up meanwhile
│   └── ChatMoved                 the chat has a new id                       -> the lane follows
├── AccountDown                   final for the account until a human acts    -> account parked, others run on
├── ConnectionLost                run() ended: the connection is gone         -> supervisor reconnects with back-off
└── ConfigFault                   one fault in the configuration; collected   -> shown together, exit 78 before any connection

Anything else is a bug: traceback, counted, the delivery's outcome becomes unknown, the lane goes on.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec


class Scope(StrEnum):
    """How far a wait reaches."""

    CHAT = "chat"
    ACCOUNT = "account"


class BridgeError(Exception):
    """Base of the bridge's own errors. `reason` is plain text for an admin, without secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt was answered, for an admin who asks why it failed."""

    status: int | None
    """Of HTTP; None: no answer came."""
    took_s: float
    body: str = ""
    """The start of it, showable: without control characters, and without secrets."""


class DeliveryError(BridgeError):
    """Base of what an adapter may raise for one operation on one chat."""

    answer: Answer | None = None
    """Kept with the delivery where an adapter tells it; `dead show` and `trace` show the last ones."""


class RetryLater(DeliveryError):
    """Not done. Try again after `after_s` seconds (None: the core's own back-off), waiting with the chat or the whole account.

    `rate_limited` says that the platform asked for the wait (a 429), as opposed to a fault of it.
    """

    def __init__(self, reason: str, *, after_s: float | None = None, scope: Scope = Scope.CHAT, rate_limited: bool = False) -> None:
        super().__init__(reason)
        self.after_s = after_s
        self.scope = scope
        self.rate_limited = rate_limited


class FileHarmed(RetryLater):
    """A file to be sent is no longer on disk as it was fetched. The upload was aborted before its end, so nothing was sent. `path`
    is where it was read; it is not part of the text."""

    def __init__(self, what: str, *, path: Path) -> None:
        super().__init__(f"the file on its way {what}; it is fetched again")
        self.path = path


class OutcomeUnknown(DeliveryError):
    """The request was sent and no usable answer came: the message may exist. It is resent only after reconciling or by route
    policy."""


class Rejected(DeliveryError):
    """Final for this message: the platform will never accept it as it is."""


class MessageGone(Rejected):
    """The message to change does not exist: somebody deleted it on its platform."""


class RightMissing(Rejected):
    """An edit, a deletion, a reaction or a pin needs a right that the bot lacks; messages work without it. `action` says what a
    human can do; a retry helps after that."""

    def __init__(self, reason: str, *, action: str) -> None:
        super().__init__(f"{reason}. What to do: {action}")
        self.action = action


class ChangeRefused(Rejected):
    """The platform will never accept this edit or deletion, and nobody can change that: the message is too old, or not ours."""


class FileRejected(Rejected):
    """The platform will never accept a file of the message (empty, too large, its kind, uploads switched off), and nothing of this
    part was posted. The text and other files are sent without it, and a line says so.

    `indexes` are indexes into `Outbound.files`; empty: it is not known which."""

    def __init__(self, reason: str, *, indexes: tuple[int, ...] = ()) -> None:
        super().__init__(reason)
        self.indexes = indexes


class PollRejected(Rejected):
    """The platform does not take the message's poll as one (polls are not allowed there, or it is over), and nothing was posted.
    The message is sent with the poll as text."""


class ExtraRejected(Rejected):
    """The platform does not take the message's place or contact as one, and nothing was posted. It is sent as text."""


class ChatDown(DeliveryError):
    """The chat refuses everything until a human acts (`action` says what to do): kicked, no rights, archived, not found."""

    def __init__(self, reason: str, *, action: str) -> None:
        super().__init__(reason)
        self.action = action


class NoThread(Exception):
    """Marks an error which says that the thread sent into is gone or takes no messages. The chat itself may take them."""


class ThreadGone(NoThread, Rejected):
    """It was deleted."""


class ThreadDown(NoThread, ChatDown):
    """It refuses everything until a human acts."""


class ChatOff(ChatDown):
    """The chat is switched off until a human switches it on again, and what is sent to it is kept until then, however long that
    takes: it is neither given up nor counted as tried. `Intake.chat_restored` ends the wait, and so does `retry-now`."""


class ChatMoved(DeliveryError):
    """The chat lives on under `new_chat_id` (a Telegram group that became a supergroup)."""

    def __init__(self, reason: str, *, new_chat_id: str) -> None:
        super().__init__(reason)
        self.new_chat_id = new_chat_id


class AccountDown(BridgeError):
    """Final for the whole account until a human acts: wrong token, revoked rights. `action` says what to do. `sends`: only
    receiving is down, messages may be sent."""

    def __init__(self, reason: str, *, action: str, sends: bool = False) -> None:
        super().__init__(reason)
        self.action = action
        self.sends = sends


class ConnectionLost(BridgeError):
    """An adapter's `run` ended because the connection was lost; the supervisor reconnects with back-off."""


class ConfigFault(BridgeError):
    """One fault in the configuration: where (`path`, `line`, `column`, 1-based), what was found, why it is wrong, what to do.

    As text it is one line: `bridge.yaml:12:5: routes[0].between[1]: unknown account 'tgg' - did you mean 'tg'?`"""

    def __init__(
        self, why: str, *, path: str = "", line: int = 0, column: int = 0, key: str = "", value: str = "", hint: str = ""
    ) -> None:
        where = ":".join(str(part) for part in (path, line, column) if part)
        text = f"{where}: " if where else ""
        text += f"{key}: " if key else ""
        text += why
        if value and (len(value) < 4 or value not in why) and repr(value) not in why:
            text += f" (found {value!r})"
        if hint:
            text += f" - {hint}"
        super().__init__(text)
        self.why = why
        self.path = path
        self.line = line
        self.column = column
        self.key = key
        self.value = value
        self.hint = hint
