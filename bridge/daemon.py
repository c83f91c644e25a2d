"""The daemon: bridge.yaml to a running `App`, signals, systemd, exit codes. Called by `messenger-bridge run`.

SIGTERM and SIGINT drain to a deadline; a second one ends at once. SIGHUP reads bridge.yaml again and applies what changed; a faulty
file is reported and changes nothing.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable

import sdnotify
import structlog

from bridge.app import App
from bridge.config.model import Config
from bridge.config.reading import ConfigReader, Reading, ReadingFailed
from bridge.contract import Manifest
from bridge.journal.contract import JournalError
from bridge.observe import set_up_logging

log = structlog.get_logger("daemon")

EX_OK, EX_FAILED, EX_UNAVAILABLE, EX_CONFIG = 0, 1, 69, 78
_SWITCH_INTERVAL_S = 0.001
_ALLOCATIONS_PER_COLLECTION = 10_000


def run_daemon(reader: ConfigReader, manifests: Callable[[str], Manifest]) -> int:
    """Run until told to stop; returns the exit code. Faults of the configuration go to stderr, and end with 78. Raises
    ReadingFailed."""
    reading = reader.read()
    loaded = reading.loaded
    for fault in loaded.faults:
        print(f"fault: {fault}", file=sys.stderr)
    for warning in loaded.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    config = loaded.config
    if config is None:
        return EX_CONFIG
    set_up_logging(config.log, secrets=reading.secrets)
    # the journal's thread hands every commit back to the loop: waiting 5 ms for the interpreter would be most of a message's time
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # imports block the loop for seconds: before it starts
    for platform in {account.platform for account in config.accounts.values()}:
        manifests(platform).preload()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        _spare_the_collector()
        return runner.run(_run(config, manifests, reader))


def _spare_the_collector() -> None:
    """What was imported stays: walking over it again and again for garbage would be a third of the work of relaying."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION, *gc.get_threshold()[1:])


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(config: Config, manifests: Callable[[str], Manifest], reader: ConfigReader) -> int:
    notifier = sdnotify.SystemdNotifier()
    stop, hang_up = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_die, stop, number)
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    app = App(config, manifests=manifests)
    try:
        await app.start()
    except JournalError as error:
        log.error("cannot start", reason=str(error))
        return EX_UNAVAILABLE
    except OSError as error:
        log.error("cannot start", reason=error.strerror or str(error), path=error.filename or "")
        return EX_FAILED
    notifier.notify("READY=1")
    log.info("relaying", accounts=len(config.accounts), routes=len(config.routes))
    helpers = [
        asyncio.create_task(_watchdog(notifier, app), name="watchdog"),
        asyncio.create_task(_reloads(notifier, hang_up, app, manifests, reader), name="reload"),
    ]
    try:
        await app.run_until(stop)
    finally:
        notifier.notify("STOPPING=1")
        for task in helpers:
            task.cancel()
        left = await app.stop()
        log.info("stopped", lanes_with_backlog=left)
    return EX_OK


def _stop_or_die(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        os._exit(128 + number)  # everything accepted is on disk; the second signal means now
    stop.set()


async def _watchdog(notifier: sdnotify.SystemdNotifier, app: App) -> None:
    """Tell systemd twice per interval that the loop and the journal still answer, and what the accounts are doing."""
    interval_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6 or 15.0
    while True:
        report = await app.report()
        states = ", ".join(f"{name} {account['state']}" for name, account in report["accounts"].items())
        notifier.notify(f"WATCHDOG=1\nSTATUS={states}; {report['journal']['dead']} dead letters")
        await asyncio.sleep(interval_s)


async def _reloads(
    notifier: sdnotify.SystemdNotifier,
    hang_up: asyncio.Event,
    app: App,
    manifests: Callable[[str], Manifest],
    reader: ConfigReader,
) -> None:
    while True:
        await hang_up.wait()
        hang_up.clear()
        notifier.notify("RELOADING=1")
        try:
            await _reload(await asyncio.to_thread(reader.read), app, manifests)
        except ReadingFailed as error:
            log.error("bridge.yaml not reloaded", fault=str(error))
        notifier.notify("READY=1")


async def _reload(reading: Reading, app: App, manifests: Callable[[str], Manifest]) -> None:
    config = reading.loaded.config
    if config is None:
        for fault in reading.loaded.faults:
            log.error("bridge.yaml not reloaded", fault=str(fault))
        return
    set_up_logging(config.log, secrets=reading.secrets)
    for platform in {account.platform for account in config.accounts.values()}:
        await asyncio.to_thread(manifests(platform).preload)
    await app.reload(config)
    log.info("bridge.yaml reloaded", routes=len(config.routes))
