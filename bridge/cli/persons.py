"""Finds the accounts of the person named on the command line: by ACCOUNT/USER-ID, or by a name in `people` of bridge.yaml. Linked
accounts are included."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.exits import EX_USAGE
from bridge.cli.options import load
from bridge.cli.output import fail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.journal.contract import LinkedUser, UserKey

PersonArgument = Annotated[
    str,
    typer.Argument(metavar="PERSON", help="ACCOUNT/USER-ID, or a name in the people of bridge.yaml.", show_default=False),
]
AT_COMMAND_LINE = "command line"


def users_of(person: str, config: Path, linked: Sequence[LinkedUser], *, json: bool) -> list[UserKey]:
    """The accounts of that person, each once. Ends the command if there are none."""
    from bridge.journal.contract import UserKey
    from bridge.model.refs import AccountName

    account, slash, user_id = person.partition("/")
    found: list[UserKey] = []
    if slash and account and user_id:
        found = [UserKey(account=AccountName(account), user_id=user_id)]
    else:
        loaded = load(config, without_secrets=True)
        for one in loaded.config.people if loaded.config else ():
            if one.name.casefold() == person.casefold():
                found = [UserKey(account=name, user_id=entry.strip().removeprefix("@")) for name, entry in one.ids.items()]
    if not found:
        fail(f"{person!r} is neither ACCOUNT/USER-ID nor a name in the people of {config}", EX_USAGE, json=json)
    groups = {one.person for one in linked if one.user in found}
    return list(dict.fromkeys((*found, *(one.user for one in linked if one.person in groups))))
