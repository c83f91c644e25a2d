"""The options of a webhook account in bridge.yaml: its ends, what comes into them and where they lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from adapters.common.egress import host_fault
from adapters.common.options import HttpUrl, NetworkOptions, SecretStr, http_url_fault
from adapters.common.options import Options as Group
from adapters.common.tls import ca_file_faults
from adapters.webhook.addresses import NO_NAME, check_address
from adapters.webhook.outbound.checks import outbound_faults
from adapters.webhook.recipe_files import Loaded, load
from bridge.model.errors import ConfigFault


def _exact_url(value: str) -> str:
    if fault := http_url_fault(value):
        raise ValueError(fault)
    if "@" in value.partition("://")[2].partition("/")[0]:
        raise ValueError("a URL with a login, which is never sent: use oauth2, or a token in the path or query")
    return value


ExactUrl = Annotated[str, AfterValidator(_exact_url)]
"""As the receiver gave it: to many servers a path with a slash at its end is another than the one without."""


class SignatureOptions(Group):
    """How a sender proves who it is, without a key in the URL: it then posts to /hooks/<account>/<end>."""

    scheme: Literal["standard", "github", "gitlab", "hmac"] = Field(
        description="standard: Standard Webhooks; github: X-Hub-Signature-256; gitlab: X-Gitlab-Token; hmac: as said below"
    )
    secret: SecretStr = Field(description="what the sender signs with")
    previous_secret: SecretStr | None = Field(None, description="a secret that holds too, until every sender has the new one")
    window_s: float = Field(300.0, gt=0, le=86400, description="how far a signed timestamp may be from now")
    header: str = Field("", description="hmac: the header that has the signature, such as X-Signature")
    prefix: str = Field("", description="hmac: what stands before the signature there, such as sha256=")
    timestamp_header: str = Field("", description="hmac: the header that has the moment of sending, in seconds since 1970")
    signed: str = Field("{body}", description="hmac: what is signed, such as {timestamp}.{body}")
    digest: Literal["sha256", "sha512", "sha1"] = Field("sha256", description="hmac: the hash")
    encoding: Literal["hex", "base64"] = Field("hex", description="hmac: how the signature is written")


class FormOptions(Group):
    """A form of a website that posts here."""

    title: str = Field("", description="the line above the fields")
    fields: dict[str, str] = Field({}, description="fields that are shown, and the words before each; without it all, as they come")
    author: str = Field("", description="the field that has the sender's name")
    honeypot: str = Field("", description="a field that people do not see: who fills it in is a robot, and is not relayed")
    redirect: HttpUrl | None = Field(None, description="the page that is shown afterwards, instead of a line of thanks")
    thanks: str = Field("Thank you.", description="the line of thanks")


class OAuth2Options(Group):
    """Client credentials (RFC 6749 section 4.4), where a receiver asks for a token."""

    token_url: ExactUrl = Field(description="where the token is fetched")
    client_id: str = Field(description="who asks for it")
    client_secret: SecretStr = Field(description="and its secret")
    scope: str = Field("", description="what the token is for, if the server asks")


class EndOptions(Group):
    """One end of a webhook account. The key is how routes name it."""

    template: Path | dict[str, Any] = Field(
        Path("auto"), description="how what comes in is read: auto, a shipped template's name, a file of your own, or its entries"
    )
    signature: SignatureOptions | None = Field(None, description="how a sender without a key proves who it is")
    get: bool = Field(False, description="take GET requests too: they tell that a page was called")
    form: FormOptions | None = Field(None, description="how a website's form is shown")
    author: str = Field("", description="who is shown as author where a payload names nobody; else it is the key's label")
    max_received_mb: float = Field(25.0, gt=0, le=2000, description="the largest request that is taken, files and all")
    url: ExactUrl | None = Field(None, description="where messages are posted to")
    secret: SecretStr | None = Field(None, description="what signs them (whsec_...), if another than the account's")
    previous_secret: SecretStr | None = Field(None, description="a secret that signs too, until the receiver has the new one")
    client_cert: Path | None = Field(None, description="PEM file of the certificate that is shown to the receiver")
    client_key: Path | None = Field(None, description="PEM file of its key, if client_cert has none")
    oauth2: OAuth2Options | None = Field(None, description="where a token for the receiver is fetched")
    fetch: bool = Field(False, description="messages are fetched by /out/<key>, instead of posted to url")
    gateway: str = Field(
        "",
        max_length=200,
        description="style matterbridge: the gateway that this end is for programs, if not its own name",
    )

    @cached_property
    def incoming(self) -> Loaded:
        """What `template` means, of options that passed the check."""
        return load(self.template, "template")


def _allowed_host(value: str) -> str:
    if fault := host_fault(value):
        raise ValueError(fault)
    return value


class WebhookOptions(NetworkOptions):
    style: Literal["standard", "slack", "template", "matterbridge"] = Field(
        "standard",
        description="what goes out: Standard Webhooks, Slack's payload, body, or messages of matterbridge's API",
    )
    body: dict[str, Any] | str | None = Field(
        None, description="style template: the JSON that is posted, with templates in it, or a text that is one template"
    )
    content_type: str = Field("application/json", description="style template: what body is")
    method: Literal["POST", "PUT"] = Field("POST", description="how messages are sent to url")
    request_timeout_s: float = Field(20.0, gt=0, le=3600, description="longest wait for a receiver's answer")
    secret: SecretStr | None = Field(
        None, description="what signs messages (whsec_... or whsk_...), for ends without one of their own"
    )
    allow_hosts: tuple[Annotated[str, AfterValidator(_allowed_host)], ...] = Field(
        (), description="hosts, host:port or networks (10.0.0.0/8) in private networks that may be posted to"
    )
    buffer: int = Field(
        100, ge=0, le=10_000, description="style matterbridge: so many of the latest messages are read by a key that is new"
    )
    file_data_mb: float = Field(
        0.7,
        ge=0,
        le=4,
        description="style matterbridge: files up to this size are in Extra, larger ones are lines; 0: all are lines",
    )
    file_lines: bool = Field(
        True, description="style matterbridge: the text names the files that are in Extra too, for programs that read only the text"
    )
    ends: dict[str, EndOptions] = Field({}, description="the account's ends, by the name that routes use")


Options = WebhookOptions


def check_options(options: WebhookOptions) -> Sequence[ConfigFault]:
    """Faults that the model cannot express."""
    faults = list(ca_file_faults(options.ca_file))
    if not options.ends:
        faults.append(ConfigFault("an account without ends can do nothing: name one", key="ends"))
    for name, end in options.ends.items():
        if check_address(name) is not None:
            faults.append(ConfigFault(NO_NAME, key=f"ends.{name}", value=name))
        faults += _end_faults(f"ends.{name}", end)
    faults += outbound_faults(options)
    return faults


def _end_faults(key: str, end: EndOptions) -> Iterator[ConfigFault]:
    yield from load(end.template, f"{key}.template").faults
    if end.signature is not None:
        yield from _signature_faults(f"{key}.signature", end.signature)
    if end.url is not None and end.fetch:
        yield ConfigFault("messages are posted to url or fetched, not both: take one away", key=f"{key}.fetch")


def _signature_faults(key: str, signature: SignatureOptions) -> Iterator[ConfigFault]:
    own = ("header", "prefix", "timestamp_header", "signed", "digest", "encoding")
    if signature.scheme != "hmac":
        for name in own:
            if getattr(signature, name) != SignatureOptions.model_fields[name].default:
                yield ConfigFault(f"the scheme {signature.scheme} says this itself", key=f"{key}.{name}")
        return
    if not signature.header:
        yield ConfigFault("which header has the signature?", key=f"{key}.header")
    if "{body}" not in signature.signed:
        yield ConfigFault("the signature must cover the {body}", key=f"{key}.signed")
    if ("{timestamp}" in signature.signed) != bool(signature.timestamp_header):
        yield ConfigFault("timestamp_header and {timestamp} in signed need each other", key=f"{key}.signed")


def advise(options: WebhookOptions) -> Sequence[ConfigFault]:
    """What works, and is not what an admin would want."""
    return [
        ConfigFault(
            "without a signed moment, a request that somebody recorded can be sent again once it is not among the end's last, "
            "and one that really says the same again is taken for a repeat",
            key=f"ends.{name}.signature.scheme",
            hint="if the sender signs the time, set timestamp_header, and signed to {timestamp}.{body} or as its reference says",
        )
        for name, end in options.ends.items()
        if end.signature is not None and end.signature.scheme == "hmac" and not end.signature.timestamp_header
    ]


def needs_public_web(options: WebhookOptions) -> ConfigFault | None:
    """What comes in comes by the public listener, and what is fetched goes out by it."""
    if options.style == "matterbridge":
        why = "programs are to call the bridge, which needs web.public"
        return ConfigFault(why, key="style", hint="add web.public with listen and url")
    for name, end in options.ends.items():
        for option in ("signature", "form", "get", "fetch"):
            if getattr(end, option):
                why = "others are to call the bridge, which needs web.public"
                return ConfigFault(why, key=f"ends.{name}.{option}", hint="add web.public with listen and url")
    return None
