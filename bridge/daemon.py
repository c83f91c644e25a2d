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

import structlog

from bridge.app import App
from bridge.config.model import Config
from bridge.config.reader_process import ConfigReader, Reading, ReadingFailed
from bridge.files.folder import SpoolInUse
from bridge.journal.contract import JournalError
from bridge.model.platform import Platform
from bridge.observability.logs import set_up_logging
from bridge.process import came_early, past_signals
from bridge.systemd import Notifier

log = structlog.get_logger("daemon")

EX_OK, EX_FAILED, EX_UNAVAILABLE, EX_CONFIG = 0, 1, 69, 78
_SWITCH_INTERVAL_S = 0.001
_ALLOCATIONS_PER_COLLECTION = 10_000


def run_daemon(reader: ConfigReader, manifests: Callable[[str], Platform]) -> int:
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
    # the journal's thread reports every commit to the loop: waiting 5 ms for the interpreter would be most of a message's latency
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    # imports block the loop for seconds: before it starts
    for platform in {account.platform for account in config.accounts.values()}:
        manifests(platform).preload()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        _spare_the_collector()
        return runner.run(_run(config, manifests, reader))


def _spare_the_collector() -> None:
    """Imported modules stay in memory: scanning them for garbage again and again would be a third of the work of relaying."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION, *gc.get_threshold()[1:])


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(config: Config, manifests: Callable[[str], Platform], reader: ConfigReader) -> int:
    notifier = Notifier()
    stop, hang_up = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop_or_die, stop, number)
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    if came_early(signal.SIGHUP):
        hang_up.set()
    if came_early(signal.SIGTERM):
        stop.set()
    app = App(config, manifests=manifests)
    try:
        await app.start()
    except (JournalError, SpoolInUse) as error:
        log.error("cannot start", reason=str(error))
        return EX_UNAVAILABLE
    except OSError as error:
        log.error("cannot start", reason=error.strerror or str(error), path=error.filename or "")
        return EX_FAILED
    notifier.notify("READY=1")
    log.info("relaying", accounts=len(config.accounts), routes=len(config.routes))
    reloads = _Reloads()
    helpers = [
        asyncio.create_task(_watchdog(notifier, app, reloads), name="watchdog"),
        asyncio.create_task(_reloads(notifier, hang_up, app, manifests, reader, reloads), name="reload"),
    ]
    try:
        await app.run_until(stop)
    finally:
        notifier.notify("STOPPING=1")
        for task in helpers:
            task.cancel()
        left = await app.stop()
        log.info("stopped", lanes_with_backlog=left)
        notifier.close()
        past_signals()
    return EX_OK


def _stop_or_die(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        os._exit(128 + number)  # everything accepted is on disk; the second signal means now
    stop.set()


class _Reloads:
    """The result of the latest reload, for the status line; empty if there is nothing to report."""

    outcome = ""


async def _watchdog(notifier: Notifier, app: App, reloads: _Reloads) -> None:
    """Tell systemd twice per interval that the loop and the journal still answer, and what the accounts are doing. A journal that
    answers with an error is no reason for a restart: nothing is lost meanwhile, and a restart repairs no disk."""
    interval_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6 or 15.0
    while True:
        try:
            brief = await app.brief()
            states = ", ".join(f"{name} {state}" for name, state in brief["accounts"].items())
            status = f"{states}; {brief['dead']} dead letters"
            if brief["ends_in_trouble"]:
                status += f"; {brief['ends_in_trouble']} ends in trouble"
        except JournalError as error:
            status = f"journal unavailable: {error}"
        except Exception as error:
            log.exception("status failed unexpectedly")
            status = f"unexpected {type(error).__name__}; see the log"
        notifier.notify("WATCHDOG=1\nSTATUS=" + _one_line(status + reloads.outcome))
        await asyncio.sleep(interval_s)


async def _reloads(
    notifier: Notifier,
    hang_up: asyncio.Event,
    app: App,
    manifests: Callable[[str], Platform],
    reader: ConfigReader,
    reloads: _Reloads | None = None,
) -> None:
    """One reload per SIGHUP, whatever the result of the previous one."""
    reloads = reloads or _Reloads()
    while True:
        await hang_up.wait()
        hang_up.clear()
        notifier.notify("RELOADING=1")
        try:
            outcome = await _reload(await asyncio.to_thread(reader.read), app, manifests)
        except (ReadingFailed, JournalError, OSError) as error:
            outcome = _not_reloaded(str(error) or type(error).__name__)
        except Exception as error:
            log.exception("reload failed unexpectedly")
            outcome = _not_reloaded(f"unexpected {type(error).__name__}; see the log")
        reloads.outcome = f"; {outcome}" if outcome else ""
        notifier.notify("READY=1")
        notifier.notify("STATUS=" + _one_line(outcome or "bridge.yaml reloaded"))


async def _reload(reading: Reading, app: App, manifests: Callable[[str], Platform]) -> str:
    """What an admin still has to do; empty if nothing."""
    config = reading.loaded.config
    if config is None:
        outcome = [_not_reloaded(str(fault)) for fault in reading.loaded.faults]
        return outcome[0] if len(outcome) == 1 else f"{outcome[0]} (and {len(outcome) - 1} more)"
    set_up_logging(config.log, secrets=reading.secrets)
    for platform in {account.platform for account in config.accounts.values()}:
        await asyncio.to_thread(manifests(platform).preload)
    later = ", ".join(await app.reload(config) or ())
    log.info("bridge.yaml reloaded", routes=len(config.routes))
    if not later:
        return ""
    log.warning("changed, and in force only after a restart", keys=later)
    return f"reloaded, but {later} changed and take a restart"


def _not_reloaded(fault: str) -> str:
    log.error("bridge.yaml not reloaded", fault=fault)
    return f"bridge.yaml not reloaded: {fault}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
