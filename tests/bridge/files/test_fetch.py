"""A delivery's files: each on disk, or the reason why not; a failure at the origin concerns its file alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bridge.delivery.operations.part_files import stand_in
from bridge.files.conversions import Conversions
from bridge.files.convert import Converter
from bridge.files.fetch import FileFetcher, FileNotYet, Patience, most_bytes
from bridge.files.spool import Spool
from bridge.model.adapter import FileStream
from bridge.model.capabilities import Limits
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.errors import AccountDown, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, Content
from bridge.model.media import GIF, M4A, OGG, TGS, Form
from bridge.model.refs import AccountName, ChatRef
from bridge.policy.routing import RelayOptions
from bridge.render.fetched import FetchResult

ORIGIN = ChatRef(AccountName("one"), "c")


class Supplier:
    """An account whose files are in memory, and which fails as told."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | Exception] = {}
        self.down: list[AccountDown] = []
        self.adapter = self

    async def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return await work

    def report_down(self, error: AccountDown) -> None:
        self.down.append(error)

    def open_file(self, attachment: Attachment) -> AbstractAsyncContextManager[FileStream]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[FileStream]:
            found = self.files[attachment.file_id]
            if isinstance(found, Exception):
                raise found

            async def chunks() -> AsyncIterator[bytes]:
                yield found

            yield FileStream(chunks=chunks())

        return opened()


Fetch = Callable[..., Coroutine[Any, Any, list[FetchResult]]]


@pytest.fixture
def supplier() -> Supplier:
    return Supplier()


@pytest.fixture
async def fetch(tmp_path: Path, supplier: Supplier) -> AsyncIterator[Fetch]:
    spool = Spool(tmp_path / "spool", 1000)
    spool.open()
    fetcher = FileFetcher(spool, lambda name: cast(Any, supplier if name == ORIGIN.account else None), SYSTEM_CLOCK)
    async with AsyncExitStack() as stack:

        async def run(
            *names: str, patience: Patience = Patience.WAIT, size_bytes: int | None = None, origin: ChatRef = ORIGIN
        ) -> list[FetchResult]:
            attachments = tuple(
                Attachment(kind=AttachmentKind.DOCUMENT, file_id=name, name=name, size_bytes=size_bytes) for name in names
            )
            return await fetcher.fetch_all(
                stack,
                event_seq=1,
                origin=origin,
                content=Content(attachments=attachments),
                most_bytes=5,
                patience=patience,
                within_s=60.0,
            )

        yield run
    await fetcher.close()
    spool.close()


async def test_each_file_is_on_disk_in_order(fetch: Fetch, supplier: Supplier) -> None:
    supplier.files = {"a": b"1", "b": b"22"}
    found = await fetch("a", "b")
    assert [one.file.path.read_bytes() for one in found if one.file is not None] == [b"1", b"22"]


async def test_a_refused_file_costs_itself_alone(fetch: Fetch, supplier: Supplier) -> None:
    supplier.files = {"a": Rejected("gone"), "b": b"22"}
    first, second = await fetch("a", "b")
    assert (first.file, first.problem) == (None, "gone")
    assert second.file is not None


@pytest.mark.parametrize("size_bytes", [None, 6])
async def test_a_file_above_the_limit_is_not_fetched_and_its_size_is_known(
    fetch: Fetch, supplier: Supplier, size_bytes: int | None
) -> None:
    supplier.files = {"a": b"666666"}
    (one,) = await fetch("a", size_bytes=size_bytes)
    assert one.file is None
    assert one.attachment.size_bytes is not None
    assert one.attachment.size_bytes > 5


async def test_what_a_failure_means_depends_on_the_patience(fetch: Fetch, supplier: Supplier) -> None:
    supplier.files = {"a": RetryLater("busy", after_s=7.0)}
    with pytest.raises(FileNotYet, match="busy"):
        await fetch("a")
    (later,) = await fetch("a", patience=Patience.LATER)
    assert (later.late, later.after_s) == (True, 7.0)
    (over,) = await fetch("a", patience=Patience.OVER)
    assert (over.late, over.problem) == (False, "could not be fetched: busy")


async def test_an_account_that_is_down_is_reported_once_asked(fetch: Fetch, supplier: Supplier) -> None:
    supplier.files = {"a": AccountDown("token revoked", action="enter a new one")}
    (one,) = await fetch("a", patience=Patience.OVER)
    assert "token revoked" in one.problem
    assert len(supplier.down) == 1


async def test_files_of_an_account_that_is_gone_have_a_line(fetch: Fetch) -> None:
    (one,) = await fetch("a", origin=ChatRef(AccountName("gone"), "c"))
    assert one.problem == "the account it came from is no longer configured"


def test_the_smaller_limit_counts() -> None:
    limits = Limits(text_length=1, caption_length=1, upload_bytes=50_000_000)
    assert most_bytes(limits, RelayOptions()) == 50_000_000
    assert most_bytes(limits, RelayOptions(max_file_mb=1.5)) == 1_500_000
    assert most_bytes(limits, RelayOptions(max_file_mb=100)) == 50_000_000


async def test_what_is_too_large_to_be_converted_is_sent_as_it_is(
    tmp_path: Path, supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its origin does not say how large it is; the target takes it."""
    monkeypatch.setattr("bridge.files.fetch.SOURCE_BYTES", 4)
    spool = Spool(tmp_path / "spool", 1000)
    spool.open()
    found = Conversions(spool, Converter(SYSTEM_CLOCK))
    fetcher = FileFetcher(spool, lambda _: cast(Any, supplier), SYSTEM_CLOCK, found)
    supplier.files["v"] = b"OggS voice"
    voice = Attachment(kind=AttachmentKind.VOICE, file_id="v", name="v.ogg", mime=OGG)
    form = Form(kind=AttachmentKind.AUDIO, mime=M4A)
    assert found.can(ORIGIN, voice, form)
    async with AsyncExitStack() as stack:
        (result,) = await fetcher.fetch_all(
            stack,
            event_seq=1,
            origin=ORIGIN,
            content=Content(attachments=(voice,)),
            most_bytes=100,
            patience=Patience.WAIT,
            within_s=60.0,
            form_of=lambda _: form,
        )
        assert result.problem == ""
        assert result.file is not None
        assert result.file.path.read_bytes() == b"OggS voice"
    assert not found.can(ORIGIN, voice, form), "it is not fetched for that again"
    await fetcher.close()
    spool.close()


async def test_a_late_file_says_what_it_is_being_converted_to(tmp_path: Path, supplier: Supplier) -> None:
    """It may have been sent as that before, and is then looked for as that."""
    spool = Spool(tmp_path / "spool", 1000)
    spool.open()
    fetcher = FileFetcher(spool, lambda _: cast(Any, supplier), SYSTEM_CLOCK, Conversions(spool, Converter(SYSTEM_CLOCK)))
    supplier.files["s"] = RetryLater("the origin is down")
    sticker = Attachment(kind=AttachmentKind.STICKER, file_id="s", name="Foxes.tgs", mime=TGS, size_bytes=50)
    form = Form(kind=AttachmentKind.ANIMATION, mime=GIF)
    async with AsyncExitStack() as stack:

        async def fetch_it(patience: Patience) -> FetchResult:
            content = Content(attachments=(sticker,))
            sizes: Any = {"most_bytes": 100, "within_s": 60.0, "patience": patience}
            (found,) = await fetcher.fetch_all(stack, event_seq=1, origin=ORIGIN, content=content, form_of=lambda _: form, **sizes)
            return found

        late = await fetch_it(Patience.LATER)
        assert (late.late, late.form) == (True, form)
        with pytest.raises(FileNotYet) as not_yet:
            await fetch_it(Patience.WAIT)
        assert not_yet.value.form == form
    await fetcher.close()
    spool.close()
    there = stand_in(0, late)
    assert (there.name, there.mime, there.attachment.kind, there.size_bytes) == ("Foxes.gif", GIF, AttachmentKind.ANIMATION, 0)
    assert stand_in(0, replace(late, form=None)).size_bytes == 50
    voice = Attachment(kind=AttachmentKind.VOICE, file_id="v", name="v.ogg", mime=OGG, size_bytes=60)
    heard = Form(kind=AttachmentKind.VOICE, mime=OGG, waveform=True)
    assert stand_in(0, FetchResult(attachment=voice, late=True, form=heard)).size_bytes == 60, "its bytes stay"
