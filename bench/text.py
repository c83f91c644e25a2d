"""What one long message costs each target: 40,000 characters of several shapes, rendered into parts, and each part encoded.

The yardstick is one plain encode of the whole text, which no way of splitting can do without."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from adapters.discord.outbound.encode_text import encode_text as discord_text
from adapters.registry import load_emulator, load_platform
from adapters.slack.outbound.encode_text import fallback_text, rich_text_elements
from adapters.teamspirit.config import TeamSpiritOptions
from adapters.teamspirit.outbound.encode_text import encode_text as teamspirit_text
from adapters.telegram.outbound.encode_text import encode_text as telegram_text
from adapters.webhook.outbound.encode_text import encode_text as webhook_text
from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.model.events import Author, Content, EventMeta, MessageCreated
from bridge.model.platform import AdapterContext
from bridge.model.refs import AccountName, ChatRef
from bridge.model.rich_text import (
    Block,
    CodeBlock,
    Emoji,
    Heading,
    Inline,
    List,
    ListItem,
    Mark,
    Mention,
    MentionKind,
    Paragraph,
    Quote,
    RichText,
    Text,
    Timestamp,
    plain,
)
from bridge.policy.routing import RelayOptions
from bridge.render.message import Target, render
from bridge.render.origin import Origin

_ROUNDS = 3
_ACCOUNT = AccountName("bench")


class _NoWeb:
    public_url = ""

    def mount(self, name: str, handler: Any) -> str:
        return ""

    def unmount(self, name: str) -> None:
        pass

    def serve_keys(self, handler: Any) -> None:
        pass


def _runs(count: int) -> RichText:
    runs = (Text("a" if number % 2 else " ", int(Mark.ITALIC) if number % 2 else 0) for number in range(count))
    return RichText((Paragraph(tuple(runs)),))


def _links(count: int) -> RichText:
    runs = (Text("link", 0, f"https://example.org/{number}") if number % 2 else Text(" and ") for number in range(2 * count))
    return RichText((Paragraph(tuple(runs)),))


def _nested(count: int) -> RichText:
    items = tuple(ListItem((Text("word ", int(Mark.BOLD)), Text("and word")), number % 5) for number in range(count // 2))
    lines = (Text("a line\n", int(Mark.ITALIC) if number % 2 else 0) for number in range(count))
    return RichText((Quote((Paragraph(tuple(lines)), List(items, ordered=True))), List(items)))


def _deep_items(count: int) -> RichText:
    numbers = range(count)
    return RichText((List(tuple(ListItem((Text("a"),), number % 9, number % 2 == 0) for number in numbers), ordered=True),))


def _atoms(count: int) -> RichText:
    kinds: tuple[Inline, ...] = (
        Mention(MentionKind.USER, "1", "anna"),
        Text(" "),
        Emoji("party", "2"),
        Timestamp(1_700_000_000),
    )
    return RichText((Paragraph(kinds * (count // 4)),))


def _small_blocks(count: int) -> RichText:
    kinds: tuple[Block, ...] = (
        Quote((Paragraph((Text("a"),)), CodeBlock("b"))),
        Paragraph((Text("c", int(Mark.BOLD)), Text("d"))),
        CodeBlock("e"),
        List((ListItem((Text("f"),)),)),
    )
    return RichText(kinds * (count // 4))


SHAPES: dict[str, Callable[[int], RichText]] = {
    "*a* ": lambda length: _runs(length // 2),
    "words": lambda length: plain("words and words " * (length // 16)),
    "one word": lambda length: plain("a" * length),
    "@": lambda length: plain("@" * length),
    "_": lambda length: plain("_" * length),
    "`": lambda length: plain("`" * length),
    "emoji": lambda length: plain("\U0001f600" * length),
    "links": lambda length: _links(length // 8),
    "quote and lists": lambda length: _nested(length // 16),
    "code": lambda length: RichText((CodeBlock("print('a')\n" * (length // 11), "python"),)),
    "items": lambda length: RichText((List(tuple(ListItem((Text("a"),)) for _ in range(length // 4))),)),
    "deep items": lambda length: _deep_items(length // 8),
    "lines": lambda length: plain("a\n" * (length // 2)),
    "names and moments": lambda length: _atoms(length // 8),
    "headings": lambda length: RichText(tuple(Heading(1 + number % 6, (Text("a"),)) for number in range(length // 4))),
    "small blocks": lambda length: _small_blocks(length // 8),
}
"""Rich text of about so many characters of source. `*a* ` is a run for each second character of the text."""


def _encoder(platform: str, options: Any) -> Callable[[RichText], object]:
    match platform:
        case "slack":
            return lambda rich: (fallback_text(rich), rich_text_elements(rich))
        case "discord":
            return discord_text
        case "telegram":
            return telegram_text
        case "webhook":
            return webhook_text
        case _:
            assert isinstance(options, TeamSpiritOptions)
            return lambda rich: teamspirit_text(rich, options.read_dialect.text)


async def long_text(*, platform: str, shape: str, characters: int) -> dict[str, Any]:
    """`cpu_ms` to render it into `parts` and encode each, the median of a few rounds; `encode_ms` to encode it once as a whole;
    `times`: how many of those the former is."""
    given = load_platform(platform)
    emulator = load_emulator(platform)
    await emulator.start()
    options = given.options().model_validate(emulator.account_options())
    adapter = given.build(AdapterContext(account=_ACCOUNT, options=options, web=_NoWeb()))
    encode = _encoder(platform, options)
    whole = SHAPES[shape](characters)
    target = Target(
        account=_ACCOUNT, platform=platform, capabilities=adapter.capabilities, measure=adapter.measure, options=RelayOptions()
    )
    parts = 0

    def relay() -> None:
        nonlocal parts
        rendered = _rendered(whole, target)
        parts = len(rendered)
        for part in rendered:
            encode(part)

    encode_ms = _cpu_ms(lambda: encode(whole))
    cpu_ms = _cpu_ms(relay)
    await adapter.close()
    await emulator.stop()
    return {
        "shape": shape,
        "target": platform,
        "characters": characters,
        "parts": parts,
        "cpu_ms": round(cpu_ms, 1),
        "encode_ms": round(encode_ms, 1),
        "times": round(cpu_ms / encode_ms, 1) if encode_ms else 0,
    }


def _rendered(text: RichText, target: Target) -> list[RichText]:
    now = datetime.now(UTC)
    author = Author(user_id="U1", name="Anna Petrova")
    origin = AccountName("origin")
    meta = EventMeta(event_key="1", origin=ChatRef(origin, "C1"), occurred_at=now, received_at=now, author=author)
    event = MessageCreated(meta=meta, message_id="1", content=Content(text=text))
    people = People([])
    made = render(
        event,
        origin=Origin(account=origin, platform="slack", chat_name="general"),
        target=target,
        fetched=(),
        reply=None,
        people=people,
        names=Names((), people),
    )
    return [part.text for part in made.parts]


def _cpu_ms(work: Callable[[], object]) -> float:
    took = []
    for _ in range(_ROUNDS):
        began_s = time.process_time()
        work()
        took.append(time.process_time() - began_s)
    return 1000 * statistics.median(took)
