"""Emulators and their control API in a process of their own: `python -m adapters.common.emulation telegram slack`.

For benchmarks and fault tests, whose daemon is another process. `--option telegram.local=true` sets an emulator's own option,
`--list-options` lists them all. Prints one line of JSON when everything listens:
`{"control": URL, "platforms": {"telegram": {"base_url": URL, "account_options": {...}}}}`. Ends on SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web

from adapters.common.emulation.contract import Emulator
from adapters.common.emulation.control import UPLOAD_LIMIT_BYTES, control_app
from adapters.common.emulation.options import OptionFault, parse_options
from adapters.registry import load_emulator, platforms


def build(names: Iterable[str], options: Mapping[str, Mapping[str, Any]]) -> dict[str, Emulator]:
    """The platforms' emulators with their options, not started. Raises OptionFault, which names platform and option."""
    emulators = {name: load_emulator(name) for name in names}
    for name, values in options.items():
        try:
            emulators[name].configure(values)
        except ValueError as fault:
            raise OptionFault(f"{name}.{fault}") from None
    return emulators


async def serve(
    ports: Mapping[str, int], options: Mapping[str, Mapping[str, Any]], *, control_port: int, upload_limit_bytes: int
) -> None:
    """Run the platforms' emulators on these ports (0: any) until a signal ends the process. Raises OptionFault."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    async with AsyncExitStack() as stack:
        emulators = build(ports, options)
        for platform, emulator in emulators.items():
            await emulator.start(port=ports[platform])
            stack.push_async_callback(emulator.stop)
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
    parser.add_argument("--option", action="append", default=[], metavar="PLATFORM.NAME=VALUE", help="an emulator's own option")
    parser.add_argument("--list-options", action="store_true", help="name every emulator's own options and end")
    given = parser.parse_args()
    ports: dict[str, int] = {}
    for entry in given.platforms or platforms():
        platform, _, port = entry.partition("=")
        if platform not in platforms() or not (port or "0").isdecimal():
            parser.error(f"{entry}: not PLATFORM or PLATFORM=PORT with one of {', '.join(platforms())}")
        ports[platform] = int(port or 0)
    if given.list_options:
        print("\n".join(line for platform in ports for line in _listed(platform)))
        return
    try:
        options = parse_options(given.option, ports)
        asyncio.run(serve(ports, options, control_port=given.control_port, upload_limit_bytes=given.upload_limit_mb << 20))
    except OptionFault as fault:
        parser.error(str(fault))


def _listed(platform: str) -> Iterator[str]:
    """One line per option: name, default, meaning."""
    model = getattr(load_emulator(platform), "options_model", None)
    for name, field in model.model_fields.items() if model is not None else ():
        yield f"{platform}.{name}={json.dumps(field.default)}  {field.description}"


if __name__ == "__main__":
    main()
