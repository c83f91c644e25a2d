"""The log in its three forms: one line an event, from structlog and stdlib alike, without secrets, whatever is put into it."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.config.model import LogConfig, LogFormat
from bridge.observability import logs as observe
from tests.support.budget import examples
from tests.support.patience import PATIENCE_S

structlog = observe.structlog

SECRET = 'pa"ss\\word-é'
TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = list(root.handlers), root.level, sys.excepthook
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    yield
    root.handlers, root.level, sys.excepthook = handlers, level, hook
    logging.captureWarnings(False)
    observe.plain_defaults()


def set_up(form: str = "json", level: str = "info", stream: io.StringIO | None = None) -> io.StringIO:
    stream = stream or io.StringIO()
    observe.set_up_logging(LogConfig(format=LogFormat(form), level=level), secrets=[SECRET], stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_lines_of_both_kinds_of_loggers() -> None:
    stream = set_up()
    structlog.get_logger("outbox").warning("waiting", wait_s=1.5, account="tg")
    logging.getLogger("aiogram.client").error("failed %s", "twice")
    first, second = lines(stream)
    assert {**first, "timestamp": ""} == {
        "timestamp": "",
        "level": "warning",
        "logger": "outbox",
        "event": "waiting",
        "wait_s": 1.5,
        "account": "tg",
    }
    assert first["timestamp"].endswith("Z")
    assert (second["level"], second["logger"], second["event"]) == ("error", "aiogram.client", "failed twice")


def test_key_value_lines() -> None:
    stream = set_up("keyvalue")
    structlog.get_logger("app").info("account up", account="tg", note='a "b"', none=None, yes=True)
    line = stream.getvalue()
    assert line.startswith("timestamp=")
    assert line.endswith('level=info logger=app event="account up" account=tg note="a \\"b\\"" none= yes=true\n')


def test_auto_is_coloured_in_a_terminal_only() -> None:
    stream = set_up("auto")
    structlog.get_logger("app").info("up")
    assert " event=up" in stream.getvalue()
    terminal = set_up("auto", stream=Terminal())
    structlog.get_logger("app").info("up")
    assert "\x1b[" in terminal.getvalue()


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = set_up("auto", stream=Terminal())
    structlog.get_logger("app").error("down")
    assert "down" in terminal.getvalue()
    assert "\x1b" not in terminal.getvalue()


def test_levels() -> None:
    stream = set_up(level="warning")
    structlog.get_logger("app").info("no")
    logging.getLogger("bridge.x").info("no")
    structlog.get_logger("app").warning("yes")
    assert [line["event"] for line in lines(stream)] == ["yes"]


def test_libraries_talk_less_than_we_do_unless_asked() -> None:
    stream = set_up()
    logging.getLogger("discord.client").info("no")
    logging.getLogger("adapters.discord").info("yes")
    debug = set_up(level="debug")
    logging.getLogger("discord.client").info("now")
    logging.getLogger("adapters.discord").debug("now too")
    assert [line["event"] for line in lines(stream) + lines(debug)] == ["yes", "now", "now too"]


@pytest.mark.parametrize("name", ["slack_sdk.web.async_client", "aiogram.event", "discord.gateway", "aiohttp.client", "x"])
def test_debug_lines_of_libraries_are_never_written(name: str) -> None:
    """They show whole requests and events, with what people said."""
    stream = set_up(level="debug")
    library = logging.getLogger(name)
    before = library.level
    try:
        assert not library.isEnabledFor(logging.DEBUG), "they are not even put together"
        library.setLevel(logging.DEBUG)
        library.debug("Sending a request - params: %s", {"text": "what a person said"})
    finally:
        library.setLevel(before)
    assert stream.getvalue() == ""


def test_a_later_set_up_takes_over() -> None:
    first = set_up()
    log = structlog.get_logger("app")
    log.debug("no")
    second = set_up(level="debug")
    log.debug("yes")
    assert not first.getvalue()
    assert lines(second)[0]["event"] == "yes"


def raise_with_secret() -> None:
    raise ValueError(f"could not use {SECRET} and {TOKEN}")


@pytest.mark.parametrize("form", ["json", "keyvalue", "auto"])
def test_no_secret_in_any_part_of_a_line(form: str) -> None:
    stream = set_up(form, stream=Terminal() if form == "auto" else None)
    log = structlog.get_logger("app")
    log.info(f"message {SECRET}", field=SECRET, inner={"a": [SECRET, {SECRET: TOKEN}]}, error=ValueError(SECRET))
    log.info("url", url=f"https://api.telegram.org/bot{TOKEN}/getMe")
    logging.getLogger("aiohttp").error("failed: %s", f"Bearer {TOKEN}")
    logging.getLogger("aiohttp").error("%r", {"Authorization": f"Bot {SECRET}"})
    try:
        raise_with_secret()
    except ValueError:
        log.exception("bug")
        logging.getLogger("asyncio").exception("Task exception was never retrieved")
    text = stream.getvalue()
    for form_of_it in (SECRET, repr(SECRET)[1:-1], json.dumps(SECRET)[1:-1], "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"):
        assert form_of_it not in text
    assert "raise_with_secret" in text, "tracebacks are there"


def test_earlier_secrets_stay_masked_after_a_reload() -> None:
    set_up()
    stream = io.StringIO()
    observe.set_up_logging(LogConfig(format=LogFormat.JSON), secrets=["another"], stream=stream)
    structlog.get_logger("app").info(f"{SECRET} another")
    assert lines(stream)[0]["event"] == "*** ***"


@pytest.mark.parametrize("form", ["keyvalue", "auto"])
def test_strangers_cannot_forge_lines_or_drive_a_terminal(form: str) -> None:
    stream = set_up(form)
    structlog.get_logger("app").info("joined", name="x\nlevel=error event=forged", other="\x1b[2J\x9b\u202e\r")
    assert stream.getvalue().count("\n") == 1
    assert not {"\x1b", "\x9b", "\u202e", "\r"} & set(stream.getvalue())


class Unshowable:
    def __str__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("form", ["json", "keyvalue", "auto"])
def test_values_of_any_kind(form: str) -> None:
    stream = set_up(form, stream=Terminal() if form == "auto" else None)
    loop: list[Any] = []
    loop.append(loop)
    structlog.get_logger("app").info(
        "x", a=Unshowable(), b=b"bytes", c=2**80, d=float("nan"), e={1, 2}, f=loop, g="\ud800", h=object()
    )
    assert "<5 bytes>" in stream.getvalue()
    assert "cannot be shown" in stream.getvalue()


@settings(
    max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    event=st.text(), value=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(), st.lists)
)
def test_every_event_is_one_line_of_json(event: str, value: Any) -> None:
    stream = set_up()
    structlog.get_logger("app").info(event, value=value)
    assert len(lines(stream)) == 1


def test_a_closed_pipe_loses_lines_not_messages() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    set_up(stream=Gone())
    structlog.get_logger("app").info("nobody hears this")


def test_warnings_are_logged() -> None:
    stream = set_up()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"careful {SECRET}", stacklevel=1)
    assert lines(stream)[0]["logger"] == "py.warnings"
    assert SECRET not in stream.getvalue()


@pytest.mark.slow
def test_errors_that_nobody_catches_are_masked_log_lines() -> None:
    code = """
import gc, sys, threading
from bridge.observability.logs import log_uncaught_errors, set_up_logging
from bridge.config.model import LogConfig, LogFormat
set_up_logging(LogConfig(format=LogFormat.JSON), secrets=["known-secret"])
log_uncaught_errors()
def fail(*_): raise ValueError("with known-secret")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
class Bad: __del__ = fail
Bad()
fail()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.returncode == 1
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in found] == ["nobody caught this: a bug"] * 3
    assert all("ValueError: with ***" in line["exception"] for line in found)
    assert "known-secret" not in done.stderr.replace('raise ValueError(\\"with known-secret\\")', "")


def test_a_value_that_logs_while_it_is_shown() -> None:
    stream = set_up()

    class Talkative:
        def __str__(self) -> str:
            structlog.get_logger("app").info("inner")
            return "shown"

    logging.getLogger("bridge.x").info("%s", Talkative())
    assert {line["event"] for line in lines(stream)} == {"inner", "shown"}


def test_quiet_levels_cost_little() -> None:
    set_up(level="info")
    log = structlog.get_logger("app").bind()
    assert log.debug("no", x=1) is None


class Hidden:
    """Must not be shown: a variable of a frame."""

    def __repr__(self) -> str:
        raise AssertionError("local variables are not looked at")


def sink(depth: int) -> None:
    hidden = Hidden()
    if depth:
        sink(depth - 1)
    raise ValueError("x" * 5_000_000 + str(bool(hidden)))


def chained(count: int) -> BaseException:
    error: BaseException = ValueError("first")
    for number in range(count):
        following = ValueError(f"number {number}")
        following.__cause__ = error
        error = following
    return error


@pytest.mark.parametrize("form", ["json", "keyvalue", "auto"])
@pytest.mark.parametrize(
    "fail",
    [
        lambda: sink(800),
        lambda: (_ for _ in ()).throw(chained(20_000)),
        lambda: (_ for _ in ()).throw(ExceptionGroup("many", [ExceptionGroup("inner", [ValueError("x" * 10_000)] * 1000)] * 1000)),
    ],
    ids=["deep", "chained", "grouped"],
)
def test_an_error_is_a_short_line_whatever_it_is_about(form: str, fail: Any) -> None:
    stream = set_up(form, stream=Terminal() if form == "auto" else None)
    try:
        fail()
    except Exception:
        structlog.get_logger("app").exception("bug")
        logging.getLogger("aiohttp").exception("bug")
    assert "Traceback" in stream.getvalue()
    assert "ValueError" in stream.getvalue()
    assert len(stream.getvalue()) < 2 * 20_000 * (1 + (form == "keyvalue"))


def test_an_error_is_shown_with_its_causes_and_members() -> None:
    stream = set_up()
    try:
        try:
            try:
                raise KeyError("the root")
            except KeyError as error:
                raise OSError("with a cause") from error
        except OSError:
            raise ExceptionGroup("both", [ValueError("left"), TypeError("right")])  # noqa: B904 - this is what is tested
    except ExceptionGroup as group:
        group.add_note("seen on a Monday")
        structlog.get_logger("app").exception("bug")
    (line,) = lines(stream)
    shown = line["exception"]
    order = ["'the root'", "direct cause", "with a cause", "During handling", "both", "seen on a Monday", "left", "right"]
    assert [word for word in order if word in shown] == order
    assert [shown.rindex(word) for word in order] == sorted(shown.rindex(word) for word in order)


def test_a_secret_at_the_place_where_a_long_value_is_cut() -> None:
    stream = set_up()
    structlog.get_logger("app").info("long", value="x" * (observe._MOST_CHARACTERS - 4) + SECRET + "y" * 100_000)
    assert SECRET[:4] not in stream.getvalue()
    assert len(stream.getvalue()) < 2 * observe._MOST_CHARACTERS


def test_values_of_strangers_do_not_fill_the_log() -> None:
    stream = set_up()
    structlog.get_logger("app").info(
        "big", words=["w" * 50] * 100_000, table={f"k{n}": n for n in range(100_000)}, text="t" * 10**7
    )
    assert len(stream.getvalue()) < 50_000


def test_before_logging_is_set_up_an_error_is_as_short(capsys: pytest.CaptureFixture[str]) -> None:
    observe.plain_defaults()
    try:
        sink(800)
    except ValueError:
        structlog.get_logger("app").exception("bug")
    assert len(capsys.readouterr().out) < 20_000
