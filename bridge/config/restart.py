"""What a reload cannot change: the keys that differ from how the daemon was started and take a restart. Pure."""

from __future__ import annotations

from bridge.config.model import Config


def needing_restart(started: Config, now: Config) -> tuple[str, ...]:
    """Keys of bridge.yaml, as an admin writes them."""
    fixed = {
        "journal.path": (started.journal.path, now.journal.path),
        "media.spool": (started.media.spool, now.media.spool),
        "media.spool_mb": (started.media.spool_mb, now.media.spool_mb),
        "web.public": (_public(started), _public(now)),
        "web.admin": ((started.web.admin, started.web.admin_hosts), (now.web.admin, now.web.admin_hosts)),
    }
    return tuple(key for key, (then, wanted) in fixed.items() if then != wanted)


def _public(config: Config) -> tuple[object, ...]:
    web = config.web
    return web.public, web.public_url, web.trusted_proxies, web.forwarded
