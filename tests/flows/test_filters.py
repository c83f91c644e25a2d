"""Filters, rewrites and sender templates of a route and of single ends, between all platforms."""

from __future__ import annotations

from bridge.model.refs import AccountName, ChatRef, MessageRef
from tests.flows.world import World
from tests.support.patience import eventually_asked

SENDER = "{% if 'moderator' in roles %}★ {% endif %}{{ name }} ({{ platform }})"


async def test_each_end_gets_what_its_lines_let_through_in_the_words_it_shall_see(quiet_world: World) -> None:
    world = quiet_world
    anna = world.emulators["slack"]
    ends = [f"{name}/{world.chats[name].address}" for name in ("slack", "teamspirit", "telegram")]
    world.settings["routes"] = [
        {
            "name": "lobby",
            "between": [
                *ends,
                {
                    "chat": f"discord/{world.chats['discord'].address}",
                    "rewrite": [{"find": r"#(\d+)", "replace": r"issue \1"}],
                    "filter": [{"keep": {"text": "JIRA", "from": "slack"}}],
                },
            ],
            "filter": [{"drop": {"text": "(?i)^debug", "to": ["telegram", "discord"]}}],
            "rewrite": [{"find": "JIRA-", "replace": "#"}],
            "sender": SENDER,
        }
    ]
    world.settings["people"] = [{"name": "Anna Petrova", "slack": anna.handle("Anna"), "roles": ["moderator"]}]
    await world.start_bridge()

    debug = await world.say("slack", "debug JIRA-1")
    chatter = await world.say("slack", "good morning")
    await world.say("slack", "see JIRA-2", person="Boris")
    assert "issue 2" in (await world.copy("discord", "see issue 2")).text
    for platform in ("teamspirit", "telegram"):
        await world.copy(platform, "see #2")
        await world.copy(platform, "good morning")
    shown = await world.copy("teamspirit", "debug #1")
    assert "★ Anna Petrova (Slack)" in (shown.author_name + shown.text)
    assert not world.copies("telegram", "debug")
    assert not world.copies("discord", "debug")
    assert not world.copies("discord", "good morning")

    await anna.edit(world.chats["slack"].chat_id, chatter, "good morning, JIRA-5")
    await world.copy("telegram", "good morning, #5")

    # from elsewhere Discord's own line, which is about Slack, asks nothing
    await world.say("teamspirit", "hello from TeamSpirit")
    await world.copy("discord", "hello from TeamSpirit")

    assert world.app is not None
    app, ref = world.app, MessageRef(ChatRef(AccountName("slack"), world.chats["slack"].chat_id), debug)
    (traced,) = await eventually_asked(lambda: app.journal.trace(ref), holds=bool)
    notes = {str(one.target.account): one.note for one in traced.event.deliveries}
    assert notes["telegram"].startswith("filter 1: drop text (?i)^debug to telegram,discord (line ")
    line = (world.folder / "bridge.yaml").read_text().splitlines()[int(notes["telegram"].rstrip(")").rpartition(" ")[2]) - 1]
    assert "drop:" in line


async def test_a_reload_puts_lines_in_force_at_once(quiet_world: World) -> None:
    world = quiet_world
    app = await world.start_bridge()
    await world.say("telegram", "first words")
    await world.copy("slack", "first words")
    world.route_options["filter"] = [{"drop": {"kind": "text", "from": "telegram", "to": "slack"}}]
    await app.reload(world.config())
    await world.say("telegram", "second words")
    await world.copy("discord", "second words")
    await world.copy("teamspirit", "second words")
    assert not world.copies("slack", "second words")
