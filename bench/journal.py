"""The journal by itself: `python bench/journal.py [--messages N] [--lanes N] [--client-us N] [--links N] [--json]`.

messages   accept, AttemptStarted, PartReceipt + Delivered of N messages, so many at once as there are lanes; `--client-us` burns
           that much Python on the event loop per message, as a client library would
one        the same, one message at a time: how long a commit takes when nothing else waits
links      link() for random messages among N links, with and without messages being written meanwhile
prune      forgetting the messages again, while new ones are accepted

Prints a table, or JSON with `--json`. Everything is in a temporary folder (`--folder` to choose the disk), removed at the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.journal.contract import AcceptRequest, AttemptStarted, Delivered, PartReceipt, PlannedDelivery
from bridge.journal.sqlite import SqliteJournal
from bridge.model.adapter import Cursor, Receipt
from bridge.model.events import Author, Content, EventMeta, MessageCreated
from bridge.model.refs import AccountName, ChatAddress, ChatRef, MessageRef
from bridge.model.rich_text import plain

ORIGIN, TARGET = AccountName("tg"), AccountName("guild")
CHATS = 100
FIRST_ID = 1_300_000_000_000_000_000
ID_STEP = 7919
TEXT = "A message of the usual length, about as long as this sentence and its end."


def origin(number: int) -> ChatRef:
    return ChatRef(ORIGIN, str(-1_001_000_000_000 - number % CHATS))


def target(number: int) -> ChatAddress:
    return ChatAddress(TARGET, str(112_233_445_566_778_899 + number % CHATS))


def event(number: int) -> MessageCreated:
    chat, now = origin(number), datetime.now(UTC)
    return MessageCreated(
        meta=EventMeta(
            event_key=f"created:{chat}:{number}",
            origin=chat,
            occurred_at=now,
            received_at=now,
            author=Author(user_id="123456789", name="Anna Petrova", username="anna_p"),
        ),
        message_id=str(number),
        content=Content(text=plain(TEXT)),
    )


def burn(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


async def relay(journal: SqliteJournal, number: int, client_s: float = 0.0) -> None:
    """What the journal is asked for one message with one target."""
    lane = target(number)
    entry = AcceptRequest(event=event(number), deliveries=(PlannedDelivery(route="bench", target=lane),))
    burn(client_s / 2)
    (accepted,) = await journal.accept(
        journal.lease(ORIGIN), [entry], [Cursor(name="offset", value=str(number))], received_at=datetime.now(UTC)
    )
    (delivery,) = accepted.delivery_ids
    await journal.record(journal.lease(TARGET), [AttemptStarted(delivery_id=delivery, part=0, attempt=1, at=datetime.now(UTC))])
    burn(client_s / 2)
    receipt = Receipt(message_ids=(str(FIRST_ID + number * ID_STEP),), adapter_data="99887766554433221")
    now = datetime.now(UTC)
    chat = ChatRef(lane.account, lane.address)
    part = PartReceipt(delivery_id=delivery, event_seq=accepted.event_seq, part=0, chat=chat, target=lane, receipt=receipt, at=now)
    await journal.record(journal.lease(TARGET), [part, Delivered(delivery_id=delivery, at=now)])


async def relay_many(journal: SqliteJournal, numbers: Iterator[int], lanes: int, client_s: float) -> list[float]:
    """Seconds each message took."""
    took: list[float] = []

    async def worker() -> None:
        for number in numbers:
            start = time.perf_counter()
            await relay(journal, number, client_s)
            took.append(time.perf_counter() - start)

    async with asyncio.TaskGroup() as group:
        for lane in range(lanes):
            group.create_task(worker(), name=f"lane {lane}")
    return took


def quantiles_ms(prefix: str, took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    return {
        f"{prefix}_p50_ms": round(ordered[len(ordered) // 2] * 1000, 3),
        f"{prefix}_p99_ms": round(ordered[len(ordered) * 99 // 100] * 1000, 3),
        f"{prefix}_max_ms": round(ordered[-1] * 1000, 3),
    }


async def bench_messages(folder: Path, messages: int, lanes: int, client_us: float) -> dict[str, float]:
    path = folder / "messages.journal"
    journal = SqliteJournal(path)
    await journal.open()
    start, cpu = time.perf_counter(), time.process_time()
    took = await relay_many(journal, iter(range(messages)), lanes, client_us / 1e6)
    elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu
    running_bytes = (await journal.figures()).size_bytes
    figures = {
        "messages_per_s": round(messages / elapsed),
        "cpu_us_per_message": round(cpu / messages * 1e6, 1),
        **quantiles_ms("message", took),
        "bytes_per_message_running": round(running_bytes / messages, 1),
    }
    ones = [await timed(journal, number) for number in range(messages, messages + 500)]
    figures |= quantiles_ms("one_message", ones)
    await journal.close()
    figures["bytes_per_message"] = round(path.stat().st_size / (messages + 500), 1)
    await journal.open()
    pruning = asyncio.ensure_future(journal.prune(before=datetime.now(UTC) + timedelta(days=1), limit=messages))
    start = time.perf_counter()
    number, beside = messages + 500, []
    while not pruning.done():
        beside.append(await timed(journal, number))
        number += 1
    figures["pruned_per_s"] = round(await pruning / (time.perf_counter() - start))
    figures |= quantiles_ms("one_message_while_pruning", beside)
    await journal.close()
    return figures


async def timed(journal: SqliteJournal, number: int) -> float:
    start = time.perf_counter()
    await relay(journal, number)
    return time.perf_counter() - start


# -- links ------------------------------------------------------------------------------------------------------------------


async def bench_links(folder: Path, links: int, lookups: int) -> dict[str, float]:
    """Half of the links are originals, half copies. Written straight into the tables, since by `relay` it would take an hour."""
    path = folder / "links.journal"
    journal = SqliteJournal(path)
    await journal.open()
    await relay_many(journal, iter(range(CHATS)), CHATS, 0)
    await journal.close()
    messages = links // 2
    await asyncio.to_thread(write_links, path, messages)
    await journal.open()
    figures: dict[str, float] = {"links": links, "bytes_per_link": round(path.stat().st_size / links, 1)}
    pick = random.Random(1)
    figures |= quantiles_ms("link", await look_up(journal, pick, messages, lookups))
    figures |= quantiles_ms("link_again", await look_up(journal, pick, messages, lookups))
    writing = asyncio.ensure_future(relay_many(journal, iter(range(messages, messages + 10**9)), 4, 0))
    figures |= quantiles_ms("link_while_writing", await look_up(journal, pick, messages, lookups))
    writing.cancel()
    await asyncio.wait([writing])
    start = time.perf_counter()
    await journal.figures()
    figures["figures_ms"] = round((time.perf_counter() - start) * 1000, 3)
    await journal.close()
    start = time.perf_counter()
    await journal.open()
    figures["open_ms"] = round((time.perf_counter() - start) * 1000, 3)
    await journal.close()
    return figures


def write_links(path: Path, messages: int) -> None:
    """The rows that `relay` leaves for messages CHATS .. `messages`, chats taking turns."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -200000")
    seqs = f"WITH RECURSIVE n (i) AS (SELECT {CHATS} UNION ALL SELECT i + 1 FROM n WHERE i < {messages - 1})"
    # Message i is event i + 1. The rows of the first CHATS messages, which `relay` wrote, tell the numbers of chats and lanes.
    connection.execute(
        "CREATE TEMP TABLE turn AS"
        " SELECT event.message AS place, event.origin, part.chat, part.lane_end, delivery.lane, delivery.route"
        " FROM event JOIN part ON part.seq = event.seq JOIN delivery ON delivery.event = event.seq"
    )
    connection.execute("CREATE INDEX turn_place ON turn (place)")
    joined = f"FROM n CROSS JOIN turn ON turn.place = i % {CHATS}"
    copy, moment = f"{FIRST_ID} + i * {ID_STEP}", "1700000000000000 + i"
    connection.execute("BEGIN")
    for table, values in (
        (
            "event",
            {"seq": "i + 1", "key": "randomblob(16)", "accepted_at": moment, "origin": "origin", "message": "i"}
            | {"author": "'Anna Petrova'", "author_id": "123456789", "username": "'anna_p'"}
            | {"first_delivery": "i + 1", "deliveries": "1", "open": "0"},
        ),
        ("delivery", {"id": "i + 1", "event": "i + 1", "lane": "lane", "route": "route", "state": "4", "at": moment}),
        (
            "part",
            {"seq": "i + 1", "lane_end": "lane_end", "part": "0", "chat": "chat", "message": copy, "data": "99887766554433221"}
            | {"text": "1", "delivery": "i + 1"},
        ),
        ("link", {"chat": "origin", "message": "i", "seq": "i + 1", "rank": "i + 1", "copy": "0"}),
        ("link", {"chat": "chat", "message": copy, "seq": "i + 1", "rank": "i + 1", "copy": "1"}),
    ):
        connection.execute(f"INSERT INTO {table} ({', '.join(values)}) {seqs} SELECT {', '.join(values.values())} {joined}")
    connection.execute("COMMIT")
    connection.close()


async def look_up(journal: SqliteJournal, pick: random.Random, messages: int, count: int) -> list[float]:
    took: list[float] = []
    for turn in range(count):
        number = pick.randrange(messages)
        if turn % 2:
            asked = MessageRef(origin(number), str(number))
        else:
            lane = target(number)
            asked = MessageRef(ChatRef(lane.account, lane.address), str(FIRST_ID + number * ID_STEP))
        start = time.perf_counter()
        link = await journal.link(asked, target(number))
        took.append(time.perf_counter() - start)
        if link is None or link.copies[0].copy.message_ids != (str(FIRST_ID + number * ID_STEP),):
            raise SystemExit(f"message {number} does not lead to its copy: {link}")
    return took


# -- command line -----------------------------------------------------------------------------------------------------------


async def run(options: argparse.Namespace) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="journal-bench-", dir=options.folder) as folder:
        figures = await bench_messages(Path(folder), options.messages, options.lanes, options.client_us)
        if options.links:
            figures |= await bench_links(Path(folder), options.links, options.lookups)
        return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the journal.")
    parser.add_argument("--messages", type=int, default=20_000, help="messages to relay (default %(default)s)")
    parser.add_argument("--lanes", type=int, default=100, help="messages under way at once (default %(default)s)")
    parser.add_argument("--client-us", type=float, default=0, help="Python on the loop per message, in microseconds")
    parser.add_argument("--links", type=int, default=1_000_000, help="links to look up among; 0 skips (default %(default)s)")
    parser.add_argument("--lookups", type=int, default=5_000, help="lookups to time (default %(default)s)")
    parser.add_argument("--folder", type=Path, help="where to put the files (default: the system's temporary folder)")
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    options = parser.parse_args()
    figures = asyncio.run(run(options))
    if options.json:
        json.dump(figures, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for name, value in figures.items():
            sys.stdout.write(f"{name:36}{value:>14,}\n")


if __name__ == "__main__":
    main()
