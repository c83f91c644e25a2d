"""A platform as the core sees it: what it states about itself (`Manifest`, data), and what its package offers (`Platform`).

`adapters.registry` makes a `Platform` of a `Manifest` by the names that a package has. Reading either imports no client library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.model.account_store import AccountStore
from bridge.model.adapter import Adapter
from bridge.model.capabilities import Capabilities
from bridge.model.clock import SYSTEM_CLOCK, Clock
from bridge.model.dialects import Dialects
from bridge.model.errors import ConfigFault
from bridge.model.events import Content
from bridge.model.refs import AccountName
from bridge.model.web_mount import WebMount

if TYPE_CHECKING:
    from pydantic import BaseModel


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class SecretShape(_Value, frozen=True):
    """What a secret of the platform looks like wherever it may turn up: a regular expression, and what stays of a match, as a
    template for `re.sub` (`\\1` keeps the first group); the mask comes behind it."""

    pattern: str
    kept: str = ""


class AdapterContext(_Value, frozen=True):
    """What an adapter is built from. `options` is the platform's own options model, already validated, or its values alone (see
    `Manifest.plain_options`)."""

    account: AccountName
    options: Any
    web: WebMount
    alive: Callable[[], None] = lambda: None
    """The platform was just heard: a poll returned, a heartbeat was answered, a frame arrived. It costs nothing; call it every
    time. An account not heard for `Platform.deaf_after_s` is not ready, even if it is connected."""
    folder: Path | None = None
    """A directory of this account's own, for files that were sent to it and are still to be relayed. It is made by the first who
    writes there. Files in it outlive a restart; what is there longer than a day is no longer needed."""
    decode_post: Callable[[str, Any], Content | None] = lambda _platform, _payload: None
    """What somebody's post to a platform's own incoming webhook would show (`Platform.decode_post`), for those who take the same
    payloads: `decode_post("slack", payload)`. None if it is not one of that platform."""
    clock: Clock = SYSTEM_CLOCK
    """The only clock that an adapter reads or sleeps by, so that a test or a simulation controls time."""

    store: AccountStore | None = None
    """What the account may keep in the journal. None: there is no journal, as for `check`."""


class LinkedMessage(_Value, frozen=True):
    """The message that a permalink leads to. `chat` is its native chat id, or an address that leads there (`@channel`); empty where
    the link does not say, because a message's id is enough. `is_unique`: the id is unique on that platform or server. `is_exact`:
    the link leads to the message itself, not to something that belongs to it (a comment on a post)."""

    message_id: str
    chat: str = ""
    is_unique: bool = False
    is_exact: bool = True


class Manifest(_Value, frozen=True):
    """What a platform states about itself. Data only."""

    platform: str
    """As in `platform:` of bridge.yaml: `telegram`."""
    title: str
    """As written for people: "Telegram"."""
    package: str
    """The package whose modules the registry searches."""
    credential_keys: tuple[str, ...] = ()
    """Options that identify the account at the platform: no two accounts may share their values."""
    plain_options: bool = False
    """Whether `adapter` and `capabilities` use options by attribute alone, so that they may be handed the values of the model
    without the model: the daemon then needs no pydantic for this platform. Cached properties of the model count as values."""
    secret_shapes: tuple[SecretShape, ...] = ()
    """Besides the values of options, which are known: tokens in URLs, tickets, other people's tokens."""
    user_id: str = r"[\d-]+"
    """A regular expression: what a user's id looks like, whole. An entry of `people` that has this form is never taken for a
    username: on several platforms anybody may choose a username that looks like somebody else's id."""
    mentions_by_username: bool = False
    """Whether a mention names a person by the username rather than by the user id."""
    takes_keys: bool = False
    """Whether its accounts serve keys of the public listener (`WebMount.serve_keys`)."""
    chat_id: str = r"-?\d+"
    """The same for a chat's id, which is not shown where a chat's name is meant."""

    def is_chat_id(self, name: str) -> bool:
        return bool(re.fullmatch(self.chat_id, name))


class Platform(_Value, frozen=True):
    """What the package of a platform offers, each by the module and the name that the registry looks for."""

    manifest: Manifest
    options: Callable[[], type[BaseModel]]
    """`config:Options`. The pydantic model of the account's options (strict; unknown keys are faults)."""
    capabilities: Callable[[Any], Capabilities]
    """`capabilities:capabilities`. What an account with these options can do, before it is connected; None stands for default
    options."""
    check_options: Callable[[Any], Sequence[ConfigFault]]
    """`config:check_options`. Faults that the model cannot express (a dialect file, say); reads local files only."""
    check_address: Callable[[str], str | None]
    """`addresses:check_address`. Why the chat part of an address cannot be one, or None. Pure."""
    check_thread: Callable[[str], str | None]
    """`addresses:check_thread`. The same for the thread part."""
    build: Callable[[AdapterContext], Adapter]
    """`adapter:build`. Imports the client library and builds the adapter inside the running loop; does no network I/O."""
    preload: Callable[[], None]
    """Import what `build` will import. Called before the loop starts, since imports block it."""
    check_end: Callable[[Any, str, bool], str | None] = lambda _options, _chat, _receives: None
    """`addresses:check_end`, if it is there. Why a chat can be no end with these options, or None. Last: whether it is a target."""
    needs_public_web: Callable[[Any], ConfigFault | None] = lambda _: None
    """`config:needs_public_web`, if it is there. The fault of an account with these options where bridge.yaml has no
    `web.public`: which option needs it, and what else would do; None if nothing does. Asked for valid options, faulty or not."""
    advise: Callable[[Any], Sequence[ConfigFault]] = lambda _: ()
    """`config:advise`, if it is there. What `check` warns of in options without faults."""
    message_of_link: Callable[[Any, str], LinkedMessage | None] = lambda _options, _link: None
    """`links:message_of_link`, if it is there. What a permalink of this platform leads to (`https://...`, as people copy it),
    for an account with these options; None if it is not a link to one of its messages. Pure."""
    chat_of_link: Callable[[Any, str], str | None] = lambda _options, _link: None
    """`links:chat_of_link`, if it is there. The address, as it stands behind `account/`, of the chat that a link leads to, as
    people copy it from the platform's clients; None if it leads to no chat. Pure."""
    decode_post: Callable[[Any], Content | None] = lambda _: None
    """`inbound.posts:decode_post`, if it is there. What a JSON payload for the platform's own incoming webhooks would show; None if
    it is no such payload. Pure, and lenient: nothing visible goes without a line."""
    dialects: Callable[[], Dialects | None] = lambda: None
    """`dialects:TOOLS`, if it is there: what shows, tries and records the wire formats of a platform that has them as data."""
    deaf_after_s: Callable[[Any], float | None] = lambda _: None
    """`capabilities:deaf_after_s`, if it is there. So many seconds without `AdapterContext.alive` and an account with these
    options hears nothing any more; None: it is called by its platform, and silence says nothing."""
    shows_health: Callable[[Any], bool] = lambda _: False
    """`capabilities:shows_health`, if it is there. Whether the bot's own status says how the bridge is (it `SetsStatus` then)."""

    @property
    def name(self) -> str:
        return self.manifest.platform

    @property
    def title(self) -> str:
        return self.manifest.title
