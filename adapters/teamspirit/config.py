"""The options of a teamspirit account in bridge.yaml, and the checks that its dialect brings with it. No network I/O."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from adapters.common.options import HttpUrl, NetworkOptions, SecretStr, http_url_fault, unsendable
from adapters.common.options import Options as Group
from adapters.common.tls import ca_file_faults
from adapters.teamspirit.dialect.load import Loaded, load_dialect
from adapters.teamspirit.dialect.model import Dialect
from adapters.teamspirit.dialect.variables import variables_of
from adapters.teamspirit.dialect.without_key import is_without_key, knows_its_own, only_sends, without_key
from bridge.model.errors import ConfigFault

DEFAULT_DIALECT = "teamspirit"
SENDER = frozenset({"message.sender", "message.sender.name"})
"""Variables by which a dialect posts under the author's name."""


class WebhookOptions(Group):
    """An outgoing webhook that was set up by hand in the messenger. `messenger-bridge check` shows the URL to enter there."""

    path: SecretStr = Field(description="last part of our URL, hard to guess: letters, digits, - and _, at least 16 of them")
    key: SecretStr | None = Field(None, description="the key (or token) that the messenger showed for the webhook")
    secret: SecretStr | None = Field(None, description="the secret that signs its calls, where the dialect has signatures")
    previous_key: SecretStr | None = Field(None, description="the key before, let in too while the messenger may still use it")
    previous_secret: SecretStr | None = Field(None, description="the secret before, let in too")


class ChatOptions(Group):
    """A chat that is reached by webhooks alone. The key is how routes name it."""

    id: str | None = Field(None, description="its id in the outgoing webhook's calls, if that differs from its key")
    incoming_webhook: SecretStr | None = Field(None, description="URL of its incoming webhook")


class TeamSpiritOptions(NetworkOptions):
    dialect: Path = Field(
        Path(DEFAULT_DIALECT),
        description="how the server speaks: teamspirit, teamspirit-webhooks, mattermost, pachca, rocketchat, or a file of your own",
    )
    overrides: dict[str, Any] = Field({}, description="single entries of the dialect, corrected: operations: {send: {path: ...}}")
    server: HttpUrl | None = Field(None, description="the messenger's server, e.g. https://im.example.com")
    api_key: SecretStr | None = Field(None, description="API key (or access token) of the bot")
    variables: dict[str, str] = Field({}, description="more values for the dialect's templates: account.variables.<name>")
    receive: Literal["auto", "webhook", "history"] = Field(
        "auto",
        description="auto: the server's websocket if the dialect has one, webhooks if the bridge has a public URL, the history",
    )
    webhook: WebhookOptions | None = Field(
        None, description="an outgoing webhook set up by hand; else the bridge registers its own"
    )
    chats: dict[str, ChatOptions] = Field({}, description="chats that are reached by webhooks alone")
    incoming_webhook: SecretStr | None = Field(
        None, description="without an API key: URL of one incoming webhook for all chats, where the dialect names the chat in it"
    )
    sender_names: bool | None = Field(
        None, description="false: authors' names are part of the text; true: the server's admin allows posts under other names"
    )
    poll_interval_s: float = Field(1.0, ge=0.05, le=3600, description="how often the history of an active chat is read")
    poll_idle_interval_s: float = Field(5.0, ge=0.05, le=3600, description="how often the history of a quiet chat is read")
    reread_messages: int = Field(50, ge=0, le=100, description="latest messages that are read again for edits and deletes")
    show_health: bool = Field(
        False, description="let the bot's own status say how the bridge is: online, away (connecting), busy (a human must act)"
    )
    mentions_by_name: bool = Field(
        False, description="let @Name in texts from other messengers mention whom the server knows by that username or name"
    )
    max_upload_mb: float | None = Field(None, gt=0, description="largest file in MB, if it differs from the dialect's limit")

    @cached_property
    def read_dialect(self) -> Dialect:
        """The dialect itself, of options that passed the check. Raises the first ConfigFault otherwise."""
        loaded = load(self)
        if loaded.dialect is None:
            raise loaded.faults[0]
        return loaded.dialect


Options = TeamSpiritOptions


def load(options: TeamSpiritOptions) -> Loaded:
    """The dialect of an account, as far as it can use it. A path that is no file stands for a shipped dialect of that name."""
    path = options.dialect
    is_file = path.suffix in (".yaml", ".yml") or path.is_file()
    loaded = load_dialect(str(path) if is_file else path.name, options.overrides)
    if loaded.dialect is not None and is_without_key(options, loaded.dialect):
        loaded.dialect = without_key(loaded.dialect)
    return loaded


def check_options(options: TeamSpiritOptions) -> Sequence[ConfigFault]:
    """Faults of the dialect, and of options that do not go with it."""
    loaded = load(options)
    dialect = loaded.dialect
    if dialect is None:
        return [*loaded.faults, *ca_file_faults(options.ca_file)]
    name = dialect.dialect
    faults = [] if is_without_key(options, dialect) else _needed(options, dialect)
    faults += unsendable("api_key", options.api_key, ascii_alone=False)
    if options.show_health and dialect.operations.set_status is None:
        faults.append(ConfigFault(f"the dialect {name} cannot set the bot's status", key="show_health", value="true"))
    if options.sender_names and not variables_of(dialect.operations.send or dialect.operations.webhook_send) & SENDER:
        why = f"the dialect {name} does not post under other people's names"
        faults.append(ConfigFault(why, key="sender_names", value="true"))
    if dialect.operations.send is None:
        faults += _incoming_webhooks(options, dialect)
    return faults + _receiving(options, dialect) + ca_file_faults(options.ca_file)


def _needed(options: TeamSpiritOptions, dialect: Dialect) -> list[ConfigFault]:
    """Options that the dialect cannot do without, and that are missing."""
    name, faults = dialect.dialect, []
    for key in [key for key in dialect.needs if getattr(options, key) is None]:
        why, hint = f"the dialect {name} needs it", ""
        if key == "api_key" and dialect.operations.webhook_send is not None:
            hint = "or name incoming webhooks, by which alone messages are posted then: chats: {NAME: {incoming_webhook: URL}}"
            if options.webhook is not None and not knows_its_own(dialect):
                why += ": without a key the bridge cannot tell its own messages from others in the calls of the outgoing webhook"
                hint = "or take out webhook: then messages are posted by incoming webhooks, and none arrive"
        faults.append(ConfigFault(why, key=key, hint=hint))
    return faults


def _incoming_webhooks(options: TeamSpiritOptions, dialect: Dialect) -> list[ConfigFault]:
    """Of an account that posts by them alone."""
    name, faults = dialect.dialect, []
    shared = options.incoming_webhook
    if shared is not None and "chat.channel" not in variables_of(dialect.operations.webhook_send):
        why = f"an incoming webhook of the dialect {name} posts into one chat: name each chat's own under chats"
        faults.append(ConfigFault(why, key="incoming_webhook"))
    elif shared is not None and (why := http_url_fault(shared.get_secret_value())):
        faults.append(ConfigFault(why, key="incoming_webhook"))
    elif shared is None and not options.chats:
        faults.append(ConfigFault(f"the dialect {name} reaches each chat by its own incoming webhook: name them", key="chats"))
    for chat, entry in options.chats.items():
        if entry.incoming_webhook is None:
            if shared is None:
                faults.append(ConfigFault("the URL of its incoming webhook is missing", key=f"chats.{chat}.incoming_webhook"))
        elif why := http_url_fault(entry.incoming_webhook.get_secret_value()):
            faults.append(ConfigFault(why, key=f"chats.{chat}.incoming_webhook"))
    return faults


def _receiving(options: TeamSpiritOptions, dialect: Dialect) -> list[ConfigFault]:
    name, faults = dialect.dialect, []
    if options.receive == "history" and dialect.operations.history is None:
        faults.append(ConfigFault(f"the dialect {name} cannot read a chat's history", key="receive", value="history"))
    if options.receive == "webhook" and dialect.inbound is None:
        faults.append(ConfigFault(f"the dialect {name} has no outgoing webhooks", key="receive", value="webhook"))
    own = options.webhook
    if own is None:
        if options.receive == "webhook" and dialect.operations.register_webhook is None:
            faults.append(ConfigFault(f"the dialect {name} cannot register webhooks: set one up by hand", key="webhook"))
        return faults
    if dialect.inbound is None:
        faults.append(ConfigFault(f"the dialect {name} has no outgoing webhooks", key="webhook"))
        return faults
    path = own.path.get_secret_value()
    if len(path) < 16 or not all(letter.isascii() and (letter.isalnum() or letter in "-_") for letter in path):
        faults.append(ConfigFault("letters, digits, - and _, at least 16 of them", key="webhook.path"))
    required = dialect.inbound.authentication
    if required.key is not None and own.key is None:
        faults.append(ConfigFault("the dialect asks for the webhook's key", key="webhook.key"))
    if required.signature is not None and own.secret is None:
        faults.append(ConfigFault("the dialect asks for the secret that signs the webhook's calls", key="webhook.secret"))
    return faults


def needs_public_web(options: TeamSpiritOptions) -> ConfigFault | None:
    """Outgoing webhooks call us. A dialect whose chats can be read does without, unless webhooks were asked for."""
    dialect = load(options).dialect
    if dialect is None or dialect.inbound is None or options.receive == "history" or only_sends(options, dialect):
        return None
    add = "add web.public with listen and url"
    instead = f"{add}, or set receive: history" if dialect.operations.history is not None else add
    if options.receive == "webhook":
        return ConfigFault(
            "the messenger is to call the bridge, which needs web.public", key="receive", value="webhook", hint=instead
        )
    if options.webhook is not None:
        return ConfigFault("an outgoing webhook calls the bridge, which needs web.public", key="webhook", hint=instead)
    if dialect.operations.history is None and dialect.websocket is None:
        why = f"in the dialect {dialect.dialect} messages arrive by webhooks alone, which need web.public"
        return ConfigFault(why, key="dialect", hint=instead)
    return None
