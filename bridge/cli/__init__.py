"""The command `messenger-bridge`: one module a command, imported when it is called. `main` is the console entry point.

Human output goes to stdout (tables and colours only in a terminal), faults and progress to stderr, `--json` is for scripts.
"""

from __future__ import annotations

import sys

from bridge.cli.exits import EX_BUG, EX_INTERRUPTED

__all__ = ["main"]


def main() -> None:
    """Run the command line; ends the process with one of the codes in `exits`."""
    from bridge.cli.group import build

    try:
        build()(prog_name="messenger-bridge")
    except KeyboardInterrupt:
        raise SystemExit(EX_INTERRUPTED) from None
    except BrokenPipeError:
        # the reader of a pipe went away (`| head`): nothing to say, and nobody to say it to
        sys.stderr.close()
        raise SystemExit(EX_INTERRUPTED) from None
    except Exception:
        _show_bug()
        raise SystemExit(EX_BUG) from None


def _show_bug() -> None:
    import traceback

    observe = sys.modules.get("bridge.observe")  # if there was a log, it knows this configuration's secrets
    if observe is not None:
        mask = observe.masked
    else:
        from bridge.masking import Masker

        mask = Masker()
    print(mask(traceback.format_exc()), file=sys.stderr)
    print("messenger-bridge: this is a bug; please report it with the lines above", file=sys.stderr)
