"""ntfy as a platform of the messenger bridge: the manifest only. See README.md."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from bridge.model.adapter import Platform

_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")
_NO_TOPIC = "a topic of ntfy has 1 to 64 letters, digits, - and _"


def _of(module: str, name: str) -> Any:
    return getattr(import_module(f"{__name__}.{module}"), name)


def _preload() -> None:
    import_module(f"{__name__}.adapter")


MANIFEST = Platform(
    platform="ntfy",
    title="ntfy",
    options=lambda: _of("config", "NtfyOptions"),
    capabilities=lambda options: _of("capabilities", "capabilities")(options),
    check_options=lambda options: _of("config", "check_options")(options),
    check_address=lambda address: None if _TOPIC.fullmatch(address) else _NO_TOPIC,
    check_thread=lambda _: "ntfy has no threads",
    build=lambda context: _of("adapter", "NtfyAdapter")(context),
    preload=_preload,
    emulator=lambda: _of("emulator", "NtfyEmulator")(),
    deaf_after_s=lambda _: 180.0,
    credential_keys=("token",),
)
