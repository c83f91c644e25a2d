"""`each` of a route: one route for every name in it, which stands where the ends have a `*`. Works on the file's nodes, so that
faults keep their lines."""

from __future__ import annotations

from collections.abc import Iterator

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge.config import nodes
from bridge.config.nodes import join
from bridge.config.values import Values

KEY = "each"
_STAR = "*"
_ENDS = ("between", "from", "to")


def expanded(values: Values, route: Node, key: str) -> Iterator[Node]:
    """The route itself, or the routes that its `each` makes of it. Faults of `each` are noted, and then there are none."""
    entry = next((one for one in route.value if _is_each(one)), None) if isinstance(route, MappingNode) else None
    if entry is None:
        yield route
        return
    assert isinstance(route, MappingNode)
    faults, where = values.faults, join(key, KEY)
    names = _names(values, entry[1], where)
    if not names:
        return
    ends = [node for name, node in _pairs(route) if name in _ENDS]
    plain = [text for node in ends for end in _ends(node) if (text := _text(end)) is not None and _STAR not in _chat(text)]
    if plain:
        faults.add(
            entry[0], where, f"every end needs a {_STAR} for the name, and {plain[0]} has none", hint=f"ACCOUNT/#{_STAR}, say"
        )
        return
    for name in names:
        yield MappingNode(
            route.tag,
            [_part(pair, name) for pair in route.value if pair is not entry],
            route.start_mark,
            route.end_mark,
            route.flow_style,
        )


def _is_each(pair: tuple[Node, Node]) -> bool:
    return isinstance(pair[0], ScalarNode) and pair[0].value == KEY and not nodes.is_null(pair[1])


def _names(values: Values, at: Node, where: str) -> list[str]:
    found: list[str] = []
    for index, node in enumerate(values.sequence(at, where)):
        name = values.text(node, f"{where}[{index}]")
        if name is None:
            continue
        if name in found:
            values.faults.add(node, f"{where}[{index}]", "is there twice", value=name)
        elif not name.strip() or _STAR in name:
            values.faults.add(node, f"{where}[{index}]", f"must be a name, without {_STAR}", value=name)
        found.append(name)
    if isinstance(at, SequenceNode) and not at.value:
        values.faults.add(at, where, "is empty")
    return found


def _pairs(mapping: MappingNode) -> Iterator[tuple[str, Node]]:
    return ((key.value, value) for key, value in mapping.value if isinstance(key, ScalarNode))


def _ends(node: Node) -> list[Node]:
    return list(node.value) if isinstance(node, SequenceNode) else [node]


def _text(end: Node) -> str | None:
    """`account/chat` as it is written."""
    if isinstance(end, MappingNode):
        end = next((node for name, node in _pairs(end) if name == "chat"), end)
    return end.value if isinstance(end, ScalarNode) else None


def _chat(text: str) -> str:
    """What follows `account/`, without the `/*` at its end that stands for every thread."""
    chat = text.partition("/")[2]
    return chat.removesuffix(f"/{_STAR}")


def _part(pair: tuple[Node, Node], name: str) -> tuple[Node, Node]:
    """A key and its value, for one name."""
    key, value = pair
    if key.value == "name" and isinstance(value, ScalarNode):
        return key, _scalar(value, f"{value.value}-{name.lstrip('#@')}")
    if key.value in _ENDS:
        return key, _with_name(value, name)
    return pair


def _with_name(node: Node, name: str) -> Node:
    if isinstance(node, SequenceNode):
        items = [_with_name(item, name) for item in node.value]
        return SequenceNode(node.tag, items, node.start_mark, node.end_mark, node.flow_style)
    if isinstance(node, MappingNode):
        pairs = [(key, _with_name(value, name) if key.value == "chat" else value) for key, value in node.value]
        return MappingNode(node.tag, pairs, node.start_mark, node.end_mark, node.flow_style)
    if isinstance(node, ScalarNode):
        account, slash, chat = node.value.partition("/")
        return _scalar(node, f"{account}{slash}{chat.replace(_STAR, name, 1)}")
    return node


def _scalar(node: ScalarNode, text: str) -> ScalarNode:
    return ScalarNode(node.tag, text, node.start_mark, node.end_mark, node.style)
