"""What a valid bridge.yaml becomes: immutable values that the composition root hands out. No reading, no checking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from bridge.config.dashboard import DashboardConfig
from bridge.config.otel_model import OtelConfig
from bridge.config.plain_options import Secret
from bridge.identity.people import Person as Person
from bridge.model.errors import ConfigFault
from bridge.model.forwarded import ForwardedHeader, Network
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.commands import CommandRules
from bridge.policy.routing import RelayOptions, Route, RoutingTable


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountConfig:
    """One bot or webhook identity. `options` is the platform's own options model, or its values (`bare`); None for a tool that read
    the file without the service's secrets (`Absent`)."""

    name: AccountName
    platform: str
    options: Any
    relay: RelayOptions
    """Defaults for ends of this account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalConfig:
    path: Path = Path("messenger-bridge.journal")
    keep_days: float = 90.0
    """Links between copies, so that edits, replies and reactions find them, are kept this long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaConfig:
    spool: Path | None = None
    """Folder for files in transit; None: beside the journal."""
    spool_mb: float = 4096.0
    """Bound of the spool; transfers wait while it is full."""
    links: bool = True
    """Whether a file that a chat cannot take is shown as a link to it, where there is a public listener."""
    link_days: float = 7.0
    avatars: bool = True
    """Whether authors without a public picture are shown with theirs, or with initials, where there is a public listener."""
    convert: bool = True
    """Whether stickers, animations and voice messages are converted to what a target plays, as far as that is installed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Listener:
    host: str
    port: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WebConfig:
    public: Listener | None = None
    """Where platforms that call us reach us (behind a TLS proxy); None: no public listener."""
    public_url: str = ""
    """The URL of that listener from outside, without a trailing slash. The proxy may leave its path on, or take it off."""
    trusted_proxies: tuple[Network, ...] = ()
    """Who is believed when it says for whom it calls."""
    forwarded: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR
    """Where those say it."""
    admin: Listener | None = None
    """Health and metrics, for the host itself."""
    admin_hosts: tuple[str, ...] = ()
    """Other host names that it accepts."""
    dashboard: DashboardConfig = field(default_factory=DashboardConfig)


class LogFormat(StrEnum):
    AUTO = "auto"
    """Coloured in a terminal, key=value otherwise."""
    KEY_VALUE = "keyvalue"
    JSON = "json"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogConfig:
    format: LogFormat = LogFormat.AUTO
    level: str = "info"
    content: bool = False
    """Whether debug lines of what is relayed have people's words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpsConfig:
    """Where humans are told of what needs them."""

    chat: ChatAddress | None = None
    thread_id: str | None = None
    quiet_min: float = 10.0
    """Minutes in which what changes again is summed up."""
    apprise: Secret | None = None
    """URLs of apprise, parted by white space or commas."""
    skipped: bool = False
    """Tell too what rules left out."""

    @property
    def is_on(self) -> bool:
        return self.chat is not None or self.apprise is not None

    @property
    def chats(self) -> tuple[ChatAddress, ...]:
        return () if self.chat is None else (self.chat,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    path: Path
    accounts: Mapping[AccountName, AccountConfig]
    routes: tuple[Route, ...]
    people: tuple[Person, ...] = ()
    journal: JournalConfig = field(default_factory=JournalConfig)
    media: MediaConfig = field(default_factory=MediaConfig)
    web: WebConfig = field(default_factory=WebConfig)
    log: LogConfig = field(default_factory=LogConfig)
    drain_s: float = 20.0
    """On SIGTERM: how long lanes may continue to deliver."""
    reserved_names: tuple[str, ...] = ()
    """Names that nobody may be shown under, besides those of `people` and of the bridge's own bots."""
    people_match: str = "off"
    """`email`: accounts with the same e-mail address are one person's."""
    commands: CommandRules = field(default_factory=CommandRules)
    ops: OpsConfig = field(default_factory=OpsConfig)
    otel: OtelConfig | None = None

    def routing_table(self) -> RoutingTable:
        """A new one, which knows the chats that the bridge itself speaks in too."""
        return RoutingTable(self.routes, also=self.ops.chats)

    def why_no_account(self, name: str) -> str:
        """For people who named an account that is not there."""
        return f"there is no account {name!r}; the accounts are {', '.join(sorted(self.accounts))}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of reading a file. With faults there is no configuration; warnings do not keep the daemon from starting."""

    config: Config | None
    faults: list[ConfigFault] = field(default_factory=list)
    warnings: list[ConfigFault] = field(default_factory=list)
    seen: str = ""
    """A hash of all that was read: the file, what its `*_file`s say, and variables. Empty: nothing was."""
