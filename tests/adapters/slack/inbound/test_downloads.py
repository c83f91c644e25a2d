"""Files from Slack under bad conditions: never a login page, half a file, or our token in the wrong place."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from adapters.common.emulation.contract import Fault, FaultKind, Upload
from adapters.slack.emulator import SlackEmulator
from bridge.model.errors import BridgeError, Rejected, RetryLater
from bridge.model.events import Attachment, AttachmentKind, MessageCreated
from tests.support.patience import eventually


async def received(account: Any, emulator: SlackEmulator, content: bytes = b"content" * 1000) -> Attachment:
    chat = account.chat()
    await emulator.say(chat, "Anna", "", files=[Upload(name="a.pdf", mime="application/pdf", content=content)])
    await eventually(lambda: account.intake.of(MessageCreated))
    attachment: Attachment = account.intake.of(MessageCreated)[-1].content.attachments[0]
    return attachment


async def read(adapter: Any, attachment: Attachment) -> bytes:
    async with adapter.open_file(attachment) as stream:
        return b"".join([chunk async for chunk in stream.chunks])


async def test_a_file_that_is_not_ready(account: Any, emulator: SlackEmulator) -> None:
    adapter = await account.start()
    attachment = await received(account, emulator)
    emulator.files.download_not_ready = 1
    with pytest.raises(RetryLater):
        await read(adapter, attachment)
    assert await read(adapter, attachment) == b"content" * 1000


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(kind=FaultKind.SERVER_ERROR, status=502), RetryLater),
        (Fault(kind=FaultKind.RATE_LIMIT), RetryLater),
        (Fault(kind=FaultKind.DROP), RetryLater),
        (Fault(kind=FaultKind.UNAUTHORIZED), RetryLater),
    ],
    ids=lambda value: str(getattr(value, "kind", "")),
)
async def test_failing_downloads(account: Any, emulator: SlackEmulator, fault: Fault, error: type[BridgeError]) -> None:
    import msgspec

    adapter = await account.start()
    attachment = await received(account, emulator)
    # a GET on a kept connection is repeated by aiohttp itself
    times = 2 if fault.kind is FaultKind.DROP else 1
    emulator.inject(msgspec.structs.replace(fault, operation="files.download", times=times))
    with pytest.raises(error):
        await read(adapter, attachment)
    assert await read(adapter, attachment) == b"content" * 1000


async def test_deleted_and_hidden_files(account: Any, emulator: SlackEmulator) -> None:
    adapter = await account.start()
    attachment = await received(account, emulator)
    emulator.workspace.files[attachment.file_id.split(" ")[0]].deleted = True
    with pytest.raises(Rejected):
        await read(adapter, attachment)
    with pytest.raises(Rejected):
        await read(adapter, Attachment(kind=AttachmentKind.DOCUMENT, file_id="F1", problem="deleted in Slack"))
    with pytest.raises(Rejected):
        await read(adapter, Attachment(kind=AttachmentKind.DOCUMENT, file_id="F0NOSUCH"))


async def test_a_file_known_by_its_id_only(account: Any, emulator: SlackEmulator) -> None:
    adapter = await account.start()
    attachment = await received(account, emulator)
    bare = Attachment(kind=AttachmentKind.DOCUMENT, file_id=attachment.file_id.split(" ")[0], name="a.pdf")
    assert await read(adapter, bare) == b"content" * 1000


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/files-pri/x",
        "https://slack.com.evil.example/x",
        "https://evil.example/?slack.com",
        "https://slack.com@evil.example/x",
        "http://files.slack.com/x",
        "file:///etc/passwd",
        "https://[broken",
    ],
)
async def test_our_token_goes_to_slack_only(account: Any, url: str) -> None:
    adapter = account.build()
    with pytest.raises(Rejected):
        await read(adapter, Attachment(kind=AttachmentKind.DOCUMENT, file_id=f"F1 {url}", name="x"))


async def test_a_body_that_ends_early_never_looks_whole(account: Any) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/pdf"})
        await response.prepare(request)
        await response.write(b"x" * 500)
        assert request.transport is not None
        request.transport.abort()
        return response

    async def short(request: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 500, content_type="application/pdf")

    app = web.Application()
    app.add_routes([web.get("/half", half), web.get("/short", short)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    adapter = account.build(api_url=f"{base}/api")
    for path in ("half", "short"):
        attachment = Attachment(
            kind=AttachmentKind.DOCUMENT, file_id=f"F1 {base}/{path}", name="x", mime="application/pdf", size_bytes=1000
        )
        with pytest.raises(RetryLater):
            await read(adapter, attachment)
    await runner.cleanup()


async def test_without_the_scope_a_file_is_given_up_at_once(account: Any, emulator: SlackEmulator) -> None:
    emulator.workspace.scopes.discard("files:read")
    adapter = await account.start()
    attachment = await received(account, emulator)
    with pytest.raises(Rejected, match="files:read"):
        await read(adapter, attachment)
    assert not {"files.download", "files.info"} & set(emulator.calls())
    # also where it was taken away later: Slack's page is looked into
    adapter._transport.granted = frozenset()
    with pytest.raises(Rejected, match="files:read"):
        await read(adapter, attachment)


async def test_a_file_that_never_gets_ready_is_waited_for_so_long(account: Any, emulator: SlackEmulator) -> None:
    adapter = await account.start()
    now_s = [0.0]
    adapter._downloads._clock = lambda: now_s[0]
    attachment = await received(account, emulator)
    emulator.files.download_not_ready = 100
    for at_s in (0.0, 10.0, 119.0):
        now_s[0] = at_s
        with pytest.raises(RetryLater) as caught:
            await read(adapter, attachment)
        assert caught.value.after_s
    now_s[0] = 121.0
    with pytest.raises(Rejected):
        await read(adapter, attachment)
    emulator.files.download_not_ready = 0
    assert await read(adapter, attachment) == b"content" * 1000


@pytest.mark.parametrize("mime", ["application/vnd.slack-docs", "application/vnd.slack-list"])
async def test_pages_that_an_older_version_kept_as_files(account: Any, emulator: SlackEmulator, mime: str) -> None:
    import msgspec

    adapter = await account.start()
    attachment = msgspec.structs.replace(await received(account, emulator), mime=mime)
    with pytest.raises(Rejected, match="no file"):
        await read(adapter, attachment)
    assert "files.download" not in emulator.calls()


@pytest.mark.parametrize("status", [400, 403, 404, 410, 416])
async def test_refusals_for_good(account: Any, emulator: SlackEmulator, status: int) -> None:
    adapter = await account.start()
    attachment = await received(account, emulator)
    emulator.inject(Fault(kind=FaultKind.SERVER_ERROR, status=status, operation="files.download", times=1))
    with pytest.raises(Rejected):
        await read(adapter, attachment)


async def test_html_files_are_files(account: Any, emulator: SlackEmulator) -> None:
    adapter = await account.start()
    chat = account.chat()
    content = b"<!DOCTYPE html><html><body>mine</body></html>"
    await emulator.say(chat, "Anna", "", files=[Upload(name="a.html", mime="text/html", content=content)])
    await eventually(lambda: account.intake.of(MessageCreated))
    [attachment] = account.intake.of(MessageCreated)[-1].content.attachments
    assert await read(adapter, attachment) == content
    # Slack's own page is told by its length
    emulator.files.download_not_ready = 1
    with pytest.raises(RetryLater):
        await read(adapter, attachment)
