"""Where spans are sent, as `Config` has it. Types only."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.config.plain_options import Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class OtelConfig:
    """A collector for OTLP over HTTP, by its whole URL. `sample`: the part of all messages that is traced."""

    endpoint: str
    headers: tuple[tuple[str, Secret], ...] = ()
    sample: float = 1.0
