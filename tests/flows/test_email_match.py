"""Accounts with the same e-mail address become one person's, where the admin allows it."""

from __future__ import annotations

from typing import Any

from tests.flows.world import World
from tests.support.patience import eventually, eventually_asked


def give_addresses(world: World) -> None:
    slack: Any = world.emulators["slack"]
    spirit: Any = world.emulators["teamspirit"]
    slack.workspace.scopes.add("users:read.email")
    slack.workspace.users[slack.add_person("Anna")].email = "Anna@example.com"
    slack.workspace.users[slack.add_person("Boris")].email = "boris@example.com"
    spirit_user(spirit, "Annushka").email = "anna@example.com"
    spirit_user(spirit, "Boris").email = "somebody.else@example.com"


def spirit_user(spirit: Any, name: str) -> Any:
    user_id = spirit.add_person(name)
    return spirit.world.state.users[user_id]


async def test_one_address_is_one_person(quiet_world: World) -> None:
    world = quiet_world
    give_addresses(world)
    world.settings["people_match"] = "email"
    app = await world.start_bridge()
    await world.say("slack", "hello of Anna", person="Anna")
    await world.say("slack", "hello of Boris", person="Boris")
    linked = await eventually_asked(app.journal.persons.linked, holds=bool)
    assert {str(one.user.account) for one in linked} == {"slack", "teamspirit"}
    assert {one.name for one in linked} == {"Anna", "Annushka"}
    assert "example.com" not in str(linked) + str(await app.journal.persons.audited())

    await eventually(lambda: list(app._community.groups()))  # what is in the journal is known to the daemon a moment later
    await world.say("slack", "ask @Anna", person="Boris")
    copy = await world.copy("teamspirit", "ask @")
    assert "mention" in copy.html, copy.html

    user = next(one.user for one in linked if one.user.account == "slack")
    await app.journal.persons.unlink_user(user)
    assert await app.journal.persons.linked() == []


async def test_it_is_off_unless_the_admin_says_so(quiet_world: World) -> None:
    world = quiet_world
    give_addresses(world)
    app = await world.start_bridge()
    await world.say("slack", "hello of Anna", person="Anna")
    await world.copy("teamspirit", "hello of Anna")
    slack: Any = world.emulators["slack"]
    assert await app.journal.persons.linked() == []
    assert not [call for call in slack.calls() if "lookupByEmail" in call]
    await eventually(lambda: world.copies("discord", "hello of Anna"))
