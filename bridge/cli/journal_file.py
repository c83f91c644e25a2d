"""`messenger-bridge journal`: copies, checks and exports the journal's file, beside a running daemon or without one."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli.exits import EX_FAILED, EX_UNAVAILABLE
from bridge.cli.journal import JournalPath, journal_file
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json
from bridge.cli.output import as_json, fail, say, table
from bridge.model.one_line import one_line

if TYPE_CHECKING:
    from bridge.journal.sqlite.checking import Checked

journal = typer.Typer(add_completion=False, no_args_is_help=True, help="Back up, check or export the journal.")


@journal.command()
def backup(
    to: Annotated[Path, typer.Argument(metavar="FILE", help="The new file. It must not exist.", show_default=False)],
    config: ConfigPath = DEFAULT_CONFIG,
    file: JournalPath = None,
    json: Json = False,
) -> None:
    """Copy the journal into a new file, while the daemon goes on. The copy is of one moment, and readable by its owner alone."""
    from bridge.journal import back_up
    from bridge.journal.contract import JournalError

    path = journal_file(config, file, json=json)
    try:
        size_bytes = back_up(path, to)
    except JournalError as error:
        fail(str(error), EX_UNAVAILABLE, json=json)
    if json:
        as_json({"ok": True, "file": str(to), "size_bytes": size_bytes})
    else:
        say(f"{path} is copied to {to} ({size_bytes / 1e6:.1f} MB)")


@journal.command()
def check(config: ConfigPath = DEFAULT_CONFIG, file: JournalPath = None, json: Json = False) -> None:
    """Look for damaged pages, a wrong schema, rows that refer to nothing, and files that do not belong into the spool. Ends with 1
    if there is any."""
    from bridge.journal import check, former_copies
    from bridge.journal.contract import JournalError

    path = journal_file(config, file, json=json)
    try:
        found = check(path)
    except JournalError as error:
        fail(str(error), EX_UNAVAILABLE, json=json)
    problems = [{"where": one.where, "what": one.what, "costs": one.costs} for one in found.problems]
    spool = _spool(config, path) if file is None else {}
    if why := spool.get("fault"):
        problems.append({"where": "spool", "what": f"{spool['folder']} {why}", "costs": "the daemon does not start"})
    copies = [str(copy) for copy in former_copies(path)]
    if json:
        data = {"schema": found.schema, "size_bytes": found.size_bytes, "events": found.events, "unfinished": found.unfinished}
        as_json({"ok": not problems, "journal": str(path), **data, "problems": problems, "spool": spool, "copies": copies})
    else:
        _show(path, found, problems, spool, copies)
    if problems:
        raise typer.Exit(EX_FAILED)


def _spool(config: Path, path: Path) -> dict[str, Any]:
    """What is in the folder of files in transit. With faults in the configuration it is looked for beside the journal."""
    from bridge.cli.options import load
    from bridge.files.folder import contents

    loaded = load(config, without_secrets=True).config
    folder = (loaded.media.spool if loaded is not None else None) or path.with_suffix(".spool")
    if not folder.is_dir():
        return {}
    try:
        return {"folder": str(folder), **contents(folder)}
    except OSError as error:
        return {"folder": str(folder), "fault": f"cannot be read: {error.strerror or error}"}


def _show(path: Path, found: Checked, problems: list[dict[str, str]], spool: dict[str, Any], copies: list[str]) -> None:
    said = (
        f"schema {found.schema}, {found.size_bytes / 1e6:.1f} MB, {found.events} events, {found.unfinished} deliveries unfinished"
    )
    say(f"{path}: {said}")
    if spool.get("files"):
        left = "files that a daemon left; the next one deletes them as it starts"
        use = left if spool["in_use"] is False else "files in transit"
        say(f"{spool['folder']}: {spool['files']} {use}, {spool['size_bytes'] / 1e6:.1f} MB")
    for copy in copies:
        say(f"{copy}: of before an upgrade; delete it once the new version works")
    if problems:
        table(("where", "what", "what it costs"), [(one["where"], one["what"], one["costs"]) for one in problems])
    else:
        typer.echo("ok")


@journal.command()
def export(
    to: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A new file. Default: the standard output.", show_default=False)
    ] = None,
    words: Annotated[bool, typer.Option("--words", help="Also what people are called and wrote, as far as it is kept.")] = False,
    config: ConfigPath = DEFAULT_CONFIG,
    file: JournalPath = None,
) -> None:
    """Write all events with the outcome of their deliveries, what was not understood, and who decided what, as JSON lines."""
    import msgspec

    from bridge.journal import export
    from bridge.journal.contract import JournalError

    path = journal_file(config, file, json=False)
    try:
        with ExitStack() as stack:
            out: IO[bytes] = sys.stdout.buffer if to is None else stack.enter_context(_new(to))
            encoder, count = msgspec.json.Encoder(), 0
            for line in export(path, words=words):
                out.write(encoder.encode(line) + b"\n")
                count += 1
            out.flush()
    except JournalError as error:
        fail(str(error), EX_UNAVAILABLE)
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(one_line(f"{to or 'the standard output'} cannot be written: {error.strerror or error}"), EX_FAILED)
    say(f"{count} lines")


def _new(path: Path) -> IO[bytes]:
    """Readable by its owner alone. Raises OSError if there is something."""
    import os

    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
