"""The `commands` section: which commands the bridge accepts from people in chats, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.config import nodes
from bridge.config.accounts import Account
from bridge.config.faults import did_you_mean
from bridge.config.nodes import Entries
from bridge.config.routes import ReadRoute
from bridge.config.sections import CommandsSection
from bridge.config.values import Values
from bridge.model.refs import AccountName
from bridge.policy.commands import CommandRules, Listen


def read_commands(values: Values, given: Entries, accounts: Mapping[str, Account], routes: Sequence[ReadRoute]) -> CommandRules:
    """Each place in `listen` is an account, or the chat of an end that some route has."""
    entry = given.get("commands")
    found = None if entry is None or nodes.is_null(entry.value) else values.mapping(entry.value, "commands")
    section = None if entry is None or found is None else values.model(CommandsSection, found, entry.key, "commands", partial=True)
    if section is None or found is None:
        return CommandRules()
    chats = {str(end.chat) for one in routes for end in one.route.ends}
    listen = []
    for place in section.listen:
        account, slash, address = place.partition("/")
        if account not in accounts or (slash and place not in chats):
            why = f"{place!r} is neither an account nor a chat of a route"
            hint = did_you_mean(place, (*accounts, *sorted(chats)[:500]))
            values.faults.add(found["listen"].value, "commands.listen", why, value=place, hint=hint)
            continue
        listen.append(Listen(AccountName(account), address))
    return CommandRules(word=section.word, listen=tuple(listen), delete_on=section.delete_on, retry_on=section.retry_on)
