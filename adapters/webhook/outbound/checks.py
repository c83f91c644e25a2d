"""Faults in the options of an account for sending. Reads local files only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from adapters.common.tls import certificate_faults
from adapters.webhook.outbound.signing import key_fault
from bridge.model.errors import ConfigFault
from bridge.model.templates import TemplateFault, template

if TYPE_CHECKING:
    from adapters.common.options import SecretStr
    from adapters.webhook.config import EndOptions, WebhookOptions

_MAKE_ONE = "make one with: echo whsec_$(openssl rand -base64 32)"


def outbound_faults(options: WebhookOptions) -> Iterator[ConfigFault]:
    yield from _secret_fault("secret", options.secret)
    yield from _style_faults(options)
    for name, end in options.ends.items():
        yield from _end_faults(f"ends.{name}", end, options)


def _style_faults(options: WebhookOptions) -> Iterator[ConfigFault]:
    yield from _gateway_faults(options)
    if options.style == "template":
        if options.body is None:
            yield ConfigFault("the style template needs a body", key="body")
        yield from _template_faults("body", options.body)
        if any(not character.isprintable() for character in options.content_type):
            yield ConfigFault("not a content type", key="content_type")
    elif options.body is not None:
        yield ConfigFault(f"needs the style template, but the style is {options.style}", key="body")


def _gateway_faults(options: WebhookOptions) -> Iterator[ConfigFault]:
    """Of what programs call the ends."""
    known: dict[str, str] = {}
    for name, end in options.ends.items():
        if options.style != "matterbridge":
            if end.gateway:
                why = f"is for programs of matterbridge's API: it needs the style matterbridge, but the style is {options.style}"
                yield ConfigFault(why, key=f"ends.{name}.gateway")
            continue
        if end.url is not None:
            yield ConfigFault("with the style matterbridge nothing is posted: programs read at /api", key=f"ends.{name}.url")
        gateway = end.gateway.strip() or name
        if gateway in known:
            yield ConfigFault(f"the end {known[gateway]} has the gateway {gateway!r} too", key=f"ends.{name}.gateway")
        known[gateway] = name


def _template_faults(key: str, tree: Any) -> Iterator[ConfigFault]:
    if isinstance(tree, str):
        try:
            template(tree)
        except TemplateFault as error:
            yield ConfigFault(str(error), key=key)
    for name, value in tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _template_faults(f"{key}.{name}", value)


def _end_faults(key: str, end: EndOptions, options: WebhookOptions) -> Iterator[ConfigFault]:
    yield from _secret_fault(f"{key}.secret", end.secret)
    yield from _secret_fault(f"{key}.previous_secret", end.previous_secret)
    if options.style != "standard":
        if end.fetch:
            where = ": programs read at /api" if options.style == "matterbridge" else ""
            why = f"fetched messages have the style standard, but the style is {options.style}{where}"
            yield ConfigFault(why, key=f"{key}.fetch")
    elif end.url is not None and end.secret is None and options.secret is None:
        yield ConfigFault("messages posted to url must be signed: a secret is missing", key=f"{key}.secret", hint=_MAKE_ONE)
    if end.client_cert is not None:
        missing = [path for path in (end.client_cert, end.client_key) if path is not None and not path.is_file()]
        if missing:
            yield ConfigFault(f"there is no file {missing[0]}", key=f"{key}.client_cert", value=str(end.client_cert))
        elif why := certificate_faults(end.client_cert, end.client_key):
            yield ConfigFault(f"cannot be used: {why}", key=f"{key}.client_cert", value=str(end.client_cert))
    elif end.client_key is not None:
        yield ConfigFault("is the key of a client_cert, which is missing", key=f"{key}.client_key")


def _secret_fault(key: str, secret: SecretStr | None) -> Iterator[ConfigFault]:
    fault = "" if secret is None else key_fault(secret.get_secret_value())
    if fault:
        yield ConfigFault(fault, key=key, hint=_MAKE_ONE)
