"""`messenger-bridge dialect`: shows a wire format that is data, tries it against a server, and records responses.

The platform's package defines what is shown and tried (`bridge.model.dialects`); this module presents it to people."""

from __future__ import annotations

import json as json_
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import completing
from bridge.cli.exits import EX_CONFIG, EX_FAILED, EX_USAGE
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import as_json, fail, fault_data, say, show_faults, styled, table
from bridge.model.dialects import StepState
from bridge.model.one_line import one_line

if TYPE_CHECKING:
    from bridge.cli.dialect_subject import Subject
    from bridge.model.dialects import Exchanged, Step

_LONGEST_VALUE = 160
_LONGEST_BODY = 1500

dialect = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Show, try and record a dialect: the wire format of a server, where it is data.",
)

AccountName = Annotated[
    str,
    typer.Argument(help="An account of bridge.yaml.", metavar="ACCOUNT", show_default=False, autocompletion=completing.accounts),
]
Chat = Annotated[str, typer.Option("--chat", help="The chat to try it in. Default: the first that a route names.", metavar="CHAT")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Write to the server without asking for confirmation.")]
ReadOnly = Annotated[bool, typer.Option("--read-only", help="Only the operations that change nothing on the server.")]


@dialect.command()
def show(
    name: Annotated[
        str, typer.Argument(help="An account, a shipped dialect, or a dialect's file.", metavar="NAME", show_default=False)
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    json: Json = False,
) -> None:
    """Show the effective dialect: every entry, its value, and the file and line that it comes from."""
    from bridge.cli.dialect_subject import sheet_of

    sheet = sheet_of(name, config, json=json)
    if sheet.faults:
        if json:
            as_json({"ok": False, "faults": [fault_data(fault) for fault in sheet.faults]})
        else:
            show_faults(sheet.faults, ())
        raise typer.Exit(EX_CONFIG)
    if json:
        entries = [{"key": one.key, "value": one.value, "from": one.source} for one in sheet.entries]
        as_json({"ok": True, "name": sheet.name, "title": sheet.title, "verified": sheet.verified, "entries": entries})
        return
    typer.echo(f"{sheet.name} ({sheet.title}), {sheet.verified}")
    table(("entry", "value", "from"), [(one.key, _value(one.value), one.source) for one in sheet.entries])


@dialect.command("test")
def try_(
    account: AccountName,
    config: ConfigPath = DEFAULT_CONFIG,
    chat: Chat = "",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Only this operation, and those that it needs; may be repeated.", metavar="OPERATION"),
    ] = None,
    read_only: ReadOnly = False,
    played: Annotated[
        Path | None,
        typer.Option("--played", help="Take the responses from a recording, not from the server.", metavar="FILE", dir_okay=False),
    ] = None,
    emulator: Annotated[
        bool, typer.Option("--emulator", help="Try it against an emulator of the server, started for this run.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Try the dialect, operation by operation: shows the request, the response, the values found in it, and what to correct.

    It says what it will write to the server and asks for confirmation. What it created is removed at the end."""
    from bridge.cli.dialect_subject import subject_of

    subject = subject_of(account, config, chat, only or (), json=json)
    recording = _read(played, json=json) if played is not None else None
    if recording is None and not emulator and not read_only:
        _ask_first(subject, yes=yes, json=json)
    shown = None if json else _show_step
    steps = subject.run(reading=read_only, played=recording, emulator=emulator, on_step=shown, json=json).steps
    wrong = [step for step in steps if step.state is StepState.WRONG]
    if json:
        as_json({"ok": bool(steps) and not wrong, "steps": steps})
    else:
        _sum_up(steps)
    raise typer.Exit(0 if steps and not wrong else EX_FAILED)


@dialect.command()
def record(
    account: AccountName,
    file: Annotated[
        Path, typer.Argument(help="The file to write the recording to.", metavar="FILE", show_default=False, dir_okay=False)
    ],
    config: ConfigPath = DEFAULT_CONFIG,
    chat: Chat = "",
    read_only: ReadOnly = False,
    emulator: Annotated[bool, typer.Option("--emulator", help="Record an emulator of the server, started for this run.")] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Try the dialect and record the server's responses, without secrets and personal data, for `dialect test --played`."""
    from bridge.cli.dialect_subject import subject_of

    subject = subject_of(account, config, chat, (), json=json)
    if not emulator and not read_only:
        _ask_first(subject, yes=yes, json=json)
    tried = subject.run(reading=read_only, emulator=emulator, unmasked=True, json=json)
    steps = tried.steps
    exchanges = sum(len(step.exchanges) for step in steps)
    try:
        file.write_text(json_.dumps(subject.recording(tried), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}", EX_FAILED, json=json)
    wrong = [step.operation for step in steps if step.state is StepState.WRONG]
    if json:
        as_json({"ok": not wrong, "file": str(file), "exchanges": exchanges, "wrong": wrong})
    else:
        typer.echo(f"{file}: {exchanges} exchanges" + (f"; wrong: {', '.join(wrong)}" if wrong else ""))
        say("read the file before you hand it on: fields that are special to this server may still hold personal data")
    raise typer.Exit(EX_FAILED if wrong else 0)


# -- before -----------------------------------------------------------------------------------------------------------------


def _ask_first(subject: Subject, *, yes: bool, json: bool) -> None:
    """Ask before anything is written to a server."""
    writes = subject.writes()
    if not writes:
        return
    if not json:
        say(f"On {subject.server}, this " + "; ".join(writes) + ".")
    if yes:
        return
    if json or not sys.stdin.isatty():
        fail("nothing was done: confirm with --yes, or use --read-only", EX_USAGE, json=json)
    if not typer.confirm("Go on?", err=True):
        raise typer.Exit(EX_FAILED)


def _read(path: Path, *, json: bool) -> Any:
    try:
        return json_.loads(path.read_bytes())
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}", EX_USAGE, json=json)
    except (ValueError, RecursionError):
        fail(f"{path} is no recording: it is not JSON", EX_USAGE, json=json)


# -- for people -------------------------------------------------------------------------------------------------------------


def _show_step(step: Step) -> None:
    state = {StepState.OK: "ok", StepState.WRONG: "FAILED", StepState.SKIPPED: "off"}[step.state]
    typer.echo(
        f"{styled(f'{step.state.value:<7}', state)} {step.operation}" + (f": {one_line(step.detail)}" if step.detail else "")
    )
    for exchange in step.exchanges:
        _show_exchange(exchange, whole=step.state is StepState.WRONG)
    for entry in step.read:
        if step.state is StepState.WRONG or entry.entry.startswith("operations."):
            found = "nothing" if entry.found is None else _value(entry.found)
            typer.echo(f"          {entry.entry} ({one_line(entry.query, 60)}): {found}")
    for complaint in step.complaints:
        where = f" ({complaint.source})" if complaint.source else ""
        hint = f" - {one_line(complaint.hint)}" if complaint.hint else ""
        typer.echo(f"        {styled('->', 'FAILED')} {complaint.entry}{where}: {one_line(complaint.why)}{hint}")


def _show_exchange(exchange: Exchanged, *, whole: bool) -> None:
    typer.echo(f"        {exchange.method} {one_line(exchange.url)} -> {exchange.status or 'no answer'}")
    if not whole:
        return
    for name, value in exchange.headers:
        typer.echo(f"          {one_line(name)}: {one_line(value)}")
    if exchange.body is not None:
        typer.echo(f"          asked: {_value(exchange.body, _LONGEST_BODY)}")
    if exchange.answer not in (None, ""):
        typer.echo(f"          answered: {_value(exchange.answer, _LONGEST_BODY)}")


def _sum_up(steps: Sequence[Step]) -> None:
    wrong = [step.operation for step in steps if step.state is StepState.WRONG]
    skipped = [step.operation for step in steps if step.state is StepState.SKIPPED]
    said = [
        f"{len(steps)} operations tried" if not wrong else f"{len(wrong)} of {len(steps)} operations are wrong: {', '.join(wrong)}"
    ]
    said += [f"not tried: {', '.join(skipped)}"] if skipped else []
    typer.echo("; ".join(said) if steps else "nothing to try: the dialect has no such operation")
    if wrong:
        typer.echo("Correct the first one and try again: the others may be wrong only because of it.")


def _value(value: Any, most: int = _LONGEST_VALUE) -> str:
    return one_line(value if isinstance(value, str) else json_.dumps(value, ensure_ascii=False), most)
