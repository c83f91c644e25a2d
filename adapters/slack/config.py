"""The options of a Slack account in bridge.yaml. Strict: any other key is a fault."""

from __future__ import annotations

from pydantic import Field

from adapters.common.options import HttpUrl, NetworkOptions, SecretStr, unsendable
from adapters.common.tls import ca_file_faults
from adapters.slack.enums import Events, Replies
from bridge.model.errors import ConfigFault

DEFAULT_API_URL = "https://slack.com/api"


def check_options(options: SlackOptions) -> list[ConfigFault]:
    """Faults that the model does not express: tokens in each other's place, a CA file that is none."""
    faults: list[ConfigFault] = []
    for key, secret, prefix in (("bot_token", options.bot_token, "xoxb-"), ("app_token", options.app_token, "xapp-")):
        if secret is not None and not secret.get_secret_value().startswith(prefix):
            faults.append(ConfigFault(f"not a token of this kind: it would start with {prefix}", key=key))
        faults += unsendable(key, secret)
    if options.events is Events.SOCKET and options.app_token is None:
        where = "Basic Information > App-Level Tokens, scope connections:write"
        faults.append(ConfigFault("app_token is missing: events: socket needs it", key="app_token", hint=where))
    if options.events is Events.HTTP and options.signing_secret is None:
        where = "Basic Information > Signing Secret"
        faults.append(ConfigFault("signing_secret is missing: events: http needs it", key="signing_secret", hint=where))
    return faults + ca_file_faults(options.ca_file)


def needs_public_web(options: SlackOptions) -> ConfigFault | None:
    """The Events API calls us."""
    if options.events is not Events.HTTP:
        return None
    why = "Slack is to post its events to the bridge, which needs web.public"
    return ConfigFault(why, key="events", value="http", hint="add web.public with listen and url, or set events: socket")


class SlackOptions(NetworkOptions):
    """The options of a Slack account."""

    bot_token: SecretStr = Field(description="bot user OAuth token, xoxb-...")
    app_token: SecretStr | None = Field(None, description="app-level token with connections:write, xapp-...; for events: socket")
    signing_secret: SecretStr | None = Field(None, description="signing secret of the app; for events: http")
    events: Events = Field(Events.SOCKET, description="socket (no public address needed) or http (Events API request URL)")
    replies: Replies = Field(Replies.THREAD, description="what a reply becomes: thread, broadcast (thread and channel) or quote")
    personas: bool = Field(True, description="post under the author's name and picture (needs chat:write.customize)")
    catch_up_messages: int = Field(
        1000, ge=0, le=20_000, description="how many messages per channel are fetched at most after a downtime; 0: none"
    )
    api_url: HttpUrl = Field(DEFAULT_API_URL, description="base URL of the Web API")


Options = SlackOptions
