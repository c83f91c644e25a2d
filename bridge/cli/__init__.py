"""The command `messenger-bridge`: one module per command, imported when it is called. `main` is the console entry point.

Human output goes to stdout (tables and colours only in a terminal), faults and progress to stderr, `--json` is for scripts.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from bridge.cli.env_option import take_env_file
from bridge.cli.exits import EX_BUG, EX_INTERRUPTED, EX_USAGE
from bridge.process import hold_signals, open_standard_streams

__all__ = ["main"]


def main() -> None:
    """Run the command line; ends the process with one of the codes in `exits`."""
    open_standard_streams()
    wrong = take_env_file(sys.argv, os.environ)
    if "run" in sys.argv[1:2]:
        hold_signals()
    try:
        if wrong:
            print(f"error: {wrong}", file=sys.stderr)
            raise SystemExit(EX_USAGE)
        path = daemon_config(sys.argv[1:], os.environ)
        if path is not None:
            from bridge.cli.start import start

            raise SystemExit(start(path))
        from adapters.registry import secret_shapes
        from bridge.cli.group import build
        from bridge.policy.redact import ask_platforms

        ask_platforms(secret_shapes)
        build()(prog_name="messenger-bridge")
    except KeyboardInterrupt:
        raise SystemExit(EX_INTERRUPTED) from None
    except BrokenPipeError:
        # the reader of a pipe closed it (`| head`): end quietly
        sys.stderr.close()
        raise SystemExit(EX_INTERRUPTED) from None
    except Exception:
        _show_bug()
        raise SystemExit(EX_BUG) from None


def daemon_config(arguments: Sequence[str], environ: Mapping[str, str]) -> Path | None:
    """The configuration of a plain `run`, as service units write it; None for everything else, help and mistakes included.

    The daemon runs for months, so the command parser (5 MB) is not imported for it. `bridge.cli.run` is the same command for typer,
    which shows its help and refuses wrong options."""
    match arguments:
        case ["run"]:
            return Path(environ.get("MESSENGER_BRIDGE_CONFIG") or "bridge.yaml")
        case ["run", "--config" | "-c", path] if path and not path.startswith("-"):
            return Path(path)
        case ["run", option] if option.startswith("--config=") and option != "--config=":
            return Path(option.removeprefix("--config="))
    return None


def _show_bug() -> None:
    import traceback

    observe = sys.modules.get("bridge.observability.logs")  # if there was a log, it knows this configuration's secrets
    if observe is not None:
        mask = observe.masked
    else:
        from adapters.registry import secret_shapes
        from bridge.policy.redact import Masker, ask_platforms

        ask_platforms(secret_shapes)
        mask = Masker()
    print(mask(traceback.format_exc()), file=sys.stderr)
    print("messenger-bridge: this is a bug; please report it with the lines above", file=sys.stderr)
