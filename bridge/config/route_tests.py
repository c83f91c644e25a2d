"""A route's `tests`: the expected results of filters and rewrites for example events. They run whenever the file is checked. A
different result is a fault that names the deciding rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from yaml.nodes import MappingNode, Node

from bridge.config import nodes
from bridge.config.faults import did_you_mean, shorten
from bridge.config.nodes import Entries, join
from bridge.config.sections import TestSection
from bridge.config.values import Values
from bridge.identity.people import People
from bridge.model.events import (
    Attachment,
    Author,
    ChatEvent,
    ChatRenamed,
    Content,
    EventMeta,
    MembershipChanged,
    MembershipKind,
    MessageCreated,
    MessageDeleted,
    MessageEdited,
    PinsChanged,
    PollVotesChanged,
    ReactionsChanged,
    ReplyTo,
    Status,
    StatusChanged,
    ThreadChange,
    ThreadChanged,
    ThreadDeleted,
    TypingStarted,
)
from bridge.model.outcomes import SkipRule
from bridge.model.refs import ChatRef
from bridge.model.rich_text import plain, text_of
from bridge.policy.filters import EVENT_KINDS
from bridge.policy.rewrites import rewritten
from bridge.policy.routing import Route, RouteEnd, RoutingTable

_MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def run_tests(values: Values, route: Route, section: Node, key: str, people: People) -> None:
    """Add a fault for each test whose result differs from the expected one."""
    table = RoutingTable([route])
    for end in route.ends:
        table.set_native_id(end.chat, end.chat.address)
    for index, node in enumerate(values.sequence(section, key)):
        found = values.mapping(node, f"{key}[{index}]")
        if found is not None:
            _Test(values, route, found, node, f"{key}[{index}]").run(table, people)


class _Test:
    def __init__(self, values: Values, route: Route, found: Entries, at: Node, key: str) -> None:
        self._values = values
        self._faults = values.faults
        self._route = route
        self._found = found
        self._at = at
        self._key = key
        self._receivers = {str(end): end for end in route.ends if end.receives}

    def run(self, table: RoutingTable, people: People) -> None:
        given = {name: entry for name, entry in self._found.items() if name != "gives"}
        section = self._values.model(TestSection, given, self._at, self._key, also=("gives",))
        expected = self._expected()
        origin = None if section is None else self._origin(section)
        if section is None or expected is None or origin is None:
            return
        event = _event(section, origin, people)
        got: dict[str, str] = {}
        skipped: dict[str, SkipRule] = {}
        for plan in table.plan(event, people):
            if plan.skip_rule is None:
                got[str(plan.end)] = _words(event, plan.end)
            else:
                skipped[str(plan.end)] = plan.skip_rule
        self._compare(expected, got, skipped)

    def _compare(self, expected: Mapping[str, str | None], got: Mapping[str, str], skipped: Mapping[str, SkipRule]) -> None:
        diff = []
        for end, words in expected.items():
            if end not in got:
                diff.append(f"- {end} does not get it: {skipped.get(end, 'the route does not lead there')}")
            elif words is not None and words != got[end]:
                diff.append(f"- {end} gets {shorten(got[end])!r}, not {shorten(words)!r}")
        diff += [f"+ {end} gets it" for end in got if end not in expected]
        if diff:
            self._faults.add(self._at, self._key, "result differs: " + "; ".join(diff))

    def _expected(self) -> dict[str, str | None] | None:
        """The ends that should receive the event, each with the expected text, or None for any."""
        if "gives" not in self._found:
            self._faults.add(self._at, self._key, "gives is missing", hint="the list of the ends that get it: [] for none")
            return None
        node, key = self._found["gives"].value, join(self._key, "gives")
        expected: dict[str, str | None] = {}
        if isinstance(node, MappingNode):
            for name, entry in nodes.entries(node, key, self._faults).items():
                words = None if nodes.is_null(entry.value) else self._values.text(entry.value, join(key, name))
                expected[name] = words
        else:
            texts = [self._values.text(item, f"{key}[{n}]") for n, item in enumerate(self._values.sequence(node, key))]
            expected = {text: None for text in texts if text is not None}
        for end in expected:
            if end not in self._receivers:
                hint = did_you_mean(end, self._receivers)
                self._faults.add(node, key, f"{end!r} is not an end of this route that receives", value=end, hint=hint)
                return None
        return expected

    def _origin(self, section: TestSection) -> RouteEnd | None:
        senders = {str(end): end for end in self._route.ends if end.sends}
        if section.from_ is None and len(senders) == 1:
            return next(iter(senders.values()))
        if section.from_ in senders:
            return senders[section.from_]
        why = (
            "from is missing: which end does it come from?"
            if section.from_ is None
            else f"{section.from_!r} is not an end of this route that sends"
        )
        at = self._found["from"].value if "from" in self._found else self._at
        self._faults.add(at, self._key, why, value=section.from_ or "", hint=did_you_mean(section.from_ or "", senders))
        return None


def _words(event: ChatEvent, end: RouteEnd) -> str:
    if not isinstance(event, MessageCreated | MessageEdited):
        return ""
    return text_of(rewritten(event.content.text, end.rewrites)[0])


def _event(section: TestSection, origin: RouteEnd, people: People) -> ChatEvent:
    author = _author(section, origin, people)
    meta = EventMeta(
        event_key="test",
        origin=ChatRef(origin.chat.account, origin.chat.address),
        occurred_at=_MOMENT,
        received_at=_MOMENT,
        thread_id=section.thread_id if section.thread_id is not None else origin.thread_id,
        author=author,
    )
    files = tuple(Attachment(kind=kind, file_id=str(number)) for number, kind in enumerate(section.files))
    reply = ReplyTo(message_id="0") if section.reply else None
    content = Content(text=plain(section.text), attachments=files, reply_to=reply)
    made: Mapping[str, ChatEvent] = {
        "message": MessageCreated(meta=meta, message_id="1", content=content),
        "edit": MessageEdited(meta=meta, message_id="1", content=content),
        "delete": MessageDeleted(meta=meta, message_id="1"),
        "reaction": ReactionsChanged(meta=meta, message_id="1", added=("👍",)),
        "vote": PollVotesChanged(meta=meta, message_id="1", votes=(1,)),
        "membership": MembershipChanged(meta=meta, change=MembershipKind.JOINED, member=author),
        "rename": ChatRenamed(meta=meta, name=section.text),
        "thread": ThreadChanged(meta=meta, change=ThreadChange.RENAMED, name=section.text),
        "thread_delete": ThreadDeleted(meta=meta),
        "pin": PinsChanged(meta=meta, message_id="1", pinned=True),
        "typing": TypingStarted(meta=meta),
        "status": StatusChanged(meta=meta, status=Status.AWAY),
    }
    assert set(made) == set(EVENT_KINDS)
    return made[section.kind]


def _author(section: TestSection, origin: RouteEnd, people: People) -> Author:
    """A person of the configuration by name, or anybody."""
    person = next((one for one in people.persons if one.name == section.author), None)
    known = person.ids.get(origin.chat.account, "") if person else ""
    roles: Sequence[str] = section.role
    return Author(
        user_id=known or "nobody", name=section.author, username=section.username or known, is_bot=section.bot, roles=tuple(roles)
    )
