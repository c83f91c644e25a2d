"""Sandbox mode: the bridge between emulators of the messengers, on one machine, without accounts or tokens.

`world` starts the emulators, writes a bridge.yaml and runs the daemon's own `App` on it; `page` and `static` are the web page on
which a user acts as the people; `runner` is the command `messenger-bridge sandbox`, `selftest` its `--self-test`. Nothing in the
daemon knows that it runs in a sandbox."""

from __future__ import annotations

from bridge.sandbox.world import Sandbox

__all__ = ["Sandbox"]
