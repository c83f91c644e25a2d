"""What must hold at the end of every simulated history, whatever happened in it."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Sequence

from bridge.journal.contract import DeadLetter
from bridge.journal.sqlite.codec import DEAD, DELIVERED, HELD, SKIPPED, hash_key
from bridge.model.capabilities import UNLIMITED
from bridge.model.events import MessageChange, MessageCreated, MessageDeleted, MessageEdited
from bridge.model.outcomes import Skip
from tests.faults.platform import WORD, Said, SimulatedPlatform
from tests.faults.settings import INFINITY_S
from tests.faults.simulation import Simulation
from tests.support.scripted import Posted

MOST_QUEUED = 64
"""Deliveries that a lane keeps in memory at most."""


UNDER_WAY_S = 10.0
"""So long, on the clock of the loop, an attempt may be under way: recorded, held by the journal or a limit, and made."""


class Broken(AssertionError):
    """A promise was not kept."""


def check(simulation: Simulation) -> None:
    """Every message is in every other chat of its route, or a dead letter with a reason; never twice where the platform can be
    asked; in order; edits, deletions, answers, reactions, pins and files in place; nothing is left in memory. Raises Broken."""
    seed = simulation.plan.seed
    _require(simulation.lanes_left == 0, f"seed {seed}: {simulation.lanes_left} lanes never ended")
    _require(simulation.most_queued <= MOST_QUEUED, f"seed {seed}: {simulation.most_queued} deliveries of a lane in memory")
    _check_ends(simulation)
    _check_taken_back(simulation)
    dead = _dead(simulation.letters) | _without_route(simulation)
    if simulation.plan.retries:
        _require(not simulation.letters, f"seed {seed}: still dead when all is well: {simulation.letters[:3]}")
    for target in simulation.platforms:
        for chat, said in _by_chat(simulation.platforms, target).items():
            _Chat(f"seed {seed}: {target.name}/{chat}", target, chat, said, dead, simulation.retried).check()


def _require(kept: object, broken: str) -> None:
    if not kept:
        raise Broken(broken)


def _check_ends(simulation: Simulation) -> None:
    """Every delivery in the journal ended as delivered, skipped by a named rule, or dead with a reason."""
    connection = sqlite3.connect(simulation.journal_path)
    ends = Counter(connection.execute("SELECT state FROM delivery"))
    nameless = connection.execute(
        "SELECT id FROM delivery WHERE state IN (?, ?, ?) AND coalesce(note, '') = ''", (SKIPPED, DEAD, HELD)
    ).fetchall()
    connection.close()
    _require({state for (state,) in ends} <= {SKIPPED, DEAD, HELD, DELIVERED}, f"deliveries without an end: {ends}")
    _require(not nameless, f"deliveries that ended without a rule or reason: {nameless}")


def _check_taken_back(simulation: Simulation) -> None:
    """Nothing is posted once the bridge knows that it was deleted, nor in old words once it knows that it was edited, however long
    it waited."""
    for platform in simulation.platforms:
        said = {(one.chat, one.message_id): one for one in platform.said}
        for event in platform.told:
            if not isinstance(event, MessageDeleted | MessageEdited):
                continue
            chat = event.meta.origin.chat_id
            _, known_s = platform.handed.get(event.meta.event_key, (0.0, INFINITY_S))
            word, what = said[chat, event.message_id].words[0], "edit" if isinstance(event, MessageEdited) else "deletion"
            old = (f"{word};",) if isinstance(event, MessageEdited) else (f"{word};", f"{word}~")
            for target in simulation.platforms:
                for post in target.chats.get(chat, []) if target is not platform else ():
                    is_late = post.at_s > known_s + UNDER_WAY_S and any(one in WORD.findall(post.first_text) for one in old)
                    _require(not is_late, f"{target.name}/{chat}: {word} posted {post.at_s - known_s:.1f} s after its {what}")


def _dead(letters: Sequence[DeadLetter]) -> set[tuple[str, str, str]]:
    """(target, message, kind of event) of each dead letter."""
    found: set[tuple[str, str, str]] = set()
    for letter in letters:
        _require(letter.reason, f"a dead letter without a reason: {letter}")
        assert isinstance(letter.event, MessageCreated | MessageChange)
        found.add((str(letter.target), letter.event.message_id, type(letter.event).__name__))
    return found


def _without_route(simulation: Simulation) -> set[tuple[str, str, str]]:
    """The same for what the bridge was given while an end may have been out of the configuration, and for what waited when it was
    taken out: such a delivery ends by that rule."""
    connection = sqlite3.connect(simulation.journal_path)
    skipped: dict[bytes, set[str]] = defaultdict(set)
    for key, account, address in connection.execute(
        "SELECT event.key, account, address FROM delivery"
        " JOIN event ON event.seq = delivery.event JOIN lane ON lane.id = delivery.lane"
        " WHERE state = ? AND note = ?",
        (SKIPPED, str(Skip.ROUTE_REMOVED)),
    ):
        skipped[key].add(f"{account}/{address}")
    connection.close()
    found: set[tuple[str, str, str]] = set()
    for platform in simulation.platforms:
        for event in platform.told:
            chat = event.meta.origin.chat_id
            since_s, until_s = platform.handed.get(event.meta.event_key, (0.0, -1.0))
            for target in simulation.platforms:
                names = (target.name, chat.replace("c", "route"))
                excused = until_s >= since_s and simulation.settings.may_be_absent(names, since_s, until_s)
                if excused or f"{target.name}/{chat}" in skipped[hash_key(event.meta.event_key)]:
                    assert isinstance(event, MessageCreated | MessageChange)
                    found.add((f"{target.name}/{chat}", event.message_id, type(event).__name__))
    return found


def _by_chat(platforms: Sequence[SimulatedPlatform], target: SimulatedPlatform) -> dict[str, list[Said]]:
    chats: dict[str, list[Said]] = defaultdict(list)
    for platform in platforms:
        if platform is not target:
            for said in platform.said:
                chats[said.chat].append(said)
    return chats


class _Chat:
    """One target chat: what was said for it, and what is there."""

    def __init__(
        self,
        where: str,
        target: SimulatedPlatform,
        chat: str,
        said: Sequence[Said],
        dead: set[tuple[str, str, str]],
        retried: set[tuple[str, str, str]],
    ) -> None:
        self.where = where
        self.target = target
        self.address = f"{target.name}/{chat}"
        self.said = said
        self.dead = dead
        self.retried = retried
        self.posted = target.posted(chat)
        self.first_post: dict[str, Posted] = {}
        """Per message, the post that its first word is in."""
        self.shown: list[str] = []
        for post in self.posted:
            for word in WORD.findall(post.text):
                self.shown.append(word)
                if word[:-1].endswith(".0"):
                    self.first_post.setdefault(word[:-1], post)

    def check(self) -> None:
        bare = [word[:-1] for word in self.shown]
        expected = [word for said in self.said if self.is_complete(said) for word in said.words]
        there = set(bare)
        missing = [word for word in expected if word not in there]
        _require(not missing, f"{self.where}: lost {missing[:20]}")
        if self.target.reconciles:
            doubled = [word for word, count in Counter(bare).items() if count > 1]
            _require(not doubled, f"{self.where}: doubled {doubled[:20]}")
        self._check_order(list(dict.fromkeys(bare)))
        edited = set(self.shown)
        for said in self.said:
            if self.is_complete(said):
                self._check_message(said, edited)
            elif said.deleted and not self._is_dead(said, "MessageDeleted") and not self._is_dead(said, "MessageCreated"):
                left = there.intersection(said.words)
                _require(not left or not self.target.reconciles, f"{self.where}: withdrawn, but there: {left}")
                shown = any(said.more in post.files for post in self.posted if said.more is not None)
                _require(not shown or not self.target.reconciles, f"{self.where}: withdrawn, but its later file is there")

    def _is_dead(self, said: Said, kind: str) -> bool:
        return (self.address, said.message_id, kind) in self.dead

    def is_beside(self, said: Said) -> bool:
        """Whether it came beside the line, or late: it has no place in the order, and answers may have missed it."""
        return said.late or (self.address, said.message_id, "MessageCreated") in self.retried

    def is_complete(self, said: Said) -> bool:
        return not said.deleted and not self._is_dead(said, "MessageCreated")

    def _check_order(self, shown: list[str]) -> None:
        """What one origin said in this chat stands in the order in which it was said. (Where a part may be there twice, an edit
        reaches only one of the two and may move words between parts: there, whole messages are compared. What was refused in the
        middle may be completed by a later edit.)"""
        for origin in {said.origin for said in self.said}:
            place: dict[str, int] = {}
            for said in self.said:
                if said.origin == origin and not self._is_dead(said, "MessageCreated") and not self.is_beside(said):
                    for word in said.words:
                        place[word] = (
                            len(place) if self.target.reconciles or not said.edited else place.get(said.words[0], len(place))
                        )
            places = [place[word] for word in shown if word in place]
            _require(places == sorted(places), f"{self.where}: what {origin} said is out of order")

    def _check_message(self, said: Said, shown: set[str]) -> None:
        if said.edited and not self._is_dead(said, "MessageEdited"):
            old = [word for word in said.words if f"{word}~" not in shown]
            _require(not old, f"{self.where}: not corrected: {old[:5]}")
        post = self.first_post[said.words[0]]
        if said.file is not None:
            whole = any(said.file in other.files for other in self.posted)
            named = any(said.file_name in other.text for other in self.posted)
            _require(whole or named, f"{self.where}: the file of {said.words[0]} is neither there nor named")
            _require(
                all(file in (said.file, said.more) for file in post.files),
                f"{self.where}: {said.words[0]} has a file that is not whole",
            )
        if said.more is not None and not self._is_dead(said, "MessageEdited"):
            times = sum(said.more in other.files for other in self.posted)
            named = any(said.more_name in other.text for other in self.posted)
            _require(times or named, f"{self.where}: the file that an edit of {said.words[0]} brought is neither there nor named")
            _require(times < 2 or not self.target.reconciles, f"{self.where}: the file of an edit is there {times} times")
        if (
            said.answers is not None
            and self.is_complete(said.answers)
            and not self.is_beside(said.answers)
            and self.target.reconciles
        ):
            answered = self.first_post[said.answers.words[0]].message_id
            _require(post.reply_to in (answered, ""), f"{self.where}: {said.words[0]} answers the wrong message")
            _require(post.reply_to, f"{self.where}: {said.words[0]} lost what it answers")
        if self.target.reconciles:
            self._check_marks(said, post)

    def _check_marks(self, said: Said, post: Posted) -> None:
        """Reactions and the pin, whenever they came: what is merged shows those of all."""
        alone = len({word.rpartition(".")[0] for word in WORD.findall(post.text)}) == 1
        held, shown = {emoji for emoji in said.reactions.values() if emoji}, set(post.reactions)
        if not self._is_dead(said, "ReactionsChanged"):
            _require(shown == held if alone else held <= shown, f"{self.where}: {said.words[0]} shows {shown}, not {held}")
        # else the pin may be that of another in the post (a platform that said to wait gets merged texts too), or of one gone since
        is_its_own = alone and self.target.rates is UNLIMITED
        if is_its_own and not self._is_dead(said, "PinsChanged"):
            _require(post.pinned == said.pinned, f"{self.where}: {said.words[0]} is pinned: {post.pinned}, not {said.pinned}")
