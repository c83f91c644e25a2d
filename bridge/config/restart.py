"""What a reload does with what differs: keys that take a restart, and accounts that are built anew. Pure."""

from __future__ import annotations

from dataclasses import replace

from bridge.config.model import AccountConfig, Config


def needing_restart(started: Config, now: Config) -> tuple[str, ...]:
    """Keys of bridge.yaml, as an admin writes them."""
    fixed = {
        "journal.path": (started.journal.path, now.journal.path),
        "media.spool": (started.media.spool, now.media.spool),
        "media.spool_mb": (started.media.spool_mb, now.media.spool_mb),
        "web.public": (_public(started), _public(now)),
        "otel": (started.otel, now.otel),
        "web.admin": ((started.web.admin, started.web.admin_hosts), (now.web.admin, now.web.admin_hosts)),
    }
    return tuple(key for key, (then, wanted) in fixed.items() if then != wanted)


def _public(config: Config) -> tuple[object, ...]:
    web = config.web
    return web.public, web.public_url, web.trusted_proxies, web.forwarded


def same_account(configured: AccountConfig | None, made_of: AccountConfig | None) -> bool:
    """Whether an account is connected as it shall be. How its messages are relayed is the routes' matter."""
    if configured is None or made_of is None:
        return configured is made_of
    return replace(configured, relay=made_of.relay) == made_of
