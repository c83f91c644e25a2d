"""`messenger-bridge sandbox`: starts everything, says what to do, ends on Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from aiohttp import web

from bridge.config.model import LogConfig
from bridge.model.platform import Platform
from bridge.observability.logs import set_up_logging
from bridge.sandbox.inside import Inside, page_setup
from bridge.sandbox.page import page_app
from bridge.sandbox.rooms import PAGE_ROOMS
from bridge.sandbox.world import Sandbox, SandboxError

DEFAULT_PORT = 8090

_HOST = "127.0.0.1"
_LAST_PORT = 65535
_CONNECTED_WITHIN_S = 20.0
"""How long the address of the page is withheld at most: a page that is opened earlier waits, too."""


def run_sandbox(
    *,
    manifests: Callable[[str], Platform],
    platforms: Sequence[str],
    port: int = DEFAULT_PORT,
    keep: Path | None = None,
    out: TextIO | None = None,
) -> int:
    """Run until a signal ends it; returns the exit code. `keep` is a folder for bridge.yaml and journal that stays afterwards."""
    say = Printer(out or sys.stdout)
    try:
        with listening(port) as listener:  # first of all: a taken port is told before anything is loaded
            say("Loading the client libraries ...")
            load(manifests, platforms)
            with folder_for(keep) as folder, asyncio.Runner(loop_factory=loop_factory()) as runner:
                runner.run(_run(Sandbox(folder, manifests=manifests, platforms=platforms, rooms=PAGE_ROOMS), listener, say))
    except SandboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    gc.freeze()  # otherwise the interpreter's last collection scans all objects of the libraries: half a second wasted
    return 0


class Printer:
    """Prints for people. What it prints is flushed, since others wait for it."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __call__(self, text: str = "") -> None:
        print(text, file=self._out, flush=True)


def load(manifests: Callable[[str], Platform], platforms: Sequence[str], *, log_level: str = "warning") -> None:
    """Import the platforms' client libraries (seconds of work, so before the loop runs), and set up the log."""
    set_up_logging(LogConfig(level=log_level))
    for platform in platforms:
        manifests(platform).preload()


@contextlib.contextmanager
def folder_for(keep: Path | None) -> Iterator[Path]:
    """`keep` itself, or a folder that is gone afterwards."""
    if keep is not None:
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="messenger-bridge-sandbox-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it runs, as for the daemon."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(sandbox: Sandbox, listener: socket.socket, say: Printer) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _end_or_die, ended, number)
    async with sandbox, serve_page(sandbox, listener) as url:
        with contextlib.suppress(SandboxError):  # the page shows which of them is not connected
            await _unless(ended, sandbox.wait_connected(_CONNECTED_WITHIN_S))
        _explain(sandbox, url, say)
        await sandbox.app.run_until(ended)
        say("\nStopping ...")


async def _unless(ended: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Wait for the work, or for the end. Raises what the work raises."""
    working = asyncio.create_task(work, name="sandbox connects")
    ending = asyncio.create_task(ended.wait(), name="sandbox ends")
    await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
    for task in (working, ending):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await working


def _explain(sandbox: Sandbox, url: str, say: Printer) -> None:
    say(f"\n{sandbox.config_path}:\n")
    for line in sandbox.config_path.read_text(encoding="utf-8").splitlines():
        say(f"    {line}".rstrip())
    count, names = len(sandbox.titles), ", ".join(sandbox.titles.values())
    say(f"\nThe bridge runs between {count} stand-in messengers ({names}), by the bridge.yaml above.\n")
    say(f"    Open   {url}")
    say("    Type   in one messenger and watch the copies appear in the others")
    say("    Break  one with its lightning button, keep typing, and heal it")
    say("    End    with Ctrl-C\n")


def _end_or_die(ended: asyncio.Event, number: int) -> None:
    if ended.is_set():
        os._exit(128 + number)
    ended.set()


# -- the page's server --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """A socket that listens on loopback; 0 is any free port. Raises SandboxError that says what to do instead."""
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_HOST, port))
            listener.listen()
        except OSError as error:
            raise SandboxError(_no_port(port, error)) from error
        yield listener
    finally:
        listener.close()


def _no_port(port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < _LAST_PORT else DEFAULT_PORT
        return (
            f"port {port} is taken by another program (a sandbox that still runs?); "
            f"choose another: --port {other}, or make sandbox PORT={other}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs root; choose one above 1023: --port {DEFAULT_PORT}"
    return f"cannot listen on {_HOST}:{port}: {error.strerror or error}"


@contextlib.asynccontextmanager
async def serve_page(sandbox: Sandbox, listener: socket.socket) -> AsyncIterator[str]:
    """Serve the page of a running sandbox on a listening socket; gives its URL."""
    runner = web.AppRunner(_page(sandbox), access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield f"http://{_HOST}:{listener.getsockname()[1]}/"
    finally:
        await runner.cleanup()


def _page(sandbox: Sandbox) -> web.Application:
    return page_app(sandbox.emulators, setup=page_setup(sandbox), inside=Inside(sandbox))
