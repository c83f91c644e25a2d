"""Emulators and their control API alone in a process: `python -m adapters.common.emulation telegram slack`.

For benchmarks and fault tests, whose daemon is another process. Prints one line of JSON when everything listens:
`{"control": URL, "platforms": {"telegram": {"base_url": URL, "account_options": {...}}}}`. Ends on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from contextlib import AsyncExitStack

from aiohttp import web

from adapters.common.emulation.control import UPLOAD_LIMIT_BYTES, control_app
from adapters.registry import manifest, platforms
from bridge.emulator import Emulator


async def serve(ports: dict[str, int], *, control_port: int, upload_limit_bytes: int) -> None:
    """Run the platforms' emulators on these ports (0: any) until a signal ends the process."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with AsyncExitStack() as stack:
        emulators: dict[str, Emulator] = {}
        for platform, port in ports.items():
            emulator = manifest(platform).emulator()
            await emulator.start(port=port)
            stack.push_async_callback(emulator.stop)
            emulators[platform] = emulator
        app = control_app(emulators, upload_limit_bytes=upload_limit_bytes)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", control_port).start()
        found = {
            "control": f"http://127.0.0.1:{runner.addresses[0][1]}",
            "platforms": {
                platform: {"base_url": emulator.base_url, "account_options": emulator.account_options()}
                for platform, emulator in emulators.items()
            },
        }
        print(json.dumps(found), flush=True)
        await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m adapters.common.emulation", description=__doc__.partition("\n")[0])
    parser.add_argument("platforms", nargs="*", metavar="PLATFORM[=PORT]", help=f"default: all ({', '.join(platforms())})")
    parser.add_argument("--control-port", type=int, default=0, help="port of the control API (default: any free one)")
    parser.add_argument("--upload-limit-mb", type=int, default=UPLOAD_LIMIT_BYTES >> 20, help="largest upload through it")
    options = parser.parse_args()
    ports: dict[str, int] = {}
    for entry in options.platforms or platforms():
        platform, _, port = entry.partition("=")
        if platform not in platforms() or not (port or "0").isdecimal():
            parser.error(f"{entry}: not PLATFORM or PLATFORM=PORT with one of {', '.join(platforms())}")
        ports[platform] = int(port or 0)
    asyncio.run(serve(ports, control_port=options.control_port, upload_limit_bytes=options.upload_limit_mb << 20))


if __name__ == "__main__":
    main()
