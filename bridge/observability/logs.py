"""The log: structlog and stdlib logging through one set of processors, secrets masked, in the form the configuration asks for.

Modules use `log = structlog.get_logger("outbox")`. The composition root calls `set_up_logging` at start and after a reload.
`Metrics` lives in `observability.metrics` and is offered here too, as the other half of what is seen from outside.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import textwrap
import threading
import traceback
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import islice
from types import TracebackType
from typing import Any, TextIO

import msgspec

from bridge.config.model import LogConfig, LogFormat
from bridge.observability.metrics import Metrics
from bridge.observability.verbosity import show_debug
from bridge.policy.redact import Masker

_NOT_FOR_STRUCTLOG = ("rich", "greenlet")
"""structlog imports these if they are installed, for tracebacks and threads this program does not have: 4 MB of every daemon."""


def _import_structlog() -> Any:
    hidden = [name for name in _NOT_FOR_STRUCTLOG if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment] # makes the import an ImportError
    try:
        import structlog
    finally:
        for name in hidden:
            del sys.modules[name]
    return structlog


structlog = _import_structlog()

__all__ = ["Metrics", "log_uncaught_errors", "masked", "plain_defaults", "set_up_logging"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_TOO_CHATTY = logging.WARNING
"""The lowest level logged from third-party libraries, unless the level is debug: their `info` is about themselves."""
_NEVER_BELOW = logging.INFO
"""Their lowest level when ours is debug: their own debug lines show whole requests and events, message text included."""

_OWN = ("bridge", "adapters")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that would move a terminal's cursor, forge a line or reverse text: names and texts from outside are logged too."""

_MOST_CHARACTERS = 8_000
"""Longest value of a line, and longest message of an error; either may contain outside input."""
_MOST_ITEMS = 100
"""Of one list or mapping in a line."""
_LONGEST_SECRET = 8_192
"""In characters. So much more than what is shown is looked through for secrets, so that none is cut in two."""
_MOST_FRAMES = 20
"""Of one error: the innermost."""
_MOST_ERRORS = 8
"""Of a chain of causes, and of a group."""

EventDict = dict[str, Any]

_masker = Masker()
_write_lock = threading.RLock()
"""Re-entrant: showing a value may itself log."""


def set_up_logging(config: LogConfig, *, secrets: Iterable[str] = (), stream: TextIO | None = None) -> None:
    """Send every log line of the process to `stream` (default: stderr), in the configured form. May be called again.

    Secrets given once stay masked: what an account used before a reload is as secret as what it uses now."""
    _masker.add(secrets)
    level = _LEVELS[config.level.lower()]
    show_debug(level == logging.DEBUG, with_words=config.content)
    output = stream or sys.stderr
    render = _renderer(config.format, output)
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    final = [structlog.processors.ExceptionRenderer(_traceback), _clean, *render]
    structlog.configure(
        processors=[*shared, *final],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *names: _Line(output, *names),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final]
        )
    )
    handler.handle = _locked(handler)  # type: ignore[method-assign] # one line at a time over both ways in
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(_NEVER_BELOW if level == logging.DEBUG else max(level, _TOO_CHATTY))
    handler.addFilter(_no_foreign_debug)
    for own in _OWN:
        logging.getLogger(own).setLevel(level)
    logging.captureWarnings(True)


def plain_defaults() -> None:
    """How lines look until `set_up_logging` is called: on stdout, with tracebacks as short as ever. structlog's own default shows
    every local variable, which takes seconds for one error."""
    show_debug(False)
    console = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0)
    added = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level]
    structlog.configure(
        processors=[*added, structlog.processors.ExceptionRenderer(_traceback), _clean, console],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


def _no_foreign_debug(record: logging.LogRecord) -> bool:
    return record.levelno >= _NEVER_BELOW or record.name.partition(".")[0] in _OWN


def _renderer(form: LogFormat, output: TextIO) -> list[Any]:
    if form is LogFormat.JSON:
        return [structlog.processors.JSONRenderer(serializer=_json)]
    if form is LogFormat.AUTO and output.isatty() and os.environ.get("TERM") != "dumb":
        colours = not os.environ.get("NO_COLOR")
        plain = structlog.dev.plain_traceback
        return [_printable, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain, pad_event_to=0)]
    order = ["timestamp", "level", "logger", "event"]
    return [_printable, structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True, bool_as_flag=False)]


class _Line:
    """structlog's wrapped logger: writes finished lines. A closed pipe loses log lines, never a message."""

    def __init__(self, output: TextIO, name: str = "bridge") -> None:
        self.name = name
        self._output = output

    def write(self, text: str) -> None:
        with _write_lock, suppress(OSError, ValueError):
            self._output.write(text + "\n")
            self._output.flush()

    msg = log = debug = info = warn = warning = error = critical = exception = fatal = failure = err = write


def _locked(handler: logging.Handler) -> Any:
    unlocked = handler.handle

    def handle(record: logging.LogRecord) -> bool:
        with _write_lock:
            return bool(unlocked(record))

    return handle


def _add_logger_name(logger: Any, _: str, event: EventDict) -> EventDict:
    record = event.get("_record")
    event["logger"] = record.name if record is not None else getattr(logger, "name", "bridge")
    return event


# -- the last processors before rendering -----------------------------------------------------------------------------------


def _clean(_: Any, __: str, event: EventDict) -> EventDict:
    """Everything in a form that can be shown, without secrets: message, fields, traceback."""
    return {key: _cleaned(value) for key, value in event.items()}


def _cleaned(value: Any, depth: int = 0) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _short(str(value))
    if depth < 5:
        if isinstance(value, Mapping):
            return {_short(str(key)): _cleaned(inner, depth + 1) for key, inner in islice(value.items(), _MOST_ITEMS)}
        if isinstance(value, list | tuple | set | frozenset):
            return [_cleaned(inner, depth + 1) for inner in islice(value, _MOST_ITEMS)]
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    return _shown(value)


def _shown(value: Any) -> str:
    try:
        return _short(str(value))
    except Exception as error:
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _short(text: str) -> str:
    """Without secrets, and not longer than a line may hold of one value."""
    masked = _masker(text[: _MOST_CHARACTERS + _LONGEST_SECRET])
    if len(text) <= _MOST_CHARACTERS or len(masked) <= _MOST_CHARACTERS:
        return masked
    return f"{masked[:_MOST_CHARACTERS]} ... ({len(text)} characters)"


def _traceback(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """An error with its causes, first cause first, as Python shows it, but bounded: the innermost frames, no local variables, and
    the nearest of many causes, the first of many members of a group. A log line of an error is cheap, whatever it is about."""
    chain: list[tuple[BaseException, str]] = []
    error: BaseException | None = exc_info[1]
    link = ""
    while error is not None and len(chain) < _MOST_ERRORS and not any(error is known for known, _ in chain):
        chain.append((error, link))
        if error.__cause__ is not None:
            error, link = error.__cause__, "\nThe above exception was the direct cause of the following exception:\n\n"
        else:
            error = None if error.__suppress_context__ else error.__context__
            link = "\nDuring handling of the above exception, another exception occurred:\n\n"
    parts = ["(earlier causes left out)\n\n"] if error is not None and len(chain) == _MOST_ERRORS else []
    for position in range(len(chain) - 1, -1, -1):
        # what leads from a cause to what it caused was noted with the cause
        parts += [_one_error(chain[position][0]), chain[position][1]]
    return "".join(parts).rstrip("\n")


def _one_error(error: BaseException, depth: int = 0) -> str:
    pad = "  " * depth
    lines = []
    if error.__traceback__ is not None:
        lines = ["Traceback (innermost calls last):\n", *traceback.format_tb(error.__traceback__, limit=-_MOST_FRAMES)]
    lines.append(f"{type(error).__qualname__}: {_shown(error)}\n")
    lines += [f"{_shown(note)}\n" for note in getattr(error, "__notes__", ())[:_MOST_ITEMS]]
    if isinstance(error, BaseExceptionGroup) and depth < 3:
        lines += [_one_error(member, depth + 1) for member in error.exceptions[:_MOST_ERRORS]]
        more = len(error.exceptions) - _MOST_ERRORS
        lines += [f"and {more} more\n"] if more > 0 else []
    return textwrap.indent("".join(lines), pad) if depth else "".join(lines)


def _printable(_: Any, __: str, event: EventDict) -> EventDict:
    """For text forms: control characters written out. Tracebacks keep their line ends in a terminal."""
    return {key: _CONTROL.sub(_escape, value) if isinstance(value, str) else value for key, value in event.items()}


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")


def _json(event: EventDict, **_: Any) -> str:
    try:
        line = msgspec.json.encode(event).decode()
        # inside strings, where alone they can be, these have an ASCII form
        return line if line.isascii() else _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
    except (ValueError, OverflowError, TypeError):  # lone surrogates, huge numbers: rare, and never a reason to lose the line
        return json.dumps(event, default=str)


# -- what nobody caught -----------------------------------------------------------------------------------------------------


def log_uncaught_errors() -> None:
    """From now on errors that end the process or a thread, or that nobody can be told of, are log lines too. For the daemon's own
    process: they would be written to stderr as they are, secrets included."""
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)
    sys.unraisablehook = lambda args: _uncaught(args.exc_type, args.exc_value, args.exc_traceback)


def masked(text: str) -> str:
    """A text without the secrets that the log masks."""
    return _masker(text)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    structlog.get_logger("bridge").error("nobody caught this: a bug", exc_info=(kind, error, trace))


plain_defaults()
