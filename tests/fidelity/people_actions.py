"""What becomes of people: their pictures, names, wishes and reactions; and what moderators do."""

from __future__ import annotations

from datetime import UTC, datetime

from bridge.journal.contract import Decision, DecisionKind, UserKey
from bridge.model.abilities import LinksToMessages
from bridge.model.adapter import Copy
from bridge.model.refs import AccountName
from tests.fidelity.actions import Action, Found, copies, now
from tests.flows.world import World
from tests.support.patience import eventually


async def pictures(world: World, origin: str, targets: list[str]) -> Found:
    await world.say(origin, "with my picture", person="Olga Orlova")
    found: Found = {}
    for target, copy in (await copies(world, targets, "with my picture")).items():
        if "/faces/" in copy.author_avatar_url:
            found[target] = "native: by an address of the bridge; initials where there is none; needs `web.public.url`"
        elif copy.author_avatar_url:
            found[target] = "native"
        else:
            found[target] = "not possible: a bot's messages have the bot's own picture"
    return found


async def namesakes(world: World, origin: str, targets: list[str]) -> Found:
    await world.say(origin, "of the first", person="Olga Ivanova")
    await copies(world, targets, "of the first")
    await world.say(origin, "of the second", person="OLGA IVANOVA")
    shown = await copies(world, targets, "of the second")
    for copy in shown.values():
        assert "OLGA IVANOVA (2)" in f"{copy.author_name}\n{copy.text}", copy
    return dict.fromkeys(targets, "converted: the second in a chat gets a mark (`OLGA IVANOVA (2)`)")


async def links_to_messages(world: World, origin: str, targets: list[str]) -> Found:
    said = await world.say(origin, "to be linked to")
    shown = await copies(world, targets, "to be linked to")
    await world.say(origin, f"linked: {_link(world, origin, said)}")
    for target, copy in (await copies(world, targets, "linked: ")).items():
        assert _link(world, target, shown[target].message_id) in f"{copy.text} {copy.html}", copy
    return dict.fromkeys(targets, "native: the link leads to the copy")


def _link(world: World, platform: str, message_id: str) -> str:
    assert world.app is not None
    adapter = world.app._supervisors[AccountName(platform)].adapter
    assert isinstance(adapter, LinksToMessages)
    return adapter.message_link(Copy(chat_id=world.chats[platform].chat_id, message_ids=(message_id,)))


async def odd_reactions(world: World, origin: str, targets: list[str]) -> Found:
    return await _reacted(world, origin, targets, "🥦")


async def alike_reactions(world: World, origin: str, targets: list[str]) -> Found:
    return await _reacted(world, origin, targets, "💚")


async def _reacted(world: World, origin: str, targets: list[str], sign: str) -> Found:
    if origin == "telegram":
        return dict.fromkeys(targets, "not possible: people react with a fixed set, and every target has all of it")
    words = f"to be reacted to: {ord(sign)}"
    said = await world.say(origin, words)
    shown = await copies(world, targets, words)
    await world.emulators[origin].react(world.chats[origin].chat_id, said, "Boris", sign)
    found: Found = {}
    for target, copy in shown.items():

        def seen(target: str = target, message_id: str = copy.message_id) -> str:
            if reactions := now(world, target, message_id).reactions:
                return "native" if reactions[0].emoji == sign else f"converted: the reaction most like it (`{reactions[0].emoji}`)"
            return "converted: one line below, which is kept up to date" if world.copies(target, sign) else ""

        found[target] = await eventually(seen, what=f"{sign} on {target}: {world.texts(target)}")
    return found


async def muted(world: World, origin: str, targets: list[str]) -> Found:
    return await _unheard(world, origin, targets, DecisionKind.MUTED, "Mallory")


async def opted_out(world: World, origin: str, targets: list[str]) -> Found:
    return await _unheard(world, origin, targets, DecisionKind.OPTED_OUT, "Clara")


async def _unheard(world: World, origin: str, targets: list[str], kind: DecisionKind, name: str) -> Found:
    assert world.app is not None
    user = UserKey(account=AccountName(origin), user_id=world.emulators[origin].add_person(name))
    decision = Decision(user=user, kind=kind, name=name, at=datetime.now(UTC), by="command line")
    await world.app.journal.persons.decide(decision)
    await world.app._community.load()
    await world.say(origin, f"unheard words of {name}", person=name)
    await world.say(origin, f"behind the words of {name}")
    await copies(world, targets, f"behind the words of {name}")
    for target in targets:
        assert not world.copies(target, "unheard words"), target
    return dict.fromkeys(targets, "native: nothing of the person arrives")


async def moderated(world: World, origin: str, targets: list[str]) -> Found:
    """By a command in the origin's chat."""
    assert world.app is not None
    moderator = world.emulators[origin].add_person("Moderator")
    world.settings["people"] = [{"name": "Moderator", origin: moderator, "roles": ["moderator"]}]
    world.settings["commands"] = {"listen": [origin]}
    await world.app.reload(world.config())
    spam = await world.say(origin, "buy now", person="Mallory the second")
    shown = await copies(world, targets, "buy now")
    await world.say(origin, "!bridge delete", person="Moderator", reply_to=spam)
    for target, copy in shown.items():
        await eventually(
            lambda target=target, copy=copy: now(world, target, copy.message_id).deleted, what=f"the deletion on {target}"
        )
        assert not world.copies(target, "!bridge")
    return dict.fromkeys(targets, "native: by `!bridge delete`, with `commands:`")


PEOPLE: dict[str, Action] = {
    "picture of the sender": pictures,
    "names that look alike": namesakes,
    "link to a message": links_to_messages,
    "reaction that is like one of the target's": alike_reactions,
    "reaction that has no likeness": odd_reactions,
    "author who is muted": muted,
    "author who opted out": opted_out,
    "deletion by a moderator": moderated,
}
