"""The `ops` section: where humans are told of what needs them."""

from __future__ import annotations

from bridge.config import nodes
from bridge.config.model import OpsConfig
from bridge.config.nodes import Entries
from bridge.config.plain_options import Secret
from bridge.config.routes import RouteReader
from bridge.config.sections import OpsSection
from bridge.config.values import Values


def read_ops(values: Values, given: Entries, ends: RouteReader) -> OpsConfig:
    entry = given.get("ops")
    found = None if entry is None or nodes.is_null(entry.value) else values.mapping(entry.value, "ops")
    section = None if entry is None or found is None else values.model(OpsSection, found, entry.key, "ops", partial=True)
    if entry is None or section is None or found is None:
        return OpsConfig()
    if not {"chat", "apprise", "apprise_file"} & set(found):
        values.faults.add(entry.key, "ops", "tells nobody", hint="give chat: account/chat, or apprise: with a URL")
    end = ends.target(found["chat"].value, "ops.chat") if section.chat else None
    urls = Secret(section.apprise.get_secret_value()) if section.apprise is not None else None
    if urls is not None:
        _check_urls(values, found, urls)
    return OpsConfig(
        chat=end.chat if end is not None else None,
        thread_id=end.thread_id if end is not None else None,
        quiet_min=section.quiet_min,
        apprise=urls,
        skipped=section.skipped,
    )


def _check_urls(values: Values, found: Entries, urls: Secret) -> None:
    at = (found.get("apprise") or found["apprise_file"]).value
    try:
        import apprise
    except ImportError:
        hint = "pip install 'messenger-bridge[ops]'"
        values.faults.add(at, "ops.apprise", "needs the extra [ops], which is not installed", hint=hint)
        return
    import logging

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would show the URL
    if not apprise.Apprise().add(urls.get_secret_value()):
        values.faults.add(
            at, "ops.apprise", "has a URL that apprise does not know", hint="https://appriseit.com/services/ lists them"
        )
