"""The daemon: bridge.yaml to a running `App`, signals, systemd, exit codes. Called by `messenger-bridge run`.

SIGTERM and SIGINT drain to a deadline; a second one ends at once. SIGHUP reads bridge.yaml again and applies what changed; a faulty
file is reported and changes nothing. The control socket answers `status`, `reload` and `check --diff`.
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
from bridge.config.reader_process import ConfigReader
from bridge.files.folder import SpoolInUse
from bridge.journal.contract import JournalError
from bridge.model.one_line import one_line
from bridge.model.platform import Platform
from bridge.model.tasks import end
from bridge.observability.logs import set_up_logging
from bridge.process import came_early, past_signals
from bridge.reloading import Reloader
from bridge.surface import Surface
from bridge.systemd import Notifier

log = structlog.get_logger("daemon")

EX_OK, EX_FAILED, EX_UNAVAILABLE, EX_CONFIG = 0, 1, 69, 78
_HELPERS_END_S = 5.0
_SWITCH_INTERVAL_S = 0.001
_ALLOCATIONS_PER_COLLECTION = 30_000
_START_STEP_S = 10.0
_LONGEST_START_S = 3600.0
"""A large journal is copied before it is led to another schema; one that hangs is given up at last."""


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
    if config.otel is not None:
        from bridge.observability import otel  # the SDK comes with it

        otel.begin(config.otel)
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
    starting = asyncio.create_task(_starting(notifier), name="starting")
    try:
        await app.start()
    except (JournalError, SpoolInUse) as error:
        log.error("cannot start", reason=str(error))
        return EX_UNAVAILABLE
    except OSError as error:
        log.error("cannot start", reason=error.strerror or str(error), path=error.filename or "")
        return EX_FAILED
    finally:
        starting.cancel()
    reloader = Reloader(app, read=reader.read, preload=lambda platform: manifests(platform).preload(), notify=notifier.notify)
    surface = Surface(app, reloader, manifests=manifests, shown=reader.shown)
    helpers = [
        asyncio.create_task(_watchdog(notifier, app, lambda: reloader.outcome), name="watchdog"),
        asyncio.create_task(reloader.on_signal(hang_up), name="reload on signal"),
        *surface.start(),
    ]
    notifier.notify("READY=1")
    log.info("relaying", accounts=len(config.accounts), routes=len(config.routes))
    try:
        await app.run_until(stop)
    finally:
        notifier.notify("STOPPING=1")
        await end(helpers, within_s=_HELPERS_END_S)
        await surface.close()
        await reloader.close()
        left = await app.stop()
        log.info("stopped", lanes_with_backlog=left)
        notifier.close()
        if config.otel is not None:
            from bridge.observability import otel

            await asyncio.to_thread(otel.finish)
        past_signals()
    return EX_OK


def _stop_or_die(stop: asyncio.Event, number: int) -> None:
    if stop.is_set():
        os._exit(128 + number)  # everything accepted is on disk; the second signal means now
    stop.set()


async def _starting(notifier: Notifier, step_s: float = _START_STEP_S) -> None:
    """Ask systemd for more time than TimeoutStartSec=, as long as the loop works: a start that is killed in the middle of a copy
    would begin it anew, for ever. Source: EXTEND_TIMEOUT_USEC= of sd_notify(3)."""
    for _ in range(int(_LONGEST_START_S / _START_STEP_S)):
        notifier.notify(f"EXTEND_TIMEOUT_USEC={int(step_s * 6e6)}")
        await asyncio.sleep(step_s)


async def _watchdog(notifier: Notifier, app: App, outcome: Callable[[], str]) -> None:
    """Tell systemd twice per interval that the loop and the journal still answer, and what the accounts are doing. A journal that
    answers with an error is no reason for a restart: nothing is lost meanwhile, and a restart repairs no disk. `outcome`: of the
    latest reload."""
    interval_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 2e6 or 15.0
    while True:
        try:
            brief = await app.reports.brief()
            states = ", ".join(f"{name} {state}" for name, state in brief["accounts"].items())
            status = f"{states}; {brief['dead']} dead letters"
            if brief["ends_in_trouble"]:
                status += f"; {brief['ends_in_trouble']} ends in trouble"
        except JournalError as error:
            status = f"journal unavailable: {error}"
        except Exception as error:
            log.exception("status failed unexpectedly")
            status = f"unexpected {type(error).__name__}; see the log"
        reloaded = outcome()
        notifier.notify("WATCHDOG=1\nSTATUS=" + one_line(status + (f"; {reloaded}" if reloaded else "")))
        await asyncio.sleep(interval_s)
