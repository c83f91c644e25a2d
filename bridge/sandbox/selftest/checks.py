"""What is tried: things that people do, and what the others must see of it.

Each check is done once on its origin and judged on every target. A verdict is `ok`, or degraded where a platform's capabilities
declare it (and then what is declared must hold: words never get lost), or the check raises `Failed`.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

from adapters.common.conformance import Lacks
from adapters.common.emulation.contract import SeenMessage, Upload
from bridge.model.capabilities import Feature
from bridge.sandbox.selftest.judging import AUTHOR, OTHER, Verdicts, by_other_means, copies_of, crosses_at_least
from bridge.sandbox.selftest.room import Room, Shown, each
from bridge.sandbox.selftest.together import pin, poll, thread
from bridge.sandbox.selftest.verdict import OK, Failed, Outcome, Refused, Verdict, degraded

Check = Callable[[Room, str, Sequence[str]], Awaitable[Verdicts]]

LONG_CHARACTERS = 9000

_LINK = "https://example.com/"
_MARKS: Sequence[tuple[Feature, str, tuple[str, ...]]] = (
    (Feature.BOLD, "bold", ("b", "strong")),
    (Feature.ITALIC, "italic", ("i", "em")),
    (Feature.STRIKE, "strike", ("s", "del")),
    (Feature.CODE, "code", ("code",)),
    (Feature.LINK, "label", ("a",)),
    (Feature.QUOTE, "quoted", ("blockquote",)),
    (Feature.CODE_BLOCK, "block", ("pre",)),
)
"""Each with the word that `Emulator.formatting_sample` shows so, and the elements that mean it."""


async def text(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    words = f"text from {origin}: Grüße, привет, 你好 👋 <b>1 & 2</b> @everyone"
    await room.say(origin, AUTHOR, words)

    async def judge(target: str) -> Verdict:
        copy = await room.copy(target, f"text from {origin}")
        if words not in copy.text.replace("\u200b", ""):  # a mass mention may be defused by an invisible character
            raise Failed(f"the words have changed: {copy.text!r}")
        if AUTHOR in copy.author_name:
            return OK
        if AUTHOR not in copy.text:
            raise Failed("the sender's name is not shown")
        return by_other_means(room.lacks(target, Feature.SENDER_NAME), "the sender's name")

    return await each(targets, judge)


async def formatting(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    opening = f"formatting from {origin}"
    if reason := room.people_lack(origin, Lacks.FORMATTING):
        return await crosses_at_least(room, origin, targets, f"{opening}, none", reason)
    said = await room.say(origin, AUTHOR, f"{opening}\n{room.emulators[origin].formatting_sample()}")
    original = room.message(origin, said)
    shown_there = Shown(original.html if original else "")
    wrong = [word for _, word, tags in _MARKS if word not in shown_there.inside(*tags)]
    if wrong:
        return dict.fromkeys(targets, Verdict(Outcome.FAILED, f"{room.title(origin)} itself does not show {', '.join(wrong)}"))

    async def judge(target: str) -> Verdict:
        copy = await room.copy(target, opening)
        shown = Shown(copy.html)
        losses = []
        for feature, word, tags in _MARKS:
            if word not in copy.text:
                raise Failed(f"the word {word!r} is lost: {copy.text!r}")
            if word in shown.inside(*tags) and (feature is not Feature.LINK or _LINK in shown.links):
                continue
            if not (reason := room.lacks(target, feature)):
                raise Failed(f"{feature.value.replace('_', ' ')} is lost, undeclared: {copy.html!r}")
            if feature is Feature.LINK and _LINK not in copy.text:
                raise Failed("the link's address is lost")
            losses.append(reason)
        return degraded("; ".join(losses)) if losses else OK

    return await each(targets, judge)


async def edit(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    """Twice in a row, within the resolution of every platform's times: the last words must stand. A target that cannot edit skips
    them by a named rule: what is said next shows that nothing came of them, and nothing was lost."""
    before, amid, after = f"before the edit in {origin}", f"amid the edits in {origin}", f"after the edit in {origin}"
    said = await room.say(origin, AUTHOR, before)
    copies, verdicts = await copies_of(room, targets, before)
    for words in (amid, after):
        await room.emulators[origin].edit(room.chat_id(origin), said, words)
    later = f"said later in {origin}"
    await room.say(origin, AUTHOR, later)

    async def judge(target: str) -> Verdict:
        if reason := room.lacks(origin, Feature.SEES_EDITS):
            return degraded(reason)
        if reason := room.lacks(target, Feature.EDIT):
            await room.copy(target, later)
            if any(_having(room, target, words) for words in (amid, after)):
                raise Failed(f"the new words came, though this is declared: {reason}")
            await room.copy(target, before)
            return degraded(reason)
        first = copies[target].message_id
        changed = await room.until(
            target, lambda: _having(room, target, after), f"the copy was not edited: {_text_of(room, target, first)!r}"
        )
        if changed.message_id != first:
            raise Failed("the new words came as another message")
        if before in changed.text:
            raise Failed(f"the old words are still there: {changed.text!r}")
        return OK

    return verdicts | await each(list(copies), judge)


async def delete(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    words = f"to be deleted in {origin}"
    if reason := room.people_lack(origin, Lacks.DELETES):
        return await crosses_at_least(room, origin, targets, words, reason)
    said = await room.say(origin, AUTHOR, words)
    copies, verdicts = await copies_of(room, targets, words)
    await room.emulators[origin].delete(room.chat_id(origin), said)

    async def judge(target: str) -> Verdict:
        reason = room.lacks(origin, Feature.SEES_DELETES) or room.lacks(target, Feature.DELETE)
        if reason:
            return degraded(reason)
        await room.until(target, lambda: not room.copies(target, words), "the copy is still there")
        return OK

    return verdicts | await each(list(copies), judge)


async def reply(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    question, answer = f"question in {origin}?", f"answer in {origin}."
    if reason := room.people_lack(origin, Lacks.REPLIES):
        return await crosses_at_least(room, origin, targets, answer, reason)
    said = await room.say(origin, AUTHOR, question)
    copies, verdicts = await copies_of(room, targets, question)
    await room.say(origin, OTHER, answer, reply_to=said)

    async def judge(target: str) -> Verdict:
        copy = await room.copy(target, answer)
        if copies[target].message_id in (copy.reply_to, copy.thread_id):
            return OK
        linked = any(copies[target].message_id in link for link in Shown(copy.html).links)
        # an origin that tells no words of what is answered leaves the name of who said it, which nobody else says here
        shown = f"{copy.reply_quote} {copy.text}"
        if not linked and question not in shown and AUTHOR not in shown:
            raise Failed(f"does not show what it answers: {copy.text!r}")
        return by_other_means(room.less_than_full(target, Feature.REPLY), "what is answered")

    return verdicts | await each(list(copies), judge)


async def photo(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    picture = Upload(name=f"view-{origin}.png", mime="image/png", content=_picture(origin))
    return await _file(room, origin, targets, picture, Feature.PHOTO, "photo")


async def document(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    seed = hashlib.sha256(origin.encode()).digest()
    paper = Upload(name=f"Report 2026 – {origin}.pdf", mime="application/pdf", content=b"%PDF-1.4\n" + seed * 8000)
    return await _file(room, origin, targets, paper, Feature.DOCUMENT, "document")


async def _file(room: Room, origin: str, targets: Sequence[str], upload: Upload, feature: Feature, kind: str) -> Verdicts:
    caption = f"{kind} from {origin}"
    said = await room.say(origin, AUTHOR, caption, files=[upload])
    original = room.message(origin, said)
    if original is None or not original.files:
        return dict.fromkeys(targets, Verdict(Outcome.FAILED, f"{room.title(origin)} itself shows no file"))
    sent = original.files[0]  # some platforms convert what people upload: the copy must be what is shown there

    async def judge(target: str) -> Verdict:
        copy = await room.copy(target, caption)
        if not room.capabilities(target).limits.upload_bytes:
            if copy.text.strip() == caption:
                raise Failed("nothing tells of the file")
            return degraded(room.less_than_full(target, feature))
        found = await room.until(
            target, lambda: room.file(target, sent.sha256), f"the file did not arrive: {_all_text(room, target)[-200:]!r}"
        )
        _, file = found
        if hashlib.sha256(room.emulators[target].file_bytes(file.file_id)).hexdigest() != sent.sha256:
            raise Failed("the bytes are others")
        reason = room.less_than_full(target, feature)
        wrong = [f"is called {file.name!r}"] if file.name != sent.name and kind == "document" else []
        wrong += [f"is shown as {file.kind}"] if file.kind != kind else []
        if wrong:
            if not reason:
                raise Failed(f"{' and '.join(wrong)}, undeclared")
            return degraded(reason)
        return OK

    return await each(targets, judge)


async def long_text(room: Room, origin: str, targets: Sequence[str]) -> Verdicts:
    """More than one message can hold on most platforms. Where a person cannot say it at once, it is said in several messages."""
    words = [f"{origin}{number:04d}" for number in range(LONG_CHARACTERS // (len(origin) + 5))]
    await _say_long(room, origin, words)
    marker = re.compile(rf"{origin}\d{{4}}")

    async def judge(target: str) -> Verdict:
        def arrived() -> list[SeenMessage] | None:
            parts = [message for message in room.seen(target) if message.is_bot and marker.search(message.text)]
            return parts if parts and words[-1] in parts[-1].text else None

        parts = await room.until(target, arrived, f"the end did not arrive: {_all_text(room, target)[-40:]!r}")
        got = [word for message in parts for word in marker.findall(message.text)]
        if got != words:
            raise Failed(
                f"{len(words)} words were said, {len(got)} arrived{'' if sorted(got) != sorted(words) else ', not in order'}"
            )
        limit = room.capabilities(target).limits.text_length
        longest = max(len(message.text) for message in parts)
        if longest > limit:
            raise Failed(f"a part of {longest} characters is over the limit of {limit}")
        if AUTHOR not in parts[0].author_name + parts[0].text:
            raise Failed("the sender's name is not shown")
        return OK

    return await each(targets, judge)


CHECKS: Mapping[str, Check] = {
    "text": text,
    "formatting": formatting,
    "edit": edit,
    "delete": delete,
    "reply": reply,
    "photo": photo,
    "document": document,
    "long text": long_text,
    "thread": thread,
    "pin": pin,
    "poll": poll,
}


# -- parts --------------------------------------------------------------------------------------------------------------------


async def _say_long(room: Room, origin: str, words: Sequence[str]) -> None:
    for size in (len(words), len(words) // 3 + 1, len(words) // 6 + 1):
        chunks = [words[start : start + size] for start in range(0, len(words), size)]
        try:
            for chunk in chunks:
                await room.say(origin, AUTHOR, _prose(chunk))
        except Refused:
            continue  # too long for a person there; nothing of it was posted
        return
    raise Failed(f"{room.title(origin)} takes no text of a sixth of {LONG_CHARACTERS} characters")


def _prose(words: Sequence[str]) -> str:
    """Lines of ten words, paragraphs of five lines."""
    lines = [" ".join(words[start : start + 10]) for start in range(0, len(words), 10)]
    return "\n\n".join("\n".join(lines[start : start + 5]) for start in range(0, len(lines), 5))


def _having(room: Room, platform: str, words: str) -> SeenMessage | None:
    return next(iter(room.copies(platform, words)), None)


def _text_of(room: Room, platform: str, message_id: str) -> str:
    message = room.message(platform, message_id)
    return message.text if message else ""


def _all_text(room: Room, platform: str) -> str:
    return "\n".join(message.text for message in room.seen(platform) if message.is_bot)


def _picture(name: str) -> bytes:
    """A PNG of stripes, other ones for each name."""
    width, height = 96, 64
    colours = hashlib.sha256(name.encode()).digest()

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"".join(colours[(x // 12) % 8 * 3 : (x // 12) % 8 * 3 + 3] for x in range(width))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * height)) + chunk(b"IEND", b"")
