"""Which chats an event goes to: (event, routes) -> planned deliveries, each planned or skipped by a named rule. Pure.

The configuration builds the `Route`s; intake asks `RoutingTable.plan` for every event.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from bridge.identity.people import People
from bridge.model.events import ChatEvent, MessageChange, MessageCreated, ThreadDeleted, ThreadEvent
from bridge.model.outcomes import Skip, SkipRule
from bridge.model.refs import AccountName, ChatAddress, ChatRef
from bridge.policy.filters import Filter, Look
from bridge.policy.patterns import Searches
from bridge.policy.rewrites import Rewrite


class _Value(msgspec.Struct, frozen=True, kw_only=True):
    pass


class OnUnknown(StrEnum):
    """What to do if it cannot be found out whether a message arrived: send it again (maybe twice), or leave it to a human."""

    RESEND = "resend"
    HOLD = "hold"


class Pace(StrEnum):
    """How fast messages are sent into a chat."""

    CAREFUL = "careful"
    """Within the rates that the platform documents, so that it does not have to refuse."""
    FAST = "fast"
    """As fast as the platform accepts; a refusal (429) is waited out."""


class Deletes(StrEnum):
    """What becomes of copies when somebody deletes the original."""

    MIRROR = "mirror"
    """They are deleted too; as `true`."""
    MARK = "mark"
    """They stay, and a line says that the original is gone."""
    IGNORE = "ignore"
    """As `false`."""


class Distinct(StrEnum):
    """Between whom a name that clashes with another one in the same chat is told apart."""

    OFF = "off"
    ACCOUNT = "account"
    """Users of one account: the same name on two platforms is mostly one person's."""
    ALL = "all"


class OnLate(StrEnum):
    """What to do with a message that is older than `max_age_min` when it could be sent."""

    SAY = "say"
    """It says when it was written."""
    DROP = "drop"
    """It becomes a dead letter."""


class DeadMark(StrEnum):
    """How a message shows that a copy of it could not be delivered."""

    NONE = "none"
    REACTION = "reaction"
    """By a reaction of the bot, or where it cannot react by a reply."""
    REPLY = "reply"


class OnDead(_Value, frozen=True):
    """What a route does when a copy failed for good. `notify`: a chat that is told of it, and its thread."""

    mark: DeadMark = DeadMark.NONE
    notify: ChatAddress | None = None
    notify_thread: str | None = None


class Reactions(StrEnum):
    """How reactions are shown. False where they are not, like every switch that is off."""

    NATIVE = "native"
    """As reactions of the bot, and what it cannot show so in a line below the message."""
    TALLY = "tally"
    """All in a line below the message."""
    OFF = "off"

    def __bool__(self) -> bool:
        return self is not Reactions.OFF


class CustomEmoji(StrEnum):
    """How a message looks that is nothing but one to three custom emoji which the target does not have."""

    NAME = "name"
    """Their names, or the ordinary emoji that they stand for."""
    PICTURE = "picture"
    """Their pictures, like stickers."""


class Renames(StrEnum):
    """What becomes of the new name of a chat. False where nothing is, like every switch that is off."""

    LINE = "line"
    """A line tells it."""
    CHAT = "chat"
    """The target's chat gets it too, where the bot may rename it; else a line tells it."""
    OFF = "off"

    def __bool__(self) -> bool:
        return self is not Renames.OFF


class Threads(StrEnum):
    """Where a message goes that was written in a thread of the origin, if no end of the route names that thread."""

    NATIVE = "native"
    """Into the target's thread of the same conversation, which is begun where there is none."""
    REPLY = "reply"
    """Into the chat, as an answer to the message that the thread began with."""
    QUOTE = "quote"
    """Into the chat, below a quoted line of that message."""
    DROP = "drop"
    """Nowhere."""


OPENSTREETMAP = "https://www.openstreetmap.org/?mlat={lat}&mlon={lon}#map=16/{lat}/{lon}"


class RelayOptions(_Value, frozen=True):
    """How messages are relayed to one end. Cascade: end > route > account > defaults."""

    sender: str = "{name}"
    """Template of the shown name: {name} {username} {platform} {account} {chat}."""
    distinct_names: Distinct = Distinct.ACCOUNT
    edits: bool = True
    deletes: bool | Deletes = True
    reactions: Reactions = Reactions.NATIVE
    custom_emoji: CustomEmoji = CustomEmoji.NAME
    reactions_names: bool = False
    """Whether the line below a message names those who reacted."""
    threads: Threads = Threads.NATIVE
    poll_votes: bool = True
    """Whether votes cast elsewhere are shown with a poll."""
    tally_every_s: float = 10.0
    """How often, at most, the shown votes of one poll, the line about one message's reactions, or a place that moves change."""
    files: bool = True
    membership: bool = False
    renames: Renames = Renames.OFF
    pins: bool = False
    typing: bool = False
    statuses: bool = False
    bots: bool = True
    """Whether messages of other bots are relayed."""
    previews: bool = True
    mass_mentions: tuple[str, ...] = ()
    """People (names from `people`, or native user ids) whose @everyone, @here and the like may ping this end."""
    max_file_mb: float | None = None
    pace: Pace = Pace.CAREFUL
    merge: bool = True
    """Whether short texts of one author are sent as one message while the platform's rates hold them back."""
    map_url: str = OPENSTREETMAP
    """Where a place that is a line leads: {lat} and {lon} in degrees."""
    long_text_parts: int = 10
    """How many messages one message may become, with its files as far as possible: a longer text is a file beside its beginning."""
    unknown: OnUnknown = OnUnknown.RESEND
    hold_s: float | None = None
    """Seconds that a new message waits before it is sent, so that a deletion at its origin comes before."""
    max_age_min: float | None = None
    """Minutes after which a message that was not sent counts as late. None: never."""
    on_late: OnLate = OnLate.SAY
    give_up_after_h: float | None = None
    """Hours after which an undelivered message becomes a dead letter. None: as the target's schedule says, else a week."""


EVERY_THREAD = "*"
"""In the place of a thread in bridge.yaml: all of them, as they appear."""


class RouteEnd(_Value, frozen=True):
    chat: ChatAddress
    thread_id: str | None = None
    receives: bool = True
    """Whether messages are sent into this end."""
    sends: bool = True
    """Whether messages of this end are relayed."""
    every_thread: bool = False
    """`chat/*`: threads of the origin that began with no message have partners of their own here, by their names."""
    options: RelayOptions = RelayOptions()
    filters: tuple[Filter, ...] = ()
    """For what is sent into this end, after the route's own."""
    rewrites: tuple[Rewrite, ...] = ()
    """For what is sent into this end: the route's, then the end's own."""

    def __str__(self) -> str:
        thread_id = EVERY_THREAD if self.every_thread else self.thread_id
        return str(self.chat) if thread_id is None else f"{self.chat}/{thread_id}"


class Route(_Value, frozen=True):
    name: str
    ends: tuple[RouteEnd, ...]
    filters: tuple[Filter, ...] = ()
    on_dead: OnDead = OnDead()


class Planned(_Value, frozen=True):
    """One target of an event, or why it is not one (`skip_rule`)."""

    route: str
    end: RouteEnd
    skip_rule: SkipRule | None = None


OWN_ROUTE = "(bridge)"
"""What the bridge itself says and does in a chat is on this route, which leads into every chat and which no file can name."""

_Place = tuple[AccountName, str | None, str, str | None]


class RoutingTable:
    """All routes, indexed by the native id of their ends' chats. Immutable but for the native ids, which become known and may
    change while accounts connect."""

    def __init__(self, routes: Sequence[Route], *, also: Sequence[ChatAddress] = ()) -> None:
        """`also`: chats in which the bridge itself speaks; they are looked up and looked at like the others."""
        self.routes = tuple(routes)
        self._ends: dict[tuple[str, str], RouteEnd] = {}
        self._by_address: dict[ChatAddress, list[tuple[Route, RouteEnd]]] = {}
        for route in self.routes:
            for end in route.ends:
                self._ends.setdefault((route.name, _name(end.chat, end.thread_id)), end)
                self._by_address.setdefault(end.chat, []).append((route, end))
        for address in also:
            self._by_address.setdefault(address, [])
        self._addresses: dict[ChatRef, list[ChatAddress]] = {}
        self._native: dict[ChatAddress, str] = {}
        self._origins: dict[AccountName, frozenset[str]] = {}
        self._searches = Searches()
        self._slow: dict[tuple[str, str], None] = {}

    def addresses(self, account: AccountName) -> list[ChatAddress]:
        """All addresses of one account, in the order of the configuration."""
        return [address for address in self._by_address if address.account == account]

    def set_native_id(self, address: ChatAddress, chat_id: str) -> None:
        """Learn, or correct, where an address leads."""
        known = self._native.get(address)
        if known == chat_id:
            return
        if known is not None:
            self._addresses[ChatRef(address.account, known)].remove(address)
        self._native[address] = chat_id
        self._addresses.setdefault(ChatRef(address.account, chat_id), []).append(address)
        self._origins.pop(address.account, None)

    def native_id(self, address: ChatAddress) -> str | None:
        return self._native.get(address)

    def addresses_of(self, chat: ChatRef) -> Sequence[ChatAddress]:
        return self._addresses.get(chat, ())

    def origin_chats(self, account: AccountName) -> frozenset[str]:
        """Native ids of the account's chats from which something is relayed."""
        if account not in self._origins:
            self._origins[account] = frozenset(
                chat.chat_id
                for chat, addresses in self._addresses.items()
                if chat.account == account
                and any(end.sends for address in addresses for _, end in self._by_address.get(address, ()))
            )
        return self._origins[account]

    def end(self, route: str, target: ChatAddress, thread_id: str | None) -> RouteEnd | None:
        """The end a stored delivery was planned for, if the configuration still has it."""
        if route == OWN_ROUTE:
            return self._own_end(target, thread_id)
        return self._ends.get((route, _name(target, thread_id)))

    def route(self, name: str) -> Route | None:
        return next((route for route in self.routes if route.name == name), None)

    def _own_end(self, target: ChatAddress, thread_id: str | None) -> RouteEnd:
        """As the chat's first end is set, but that the bridge speaks for itself."""
        key = (OWN_ROUTE, _name(target, thread_id))
        if key not in self._ends:
            options = next((end.options for _, end in self._by_address.get(target, ())), RelayOptions())
            self._ends[key] = RouteEnd(chat=target, thread_id=thread_id, options=options)
        return self._ends[key]

    def has_end(self, target: ChatAddress, thread_id: str | None) -> bool:
        """Whether some route has this end."""
        return any(end.thread_id == thread_id for _, end in self._by_address.get(target, ()))

    def names_thread(self, route: str, chat: ChatRef, thread_id: str) -> bool:
        """Whether that thread of an origin is an end of the route by itself."""
        return any(
            (found := self._ends.get((route, _name(address, thread_id)))) is not None and found.sends
            for address in self.addresses_of(chat)
        )

    def sends_into(self, address: ChatAddress) -> bool:
        """Whether some route sends messages into the chat itself, not only into threads of it."""
        return any(end.thread_id is None and not end.every_thread and end.receives for _, end in self._by_address.get(address, ()))

    def mirrors_threads(self, address: ChatAddress) -> bool:
        """Whether some route has all threads of the chat."""
        return any(end.every_thread for _, end in self._by_address.get(address, ()))

    def hears(self, address: ChatAddress) -> bool:
        """Whether some route relays what is said in the chat, or in a thread of it."""
        return any(end.sends for _, end in self._by_address.get(address, ()))

    def plan(self, event: ChatEvent, people: People | None = None) -> list[Planned]:
        """Targets of an event, each target once, in the order of the routes. If several routes lead to one target, a route that
        relays the event wins over one whose rules skip it. `people` lets author filters name the people of the configuration."""
        planned: dict[_Place, Planned] = {}
        look = Look(event, people, self._searches)
        for address in self.addresses_of(event.meta.origin):
            for route, end in self._origin_ends(address, event):
                here = self._place(end)
                for target in route.ends:
                    place = self._place(target)
                    if not target.receives or place == here:
                        continue
                    skip = self._filtered(route, end, target, look) or _not_wanted(event, end, target.options)
                    known = planned.get(place)
                    if known is None or (known.skip_rule and not skip):
                        planned[place] = Planned(route=route.name, end=target, skip_rule=skip)
        return list(planned.values())

    def take_slow(self) -> list[tuple[str, str]]:
        """Filter lines whose pattern took too long since this was asked last: (route, how the line is called)."""
        taken, self._slow = list(self._slow), {}
        return taken

    def _filtered(self, route: Route, origin: RouteEnd, target: RouteEnd, look: Look) -> SkipRule | None:
        """By the route's lines, then by the target's own."""

        def tell_slow(line: str) -> None:
            self._slow[route.name, line] = None

        for filters in (route.filters, target.filters):
            if filters and (rule := look.skip(filters, origin, target, tell_slow)):
                return rule
        return None

    def _origin_ends(self, address: ChatAddress, event: ChatEvent) -> list[tuple[Route, RouteEnd]]:
        """Ends that an event of this thread belongs to: those of the thread itself, else those of the whole chat.

        What happens to a message is often told without its thread (deletes, reactions): then all ends of the chat are meant, and
        the journal knows which of them have a copy."""
        ends = [(route, end) for route, end in self._by_address.get(address, ()) if end.sends]
        thread_id = event.meta.thread_id
        if thread_id is None and isinstance(event, MessageChange):
            return ends
        exact = [(route, end) for route, end in ends if end.thread_id == thread_id]
        if exact or thread_id is None:
            return exact
        return [(route, end) for route, end in ends if end.thread_id is None]

    def _place(self, end: RouteEnd) -> _Place:
        """What makes two ends the same: two addresses may lead to one chat (`#general` and its id)."""
        return end.chat.account, self._native.get(end.chat), "" if end.chat in self._native else end.chat.address, end.thread_id


def _name(chat: ChatAddress, thread_id: str | None) -> str:
    return str(chat) if thread_id is None else f"{chat}/{thread_id}"


def _not_wanted(event: ChatEvent, origin: RouteEnd, options: RelayOptions) -> SkipRule | None:
    traits = event.traits
    in_thread = event.meta.thread_id is not None and origin.thread_id is None
    if in_thread and options.threads is Threads.DROP and isinstance(event, MessageCreated | ThreadEvent):
        return Skip.THREADS_OFF
    if isinstance(event, ThreadDeleted) and not options.deletes:
        return Skip.DELETES_OFF
    if traits.switch is not None and not getattr(options, traits.switch):
        return traits.off
    author = event.meta.author
    if author and author.is_bot and not options.bots:
        return Skip.BOTS_OFF
    return None
