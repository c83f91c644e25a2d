"""People who would look alike in one chat are told apart, for as long as the journal remembers."""

from __future__ import annotations

from tests.flows.world import World


async def shown_as(world: World, platform: str, words: str) -> str:
    copy = await world.copy(platform, words)
    return copy.author_name + "\n" + copy.text


async def test_the_second_of_two_namesakes_gets_a_mark_that_stays(quiet_world: World) -> None:
    world = quiet_world
    telegram = world.emulators["telegram"]
    await world.start_bridge()
    world_of_telegram = telegram.world  # type: ignore[attr-defined]
    for number, name in enumerate(("Anna", "Second", "Third")):
        person = world_of_telegram.people[int(telegram.add_person(name))]
        person.first_name = ("Anna", "ANNA", "Аnna")[number]  # the last begins with a Cyrillic letter
    await world.say("telegram", "words one", person="Anna")
    await world.say("telegram", "words two", person="Second")
    await world.say("telegram", "words three", person="Third")
    for platform in ("slack", "discord", "teamspirit"):
        first, second, third = [await shown_as(world, platform, f"words {n}") for n in ("one", "two", "three")]
        assert "(" not in first
        assert "ANNA (2)" in second
        assert "(3)" in third or "(telegram)" in third
    await world.say("slack", "another Anna", person="Anna")
    assert "(" not in await shown_as(world, "discord", "another Anna"), "of another account: mostly the same person"
    await world.stop_bridge()
    await world.start_bridge()
    await world.say("telegram", "words four", person="Second")
    await world.say("telegram", "words five", person="Anna")
    assert "ANNA (2)" in await shown_as(world, "slack", "words four")
    assert "(" not in await shown_as(world, "slack", "words five")


async def test_all_are_told_apart_where_the_admin_wants_it(quiet_world: World) -> None:
    world = quiet_world
    world.route_options["distinct_names"] = "all"
    world.settings["people"] = [
        {
            "name": "Clara C",
            "slack": world.emulators["slack"].add_person("Clara"),
            "discord": world.emulators["discord"].add_person("Clara"),
        }
    ]
    await world.start_bridge()
    await world.say("slack", "words of the first", person="Anna")
    await world.copy("telegram", "words of the first")
    await world.say("discord", "words of the second", person="Anna")
    assert "Anna (discord)" in await shown_as(world, "telegram", "words of the second")
    for platform in ("slack", "discord"):
        await world.say(platform, f"Clara on {platform}", person="Clara")
        shown = await shown_as(world, "telegram", f"Clara on {platform}")
        assert "Clara C" in shown
        assert "(" not in shown
