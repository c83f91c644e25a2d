"""Options that several commands take, and loading the configuration they name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.exits import EX_CONFIG, EX_FAILED, EX_USAGE
from bridge.cli.output import as_json, fail, fault_data, show_faults

if TYPE_CHECKING:
    from bridge.config.model import AccountConfig, Config, Loaded

ConfigPath = Annotated[
    Path,
    typer.Option(
        "--config", "-c", envvar="MESSENGER_BRIDGE_CONFIG", show_envvar=True, help="The configuration file.", metavar="FILE"
    ),
]
DEFAULT_CONFIG = Path("bridge.yaml")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, for scripts.")]


def load(path: Path, *, without_secrets: bool = False) -> Loaded:
    """The configuration with everything that was found in it. `without_secrets`: for commands that need none, so that they work in
    an admin's shell, which has neither the service's environment nor the right to read its files."""
    from adapters import registry
    from bridge.config.env_file import with_file
    from bridge.config.load import load_config
    from bridge.config.model import Loaded
    from bridge.config.values import Absent
    from bridge.model.errors import ConfigFault

    absent = Absent.LEFT_OUT if without_secrets else Absent.CREDENTIALS
    try:
        environ = with_file(os.environ)
    except ConfigFault as fault:
        return Loaded(None, [fault])
    return load_config(path, service_environ(path, environ), registry.load_platform, registry.platforms(), absent=absent)


def service_environ(path: Path, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment with CREDENTIALS_DIRECTORY as docs/running.md sets the service up: systemd gives it to the service alone, and
    copies it from the folder `credentials` beside bridge.yaml."""
    source = path.absolute().parent / "credentials"
    if "CREDENTIALS_DIRECTORY" in environ or not os.access(source, os.R_OK | os.X_OK) or not source.is_dir():
        return environ
    return {**environ, "CREDENTIALS_DIRECTORY": str(source)}


def load_or_exit(path: Path, *, json: bool = False, secrets: bool = False) -> Config:
    """The configuration, without secrets unless they are asked for; faults are shown and end the command with 78. Warnings are
    shown by `check` alone."""
    loaded = load(path, without_secrets=not secrets)
    if loaded.config is None:
        if json:
            as_json({"ok": False, "faults": [fault_data(fault) for fault in loaded.faults]})
        else:
            show_faults(loaded.faults, ())
        raise typer.Exit(EX_CONFIG)
    return loaded.config


def account_or_exit(config: Config, name: str, *, json: bool = False) -> AccountConfig:
    """The account with that name; ends the command if there is none."""
    found = next((one for known, one in config.accounts.items() if known == name), None)
    return fail(config.why_no_account(name), EX_USAGE, json=json) if found is None else found


def need_secrets(account: AccountConfig, *, json: bool = False) -> None:
    """Ends the command if the account's secrets could not be read."""
    if account.options is None:
        why = f"the secrets of {account.name} cannot be read here; run this as root, or as the service's user"
        fail(why, EX_FAILED, json=json)


def known_routes(config: Config, names: Sequence[str], *, json: bool = False) -> Sequence[str]:
    """The names, if each is a route's; ends the command if one is not."""
    known = {route.name for route in config.routes}
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        from bridge.config.faults import did_you_mean

        hint = did_you_mean(unknown, sorted(known))
        fail(f"there is no route {unknown!r}" + (f" - {hint}" if hint else ""), EX_USAGE, json=json)
    return names
