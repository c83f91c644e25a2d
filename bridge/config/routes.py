"""The `routes` section: directions, ends and their addresses, filters, relay options. Written for tens of thousands of routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge.config import nodes
from bridge.config.accounts import Account
from bridge.config.each import KEY as EACH
from bridge.config.each import expanded
from bridge.config.faults import Faults, did_you_mean
from bridge.config.filters import read_filters, read_rewrites
from bridge.config.nodes import Entries, join
from bridge.config.relay import Given, cascade, read_relay
from bridge.config.sections import OnDeadSection
from bridge.config.values import Values
from bridge.model.capabilities import Feature
from bridge.model.platform import Platform
from bridge.model.refs import AccountName, ChatAddress
from bridge.policy.filters import Filter
from bridge.policy.rewrites import Rewrite
from bridge.policy.routing import EVERY_THREAD, OWN_ROUTE, OnDead, RelayOptions, Route, RouteEnd

_ROUTE_KEYS = ("name", EACH, "between", "from", "to", "filter", "rewrite", "tests", "on_dead")
_END_KEYS = ("chat", "filter", "rewrite")
_LONGEST_NAME = 100


def name_problem(name: str) -> str:
    """Why a route cannot have that name; empty if it can."""
    if name == OWN_ROUTE:
        return "is the name of the bridge's own route"
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        return f"must be 1 to {_LONGEST_NAME} printable characters"
    return ""


@dataclass(slots=True)
class ReadRoute:
    """A route and the nodes its ends came from (parallel to `route.ends`), for the checks over all routes."""

    route: Route
    key: str
    at: Node
    end_nodes: list[Node]
    tests: Node | None = None
    """Run once the people are known."""


class RouteReader:
    """Reads routes; caches what many of them share (options per account, addresses per platform)."""

    def __init__(self, values: Values, accounts: Mapping[str, Account], defaults: RelayOptions) -> None:
        self._values = values
        self._faults = values.faults
        self._accounts = accounts
        self._bases = {name: cascade(defaults, account.given) for name, account in accounts.items()}
        self._names: dict[str, int] = {}

    def read(self, section: Node) -> list[ReadRoute]:
        """The routes that are without fault."""
        found = []
        for index, node in enumerate(self._values.sequence(section, "routes")):
            for one in expanded(self._values, node, f"routes[{index}]"):
                before = len(self._faults.faults)
                route = self._route(one, f"routes[{index}]")
                if route is not None and len(self._faults.faults) == before:
                    found.append(route)
        return found

    def _route(self, node: Node, key: str) -> ReadRoute | None:
        found = self._values.mapping(node, key)
        if found is None:
            return None
        name = self._name(found, node, key)
        given: Given = {}
        if any(one not in _ROUTE_KEYS for one in found):
            given = read_relay(self._values, found, node, key, also=_ROUTE_KEYS)
        end_nodes: list[Node] = []
        ends: list[RouteEnd] = []
        places: set[tuple[ChatAddress, str | None]] = set()
        for end_node, end_key, receives, sends in self._end_nodes(found, node, key):
            end = self._end(end_node, end_key, given, receives, sends)
            if end is None:
                continue
            place = (end.chat, end.thread_id)
            if place in places:
                self._faults.add(end_node, end_key, f"{end} is already an end of this route", value=str(end))
            places.add(place)
            ends.append(end)
            end_nodes.append(end_node)
        route = self._with_lines(Route(name=name, ends=tuple(ends)), found, key, end_nodes)
        return ReadRoute(route, key, node, end_nodes, _given(found, "tests"))

    def _with_lines(self, route: Route, found: Entries, key: str, end_nodes: Sequence[Node]) -> Route:
        """The route with its `filter` and `rewrite`, and those of its ends."""
        origins = [end for end in route.ends if end.sends]
        targets = [end for end in route.ends if end.receives]
        filters: tuple[Filter, ...] = ()
        if (section := _given(found, "filter")) is not None:
            filters = read_filters(self._values, section, join(key, "filter"), origins=origins, targets=targets)
        rewrites = self._rewrites(found, key)
        ends = []
        for end, node in zip(route.ends, end_nodes, strict=True):
            own = nodes.entries(node, key, Faults("")) if isinstance(node, MappingNode) else {}
            at = f"{key}, end {end}"
            lines: tuple[Filter, ...] = ()
            if (section := _given(own, "filter")) is not None:
                others = [one for one in origins if one is not end]
                lines = read_filters(self._values, section, f"{at}, filter", origins=others, targets=[end])
            ends.append(replace(end, filters=lines, rewrites=(*rewrites, *self._rewrites(own, at))))
        return replace(route, ends=tuple(ends), filters=filters, on_dead=self._on_dead(found, key))

    def _on_dead(self, found: Entries, key: str) -> OnDead:
        node, key = _given(found, "on_dead"), join(key, "on_dead")
        entries = None if node is None else self._values.mapping(node, key)
        section = None if node is None or entries is None else self._values.model(OnDeadSection, entries, node, key)
        if section is None or entries is None:
            return OnDead()
        told = self.target(entries["notify"].value, join(key, "notify")) if section.notify else None
        return OnDead(
            mark=section.mark,
            notify=told.chat if told is not None else None,
            notify_thread=told.thread_id if told is not None else None,
        )

    def _rewrites(self, found: Entries, key: str) -> tuple[Rewrite, ...]:
        section = _given(found, "rewrite")
        return () if section is None else read_rewrites(self._values, section, join(key, "rewrite"))

    def _name(self, found: Entries, node: Node, key: str) -> str:
        if "name" not in found:
            self._faults.add(node, key, "name is missing", hint="the journal, the log and `dead` identify a route by its name")
            return ""
        at = found["name"].value
        name = self._values.text(at, f"{key}.name")
        if name is None:
            return ""
        if problem := name_problem(name):
            self._faults.add(at, f"{key}.name", problem, value=name)
        elif name in self._names:
            why = f"there is another route {name!r} in line {self._names[name]}"
            self._faults.add(at, f"{key}.name", why, value=name)
        else:
            self._names[name] = at.start_mark.line + 1
        return name

    def _end_nodes(self, found: Entries, at: Node, key: str) -> list[tuple[Node, str, bool, bool]]:
        """(node, key, receives, sends) of every end; faults for an impossible direction."""
        both, origin, target = found.get("between"), found.get("from"), found.get("to")
        if both is not None:
            if origin or target:
                extra = (origin or target).key  # type: ignore[union-attr]
                self._faults.add(extra, join(key, extra.value), "between is given as well", hint="between, or from and to")
            ends = self._listed(both.value, f"{key}.between")
            if isinstance(both.value, SequenceNode) and len(ends) < 2:
                self._faults.add(both.value, f"{key}.between", "a route needs at least two ends")
            return [(node, where, True, True) for node, where in ends]
        if origin is None and target is None:
            self._faults.add(at, key, "has no ends", hint="give between: [ends], or from: and to:")
            return []
        ends_found: list[tuple[Node, str, bool, bool]] = []
        for name, entry, receives in (("from", origin, False), ("to", target, True)):
            if entry is None:
                missing = "nothing sends" if name == "from" else "nothing receives"
                self._faults.add(at, key, f"{name} is missing: {missing}")
                continue
            single = not isinstance(entry.value, SequenceNode)
            ends = [(entry.value, f"{key}.{name}")] if single else self._listed(entry.value, f"{key}.{name}")
            if not ends:
                self._faults.add(entry.value, f"{key}.{name}", "is empty")
            ends_found += [(node, where, receives, not receives) for node, where in ends]
        return ends_found

    def _listed(self, node: Node, key: str) -> list[tuple[Node, str]]:
        return [(item, f"{key}[{index}]") for index, item in enumerate(self._values.sequence(node, key))]

    # -- ends ---------------------------------------------------------------------------------------------------------------

    def target(self, node: Node, key: str) -> RouteEnd | None:
        """An end outside of routes, into which the bridge itself speaks; None, with a fault, if it is none."""
        return self._end(node, key, {}, True, False)

    def _end(self, node: Node, key: str, route_given: Given, receives: bool, sends: bool) -> RouteEnd | None:
        given: Given = {}
        at = node
        if isinstance(node, MappingNode):
            found = nodes.entries(node, key, self._faults)
            given = read_relay(self._values, found, node, key, also=_END_KEYS)
            if "chat" not in found:
                self._faults.add(node, key, "chat is missing", hint="an end is account/chat or {chat: account/chat, ...}")
                return None
            at, key = found["chat"].value, f"{key}.chat"
        elif not isinstance(node, ScalarNode) or nodes.is_null(node):
            self._faults.add(node, key, f"an end is account/chat, not {nodes.kind(node)}")
            return None
        text = self._values.text(at, key)
        if text is None:
            return None
        name, _, address = text.partition("/")
        account = self._accounts.get(name)
        if "://" in text and self._is_link(at, key, text, is_known=account is not None):
            return None
        if account is None:
            self._unknown_account(at, key, text)
            return None
        if not address:
            self._faults.add(at, key, f"which chat of {name}?", value=text, hint=f"an end is account/chat, as in {name}/general")
            return None
        chat, thread, every_thread = address, None, False
        if account.manifest is not None:
            chat, thread, problem = split_address(account.manifest, address)
            if thread == EVERY_THREAD:
                thread, every_thread = None, True
            if not problem and account.possible.options and not account.possible.left_out:
                problem = account.manifest.check_end(account.possible.options[0], chat, receives) or ""
            if problem:
                self._faults.add(at, key, problem, value=text)
                return None
        options = self._bases[name]
        if route_given or given:
            options = cascade(options, route_given, given)
        return RouteEnd(
            chat=ChatAddress(AccountName(name), chat),
            thread_id=thread,
            receives=receives,
            sends=sends,
            every_thread=every_thread,
            options=options,
        )

    def _unknown_account(self, at: Node, key: str, text: str) -> None:
        name, slash, _ = text.partition("/")
        if not slash and not name.startswith(("#", "@", "-")) and not name.isdecimal():
            self._faults.add(at, key, f"{text!r} is not an end: it must be account/chat", value=text)
        else:
            hint = did_you_mean(name, self._accounts) if slash else "an end is account/chat"
            self._faults.add(at, key, f"unknown account {name!r}", value=text, hint=hint)

    def _is_link(self, at: Node, key: str, text: str, *, is_known: bool) -> bool:
        """Whether somebody pasted a link: then that is a fault. A chat of a known account may have such a name."""
        ends = self._ends_of_link(text)
        if is_known and not ends:
            return False
        hint = f"write {' or '.join(ends)}" if ends else "messenger-bridge chats ACCOUNT shows how its chats are written"
        self._faults.add(at, key, "a link is not an end: it must be account/chat", value=text, hint=hint)
        return True

    def _ends_of_link(self, text: str) -> list[str]:
        """What to write instead of a link, also of one behind `account/`."""
        head, _, rest = text.partition("/")
        link = rest if "://" in rest and head in self._accounts else text
        return [
            f"{name}/{chat}"
            for name, account in self._accounts.items()
            if account.manifest is not None and (link is text or name == head)
            for options in account.possible.options[:1] or (None,)
            if (chat := account.manifest.chat_of_link(options, link)) is not None
        ]


def _given(found: Entries, name: str) -> Node | None:
    return found[name].value if name in found and not nodes.is_null(found[name].value) else None


def split_address(manifest: Platform, address: str) -> tuple[str, str | None, str]:
    """(chat, thread, why it is no address) of what follows `account/`.

    What follows the last `/` is a thread if the platform says that it can be one and that the rest is a chat; otherwise all of it
    is the chat, if the platform says so. `*` stands for every thread."""
    head, slash, tail = address.rpartition("/")
    if slash and tail == EVERY_THREAD and manifest.check_address(head) is None:
        has_threads = manifest.capabilities(None).native(Feature.THREAD)
        return head, tail, "" if has_threads else f"a chat of {manifest.title} has no threads: leave /{EVERY_THREAD} out"
    if not slash:
        return address, None, manifest.check_address(address) or ""
    if manifest.check_address(head) is None and manifest.check_thread(tail) is None:
        return head, tail, ""
    if manifest.check_address(address) is None:
        return address, None, ""
    problem = manifest.check_address(head)
    if problem is None:
        problem = f"{tail!r} is no thread: {manifest.check_thread(tail)}"
    return head, tail, problem
