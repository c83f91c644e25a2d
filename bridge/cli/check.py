"""`messenger-bridge check`: is bridge.yaml correct? With `--online`, also: do the platforms allow what it says?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bridge.cli.asking import SocketPath, asked, daemon_of
from bridge.cli.conversions import conversions_of
from bridge.cli.exits import EX_CONFIG, EX_FAILED, EX_TEMPFAIL
from bridge.cli.options import DEFAULT_CONFIG, ConfigPath, Json, load
from bridge.cli.output import as_json, fault_data, say, show_faults, table
from bridge.model.one_line import one_line

if TYPE_CHECKING:
    from bridge.cli.probing import Finding
    from bridge.config.model import Config, Loaded

_DIFFERENCE_S = 60.0


def check(
    config: ConfigPath = DEFAULT_CONFIG,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the platforms: tokens, scopes, membership and rights in every chat.")
    ] = False,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=1, help="Seconds for each account with --online.", metavar="SECONDS")
    ] = 30.0,
    diff: Annotated[
        bool, typer.Option("--diff", help="Ask the running daemon what a reload of the file would change. Changes nothing.")
    ] = False,
    socket: SocketPath = None,
    json: Json = False,
) -> None:
    """Check the configuration. Shows every fault at once; connects to nothing without --online."""
    if diff:
        _difference(config, socket, online=online, json=json)
    if socket is not None:
        raise typer.BadParameter("goes with --diff", param_hint="--socket")
    loaded = load(config)
    findings: Sequence[Finding] = ()
    if loaded.config is not None and online:
        if not json:
            show_faults((), loaded.warnings)
            say(f"asking {len(loaded.config.accounts)} account(s) ...")
        findings = _probe(loaded.config, timeout_s)
    if json:
        as_json(_data(loaded, findings, online=online))
    elif loaded.config is None or not online:
        show_faults(loaded.faults, loaded.warnings)
        if loaded.config is not None:
            typer.echo(_summary(loaded.config))
            if conversions := conversions_of(loaded.config):
                for line in conversions.lines():
                    typer.echo(line)
    else:
        _show(findings)
    raise typer.Exit(_code(loaded, findings))


def _difference(config: Path, socket: Path | None, *, online: bool, json: bool) -> NoReturn:
    """The daemon reads the file with its own environment, and compares it with what is in force."""
    from bridge.cli.reload import code_of, show_answer

    if online:
        raise typer.BadParameter("goes without --online", param_hint="--diff")
    answer = asked(daemon_of(config, socket, json=json), "GET", "/difference", within_s=_DIFFERENCE_S, json=json)
    if json:
        as_json(answer)
    else:
        show_answer(answer)
    raise typer.Exit(code_of(answer))


def _probe(config: Config, timeout_s: float) -> Sequence[Finding]:
    from adapters import registry
    from bridge.cli.probing import probe_all

    for platform in {account.platform for account in config.accounts.values()}:
        registry.load_platform(platform).preload()  # before the loop starts: imports block it
    return asyncio.run(probe_all(config, registry.load_platform, timeout_s=timeout_s))


def _code(loaded: Loaded, findings: Sequence[Finding]) -> int:
    if loaded.config is None:
        return EX_CONFIG
    bad = [finding for finding in findings if not finding.ok]
    if not bad:
        return 0
    return EX_TEMPFAIL if all(finding.temporary for finding in bad) else EX_FAILED


def _summary(config: Config) -> str:
    accounts, routes = len(config.accounts), len(config.routes)
    return f"{config.path}: ok, {accounts} account{'s' * (accounts != 1)}, {routes} route{'s' * (routes != 1)}"


def _show(findings: Sequence[Finding]) -> None:
    rows = [(found.account, found.where, found.name, _result(found), found.detail) for found in findings]
    table(("account", "chat", "check", "result", "detail"), rows)
    to_do: dict[str, None] = {}
    for found in findings:
        if not found.ok and found.action:
            place = found.account + (f"/{found.where}" if found.where else "")
            # several checks may need the same click
            to_do.setdefault(f"-> {place}: {one_line(found.action)}", None)
    for line in to_do:
        typer.echo(line)
    failed = sum(not found.ok and not found.temporary for found in findings)
    unreached = sum(not found.ok and found.temporary for found in findings)
    if failed or unreached:
        said = [f"{failed} of {len(findings)} checks failed"] if failed else []
        said += [f"{unreached} could not be made: try again later"] if unreached else []
        typer.echo("; ".join(said))
    else:
        typer.echo(f"all {len(findings)} checks passed")


def _result(found: Finding) -> str:
    """Only a refusal means that something is wrong."""
    if found.ok:
        return "ok"
    return "could not be reached" if found.temporary else "FAILED"


def _data(loaded: Loaded, findings: Sequence[Finding], *, online: bool) -> dict[str, Any]:
    return {
        "ok": _code(loaded, findings) == 0,
        "faults": [fault_data(fault) for fault in loaded.faults],
        "warnings": [fault_data(fault) for fault in loaded.warnings],
        **({"online": [found.data() for found in findings]} if online else _converting(loaded.config)),
    }


def _converting(config: Config | None) -> dict[str, Any]:
    conversions = conversions_of(config) if config is not None else None
    return {} if conversions is None else {"conversions": conversions.data()}
