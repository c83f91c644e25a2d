"""The line about reactions: when there is one, what it says, and that it is one line whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.identity.people import Person
from bridge.model.adapter import OutboundReaction
from bridge.model.errors import MessageGone, OutcomeUnknown, Rejected
from bridge.model.refs import AccountName
from bridge.policy.routing import OnUnknown, Reactions, Route
from tests.support.patience import eventually
from tests.support.scripted import Posted, ScriptedAdapter, ScriptedPlatform, all_done, bridge, end, skipped_by


class OneReaction(ScriptedAdapter):
    """A bot may set only the latest reaction."""

    async def react(self, outbound: OutboundReaction) -> Sequence[str]:
        await super().react(outbound)
        return outbound.wanted[1:]


def route(**options: Any) -> list[Route]:
    at_once = {"tally_every_s": 0.0, **options}
    return [Route(name="r", ends=(end("one/c", options=at_once), end("two/c", options=at_once)))]


async def test_what_the_target_cannot_show_is_in_one_line_that_follows_and_goes(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", adapter=OneReaction)
    async with bridge(tmp_path, [one, two], route()) as app:
        said = one.say("hello")
        one.react(said, "👍")
        await all_done(app)
        await eventually(lambda: [post.reactions for post in two.posted()] == [("👍",)])
        assert two.texts() == ["hello"]

        one.react(said, "🔥", author="Carla")
        await eventually(lambda: two.texts() == ["hello", "🔥 · 👍"])
        line = two.posted()[1]
        assert line.reply_to == two.posted()[0].message_id
        assert line.sender == ""

        one.react(said, "👍", author="Dora")
        await eventually(lambda: two.texts() == ["hello", "👍 2 · 🔥"])
        one.edit(said, "hello!")
        await eventually(lambda: two.texts() == ["hello!", "👍 2 · 🔥"])
        one.react(said, removed=("👍",))
        await eventually(lambda: two.texts() == ["hello!", "👍 · 🔥"])
        for who, emoji in (("Dora", "👍"), ("Carla", "🔥")):
            one.react(said, removed=(emoji,), author=who)
        await eventually(lambda: two.texts() == ["hello!"])
        await eventually(lambda: two.posted()[0].reactions == ())
        one.react(said, "🎉", "🧀")
        await eventually(lambda: len(two.texts()) == 2)
        one.delete(said)
        await eventually(lambda: two.texts() == [])
        await all_done(app)
        assert not await app._journal.dead_letters()


async def test_a_refused_reaction_is_in_the_line(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route()) as app:
        said = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        two.faults.append((Rejected("there is no emoji of that name"), False))
        one.react(said, ":party:")
        await eventually(lambda: two.texts() == ["hello", ":party:"])
        await all_done(app)
        assert not skipped_by(app)


async def test_a_message_that_is_gone_has_no_line(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route()):
        said = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        two.faults.append((MessageGone("deleted"), False))
        one.react(said, "👍")
        one.say("end")
        await eventually(lambda: two.texts() == ["hello", "end"])


async def test_all_reactions_are_in_the_line_if_the_route_says_so(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route(reactions=Reactions.TALLY)):
        said = one.say("hello")
        one.react(said, "👍")
        await eventually(lambda: two.texts() == ["hello", "👍"])
        assert two.posted()[0].reactions == ()


async def test_a_reaction_to_a_copy_is_in_a_line_below_the_original(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one", adapter=OneReaction), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route()):
        said = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        one.chats.setdefault("c", []).append(_original(said))
        copy = two.posted()[0].message_id
        two.react(copy, "👍", "🔥")
        await eventually(lambda: one.texts() == ["hello", "🔥 · 👍"])
        assert one.posted()[1].reply_to == said
        two.react(copy, "🔥", author="Carla")
        await eventually(lambda: one.texts() == ["hello", "🔥 2 · 👍"])
        one.react(one.posted()[1].message_id, "🎉")  # to the line: it is about the message
        await eventually(lambda: two.posted()[0].reactions == ("🎉",))


async def test_a_line_that_somebody_deleted_is_posted_again(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route(reactions=Reactions.TALLY)):
        said = one.say("hello")
        one.react(said, "👍")
        await eventually(lambda: two.texts() == ["hello", "👍"])
        two.posted()[1].deleted = True
        two.faults.append((MessageGone("deleted"), False))
        one.react(said, "🔥")
        await eventually(lambda: two.texts() == ["hello", "🔥 · 👍"])


async def test_a_line_whose_answer_never_came_is_not_posted_twice(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route(reactions=Reactions.TALLY)) as app:
        said = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        two.faults.append((OutcomeUnknown("cut"), True))
        one.react(said, "👍")
        await all_done(app)
        one.react(said, "🔥")
        await eventually(lambda: two.texts() == ["hello", "🔥 · 👍"])


async def test_a_line_whose_outcome_nobody_can_tell_is_held_if_the_route_says_so(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two", reconciles=False)
    async with bridge(tmp_path, [one, two], route(reactions=Reactions.TALLY, unknown=OnUnknown.HOLD)) as app:
        said = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        two.faults.append((OutcomeUnknown("cut"), True))
        one.react(said, "👍")
        one.say("end")
        await eventually(lambda: two.texts() == ["hello", "👍", "end"])
        assert len(await app._journal.dead_letters()) == 1


async def test_a_bridge_that_stopped_while_it_posted_the_line_posts_it_once(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    routes = route(reactions=Reactions.TALLY)
    async with bridge(tmp_path, [one, two], routes):
        said = one.say("hello")
        await eventually(lambda: two.texts() == ["hello"])
        two.hang = asyncio.Event()
        one.react(said, "👍")
        await eventually(lambda: two.sends == 2)
        two.hang.set()  # it arrives, and the answer is lost with the process
        two.faults.append((OutcomeUnknown("cut"), True))
    two.hang = None
    two.faults.clear()
    async with bridge(tmp_path, [one, two], routes) as app:
        await all_done(app)
        assert two.texts() == ["hello", "👍"]


async def test_a_burst_of_reactions_is_few_edits(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route(reactions=Reactions.TALLY)) as app:
        said = one.say("hello")
        one.react(said, "👍")
        await eventually(lambda: two.texts() == ["hello", "👍"])
        two.hang = asyncio.Event()
        for number in range(50):
            one.react(said, "👍", author=f"Fan {number}")
        await eventually(lambda: len(one.confirmed) == 52)
        two.hang.set()
        await eventually(lambda: two.texts() == ["hello", "👍 51"])
        await all_done(app)
        assert two.sends < 10


async def test_the_line_changes_once_in_a_while_and_the_newest_state_wins(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route(reactions=Reactions.TALLY, tally_every_s=1.5)) as app:
        said = one.say("hello")
        for number in range(40):
            one.react(said, "👍", author=f"Fan {number}")
        await eventually(lambda: two.texts() == ["hello", "👍 40"])
        await all_done(app)
        assert two.sends <= 4
        one.say("between")
        await eventually(lambda: "between" in two.texts(), "what waits holds nobody up")
        assert sum(count for rule, count in skipped_by(app).items() if "in its place" in rule) >= 35


async def test_names_are_in_the_line_where_the_end_wants_them(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    async with bridge(tmp_path, [one, two], route(reactions=Reactions.TALLY, reactions_names=True)) as app:
        said = one.say("hello")
        one.react(said, "👍", author="Boris")
        await eventually(lambda: two.texts() == ["hello", "👍 Boris"])
        one.react(said, "👍", author="Carla")
        await eventually(lambda: two.texts() == ["hello", "👍 Carla, Boris"])
        for number in range(6):
            one.react(said, "👍", author=f"Fan {number}")
        one.react(said, "🔥", author="*@everyone*\u202e")
        await eventually(lambda: two.texts() == ["hello", "👍 Fan 5, Fan 4, Fan 3, Fan 2, Fan 1 and 3 more · 🔥 everyone"])
        await all_done(app)
        one.react(said, author="Fan 5", removed=("👍",))
        await eventually(lambda: two.texts()[1].startswith("👍 Fan 4, Fan 3, Fan 2, Fan 1, Fan 0 and 2 more"))


async def test_who_opted_out_is_counted_and_not_named(tmp_path: Path) -> None:
    one, two = ScriptedPlatform("one"), ScriptedPlatform("two")
    hidden = Person(name="Carla", ids={AccountName("one"): "carla"}, relay=False)
    routes = route(reactions=Reactions.TALLY, reactions_names=True)
    async with bridge(tmp_path, [one, two], routes, change=lambda config: replace(config, people=(hidden,))):
        said = one.say("hello")
        one.react(said, "👍", author="Carla")
        one.react(said, "👍", author="Boris")
        await eventually(lambda: len(two.texts()) == 2 and "Boris" in two.texts()[1])
        assert "Carla" not in two.texts()[1]


def _original(message_id: str) -> Posted:
    return Posted(message_id=message_id, text="hello", sender="Anna", token="")
