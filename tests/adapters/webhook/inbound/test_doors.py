"""What arrives by a key, through the real listener: each sender's own form, and what it is told."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.webhook.inbound import multipart
from bridge.model.adapter import FileStream
from bridge.model.events import AttachmentKind
from bridge.model.web_mount import HONEYPOT_FIELD
from tests.adapters.webhook.harness import Answer, Hooks, shown
from tests.support.intake import Gate
from tests.support.patience import PATIENCE_S, eventually

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
BROWSER = {**FORM, "Accept": "text/html,application/xhtml+xml"}


async def posted(hooks: Hooks, data: Any, headers: dict[str, str] | None = None, **more: Any) -> tuple[Answer, str]:
    """The answer, and what a person sees."""
    answer = await hooks.post("alerts", data, headers=headers or {}, **more)
    return answer, shown(hooks.last()) if hooks.intake.events else ""


# -- bodies ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "headers", "words"),
    [
        (b"just words", {}, "just words"),
        (b"just words", FORM, "just words"),
        ("привет, мир".encode(), FORM, "привет, мир"),
        (b"a & b = c?", FORM, "a & b = c?"),
        (b"1+1", {"Content-Type": "text/plain"}, "1+1"),
        ("\ufeffwith a mark".encode(), {"Content-Type": "text/plain"}, "with a mark"),
        ("привет".encode("cp1251"), {"Content-Type": "text/plain"}, "привет"),
        ("grüße".encode("latin-1"), {"Content-Type": "text/plain"}, "grüße"),
        ("grüße".encode("latin-1"), {"Content-Type": "text/plain; charset=ISO-8859-1"}, "grüße"),
        ("привет".encode("koi8-r"), {"Content-Type": "text/plain; charset=koi8-r"}, "привет"),
        ("слово".encode("utf-16"), {"Content-Type": "text/plain"}, "слово"),
        (b'{"message": "in JSON"}', JSON, "in JSON"),
        (b'{"message": "in JSON"}', FORM, "in JSON"),
        (b'{"message": "in JSON"}', {}, "in JSON"),
        (b'{"message": "in JSON"}', {"Content-Type": "application/json; charset=utf-8"}, "in JSON"),
        (b'\xef\xbb\xbf{"message": "in JSON"}', JSON, "in JSON"),
        ('{"message": "слово"}'.encode("utf-16"), JSON, "слово"),
        ('{"message": "слово"}'.encode("cp1251"), {"Content-Type": "application/json; charset=windows-1251"}, "слово"),
        (b'"only a text"', JSON, "only a text"),
        (b"{not JSON at all}", {"Content-Type": "text/plain"}, "{not JSON at all}"),
        (b"text=some+words", FORM, "some words"),
        ("text=слово и слово".encode(), FORM, "слово и слово"),
        ("name=%CF%E5%F2%FF&message=%EF%F0%E8%E2%E5%F2&_charset_=windows-1251", FORM, "name: Петя\nmessage: привет"),
        ("message=%EF%F0%E8%E2%E5%F2&b=c", FORM, "message: привет\nb: c"),
        ("message=gr%FC%DFe&b=c", FORM, "message: grüße\nb: c"),
        ("a=1&a=2&b=", FORM, "a: 1, 2"),
        ("payload=%7B%22text%22%3A%22from+a+field%22%7D", FORM, "from a field"),
        ("data=%7B%22message%22%3A%22kuma%22%7D", FORM, "kuma"),
    ],
)
async def test_a_body_is_read_for_what_it_is(hooks: Hooks, data: Any, headers: dict[str, str], words: str) -> None:
    headers = headers or {"Content-Type": ""}
    answer, said = await posted(hooks, data, headers)
    assert (answer.status, said) == (200, words), answer.text


@pytest.mark.parametrize(
    ("data", "headers", "status", "why"),
    [
        (b"", {}, 400, "empty"),
        (b" \n", JSON, 400, "empty"),
        (b'{"a": "$NAME\n"}', JSON, 400, "line 1, column 13"),
        (b'{"text": "x"', {}, 400, "no JSON"),
        (b"[" * 100_000, JSON, 400, "no JSON"),
        (b"9" * 5000, JSON, 400, "no JSON"),
        (b"[1, 2]", JSON, 422, "no object"),
        (b'{"value": 3, "token": "s3cret"}', JSON, 422, "says what to show"),
        (b"<a/>", {"Content-Type": "application/xml"}, 415, "application/xml"),
        (gzip.compress(b'{"text": "x"}', mtime=0), JSON, 415, "compressed"),
        ("&".join(f"a{n}=b" for n in range(300)), FORM, 400, "fields"),
        (b"payload=%7Bnot", FORM, 400, "no JSON"),
        (b"x", {"Content-Type": "multipart/form-data"}, 400, "boundary"),
        (b"x", {"Content-Type": "multipart/form-data; boundary=y"}, 400, "well formed"),
        (b"{}", JSON, 422, "says what to show"),
        (b'{"embeds": []}', JSON, 422, "Discord"),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_of_ours(hooks: Hooks, data: Any, headers: Any, status: int, why: str) -> None:
    answer = await hooks.post("alerts", data, headers=headers or {"Content-Type": ""})
    assert answer.status == status, answer.text
    assert why in answer.text
    assert "s3cret" not in answer.text
    assert not any(word in answer.text for word in ("Traceback", "aiohttp", "/tmp", "/hooks"))
    assert not hooks.intake.events


@pytest.mark.parametrize(
    "body",
    [
        b'{"message": "\\ud800 half"}',
        b'{"title": "\\ud800", "message": "x", "fields": {"\\ud83d": "\\udfff"}}',
        b'{"message": "x", "author": "\\udfff", "id": "\\ud83d"}',
        b'{"content": "x", "username": "\\ud83d"}',
        b'{"content": "x", "poll": {"question": {"text": "\\ud83d"}, "answers": []}}',
        b'{"text": "\\ud83d x", "attachments": [{"text": "\\ud800"}]}',
        b'{"message": "x", "priority": 1e400, "tags": [1, null, "a"], "fields": {"a": 1e999}}',
        b'{"message": 123456789012345678901234567890}',
        b'{"value": 123456789012345678901234567890, "half": "\\ud800"}',
        b'{"value": ' + b"[" * 500 + b"]" * 500 + b"}",
    ],
)
async def test_what_json_can_carry_costs_nobody_anything(hooks: Hooks, body: bytes) -> None:
    answer = await hooks.post("alerts", body, headers=JSON)
    assert answer.status in (200, 204, 400, 422), answer.text
    assert (await hooks.post("alerts", b"the next", headers={"Content-Type": "text/plain"})).status == 200
    for event in hooks.intake.events:
        shown(event).encode()


@pytest.mark.parametrize(
    "head",
    [
        "Content-Type: text/plain; charset=\udcff",
        "Content-Type: \udcff\udcfe",
        "Content-Type: text/plain; charset=unicode-escape",
        "Content-Type: text/plain; charset*=utf-8''%FF",
        "Content-Type: multipart/form-data; boundary=\udcff",
        "Title: =?unicode-escape?q?=5Cud800?=",
        "Title: =?none?b?!!!?=",
        "Filename: \udcff\udcfe",
        "Idempotency-Key: \udcff",
        "Accept: \udcff",
    ],
)
async def test_no_header_is_a_bug(hooks: Hooks, head: str) -> None:
    host, _, path = (await hooks.key("alerts")).removeprefix("http://").partition("/")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    request = (
        f"POST /{path}?%FF=%FE&title=%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{head}\r\nContent-Length: 7\r\n\r\nthe end"
    )
    writer.write(request.encode("utf-8", "surrogateescape"))
    async with asyncio.timeout(PATIENCE_S):
        status = int((await reader.read()).split()[1])
    writer.close()
    assert status in (200, 400, 415)
    assert (await hooks.post("alerts", b"the next", headers={"Content-Type": "text/plain"})).status == 200


async def test_what_no_template_can_show_is_kept_for_the_admin(hooks: Hooks) -> None:
    await hooks.post("alerts", b'{"value": 3}', headers=JSON)
    assert hooks.intake.undecoded == [(b'{"value": 3}', hooks.intake.undecoded[0][1])]
    assert hooks.intake.undecoded[0][1].startswith("alerts: ")


async def test_compressed_bodies_are_refused_with_the_reason(hooks: Hooks) -> None:
    answer = await hooks.post("alerts", gzip.compress(b"{}"), headers={**JSON, "Content-Encoding": "gzip"})
    assert answer.status == 415
    assert "Content-Encoding" in answer.text or "compressed" in answer.text


# -- forms of other platforms' webhooks, and their answers ----------------------------------------------------------------------

SLACK = {"username": "CI", "icon_url": "https://example.com/a.png", "text": "*done* <https://example.com|log>"}


async def test_slacks_form_is_answered_with_ok(hooks: Hooks) -> None:
    for data, headers in ((json.dumps(SLACK), JSON), (aiohttp.FormData({"payload": json.dumps(SLACK)}), None)):
        answer, said = await posted(hooks, data, headers)
        assert (answer.status, answer.text, said) == (200, "ok", "done log")
        author = hooks.last().meta.author
        assert author is not None
        assert (author.name, author.avatar_url, author.is_bot) == ("CI", "https://example.com/a.png", True)


async def test_alertmanagers_slack_form_has_attachments_alone(hooks: Hooks) -> None:
    box = {"title": "[FIRING:1] Disk", "text": "full", "fallback": "x"}
    post = {"channel": "#a", "username": "Alertmanager", "attachments": [box]}
    answer, said = await posted(hooks, json.dumps(post), JSON)
    assert (answer.text, said) == ("ok", "[FIRING:1] Disk\nfull")


async def test_mattermosts_form_is_answered_with_ok(hooks: Hooks) -> None:
    post = {"text": "**bold** words", "channel": "town", "props": {"attachments": [{"title": "Box"}]}}
    answer, said = await posted(hooks, json.dumps(post), JSON)
    assert (answer.status, answer.text) == (200, "ok")
    assert said == "bold words\nBox"


async def test_discords_form_is_answered_with_nothing_or_the_message(hooks: Hooks) -> None:
    who = {"username": "Bot", "avatar_url": "https://example.com/b.png"}
    post = json.dumps({"content": "**hi**", "embeds": [{"title": "e"}], **who})
    answer, said = await posted(hooks, post, JSON)
    assert (answer.status, answer.body, said) == (204, b"", "hi\ne")
    answer, _ = await posted(hooks, post, JSON, query="?wait=true")
    assert json.loads(answer.body)["id"]


async def test_json_is_answered_with_the_messages_id(hooks: Hooks) -> None:
    answer, said = await posted(
        hooks,
        json.dumps({"title": "Backup", "message": "is done", "url": "https://example.com/b", "priority": 5, "tags": ["tada"]}),
        JSON,
    )
    assert json.loads(answer.body) == {"id": hooks.created()[0].message_id}
    assert said == "Backup\nis done\n‼️ highest priority\n🏷️ tada"
    author = hooks.last().meta.author
    assert author is not None
    assert author.name == "a sender"


async def test_fields_and_authors_of_nobodys_json(hooks: Hooks) -> None:
    data = {
        "text": "look",
        "author": {"name": "Anna"},
        "fields": {"Site": "web1", "Load": 0.5, "Up": True, "secret": {"not": "shown"}},
        "token": "s3cret",
    }
    _, said = await posted(hooks, json.dumps(data), JSON)
    assert said == "look\nSite: web1\nLoad: 0.5\nUp: true"
    author = hooks.last().meta.author
    assert author is not None
    assert author.name == "Anna"


# -- ntfy's headers ---------------------------------------------------------------------------------------------------------------


async def test_title_priority_tags_and_click_come_in_headers(hooks: Hooks) -> None:
    headers = {**FORM, "Title": "Backup", "Priority": "high", "Tags": "warning, disk", "Click": "https://example.com/x"}
    answer, said = await posted(hooks, b"it failed", headers)
    assert answer.status == 200
    assert said == "Backup\nit failed\n❗ high priority\n🏷️ warning, disk"


@pytest.mark.parametrize("title", ["=?UTF-8?B?0J/RgNC40LLQtdGC?=", "=?utf-8?q?=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82?="])
async def test_titles_may_be_encoded_as_in_mail(hooks: Hooks, title: str) -> None:
    assert (await posted(hooks, b"x", {"X-Title": title}))[1] == "Привет\nx"


async def test_titles_may_be_raw_utf8(hooks: Hooks) -> None:
    """As curl sends them."""
    url = await hooks.key("alerts")
    host, _, path = url.removeprefix("http://").partition("/")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(f"POST /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTitle: Привет\r\nContent-Length: 2\r\n\r\nhi".encode())
    async with asyncio.timeout(PATIENCE_S):
        assert b" 200 " in (await reader.read()).split(b"\r\n", 1)[0]
    writer.close()
    assert shown(hooks.last()) == "Привет\nhi"


# -- GET --------------------------------------------------------------------------------------------------------------------------

VISITOR = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}


async def test_a_page_that_was_called_is_told(hooks: Hooks) -> None:
    answer = await hooks.post("pages", method="GET", headers={**VISITOR, "Referer": "https://example.com/prices?secret=1"})
    assert answer.status == 200
    assert hooks.words() == ["👁 pages was called\nPage: https://example.com/prices"]
    await hooks.post("pages", method="GET", headers=VISITOR, query="?title=Shop&text=somebody+looks")
    assert hooks.words()[1] == "Shop\nsomebody looks"


async def test_a_picture_is_answered_where_one_is_asked_for(hooks: Hooks) -> None:
    answer = await hooks.post("pages", method="GET", headers={**VISITOR, "Accept": "image/avif,image/webp,*/*"})
    assert answer.headers["Content-Type"] == "image/gif"
    assert answer.body.startswith(b"GIF89a")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
        {"User-Agent": "TelegramBot (like TwitterBot)"},
        {"User-Agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"},
        {"User-Agent": "facebookexternalhit/1.1"},
        {"User-Agent": "WhatsApp/2.23.20.0"},
        {"User-Agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"},
        {"User-Agent": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"},
        {"User-Agent": "mattermost-bot/1.1"},
        {**VISITOR, "Sec-Purpose": "prefetch;prerender"},
        {**VISITOR, "Purpose": "prefetch"},
    ],
)
async def test_robots_and_heads_post_nothing(hooks: Hooks, headers: dict[str, str]) -> None:
    assert (await hooks.post("pages", method="GET", headers=headers)).status == 200
    assert (await hooks.post("pages", method="HEAD", headers=VISITOR)).status == 200
    assert not hooks.intake.events
    assert hooks.intake.ignored_reasons["a robot looked at the page"] == 2


async def test_where_get_is_off_it_is_refused(hooks: Hooks) -> None:
    answer = await hooks.post("alerts", method="GET", headers=VISITOR)
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST, PUT"
    assert not hooks.intake.events


async def test_put_is_as_good_as_post(hooks: Hooks) -> None:
    """Grafana's legacy alerts may be told by PUT."""
    assert (await hooks.post("alerts", b"x", method="PUT")).status == 200
    assert (await hooks.post("alerts", b"x", method="DELETE")).status == 405


# -- forms of websites ----------------------------------------------------------------------------------------------------------


async def contact(tmp_path: Path, **form: Any) -> Hooks:
    return Hooks(tmp_path, {"contact": {"form": {"honeypot": "website", **form}}})


async def test_a_form_shows_its_fields_and_a_page_of_thanks(tmp_path: Path) -> None:
    form = {"title": "From the site", "fields": {"name": "Name", "mail": "Mail", "message": "Message"}, "thanks": "Спасибо <3"}
    async with await contact(tmp_path, **form) as hooks:
        key = await hooks.key("contact", is_form=True, label="site")
        answer = await hooks.call("POST", key, data="name=Anna&message=hi%0Athere&csrf_token=x&other=no&website=", headers=BROWSER)
        assert answer.status == 200
        assert "Спасибо &lt;3" in answer.text
        assert "script" not in answer.text
        assert hooks.words() == ["From the site\nName: Anna\nMessage:\nhi\nthere"]
        author = hooks.last().meta.author
        assert author is not None
        assert (author.name, author.is_bot) == ("Anna", False)


async def test_a_form_redirects_a_browser_and_answers_a_script(tmp_path: Path) -> None:
    async with await contact(tmp_path, redirect="https://www.example.com/thanks") as hooks:
        key = await hooks.key("contact", is_form=True)
        answer = await hooks.call("POST", key, data="message=hi", headers=BROWSER)
        assert (answer.status, answer.headers["Location"]) == (303, "https://www.example.com/thanks")
        answer = await hooks.call("POST", key, data="message=hi", headers={**FORM, "Accept": "*/*"})
        assert json.loads(answer.body)["id"]


async def test_who_fills_in_the_hidden_field_of_our_own_forms_is_a_robot(tmp_path: Path) -> None:
    async with Hooks(tmp_path, {"contact": {}}) as hooks:
        key = await hooks.key("contact", is_form=True)
        answer = await hooks.call("POST", key, data=f"message=buy&{HONEYPOT_FIELD}=spam", headers=BROWSER)
        assert (answer.status, hooks.intake.events) == (200, [])
        await hooks.call("POST", key, data=f"message=hello&{HONEYPOT_FIELD}=", headers=BROWSER)
        assert hooks.words() == ["hello"]


async def test_who_fills_in_what_nobody_sees_is_a_robot(tmp_path: Path) -> None:
    async with await contact(tmp_path) as hooks:
        key = await hooks.key("contact", is_form=True)
        answer = await hooks.call("POST", key, data="message=buy&website=http%3A%2F%2Fspam", headers=BROWSER)
        assert answer.status == 200
        assert "Thank you" in answer.text
        assert not hooks.intake.events
        answer = await hooks.call("POST", key, data="message=", headers=BROWSER)
        assert answer.status == 400
        assert "text/html" in answer.headers["Content-Type"]


# -- files ------------------------------------------------------------------------------------------------------------------------


async def read(hooks: Hooks, attachment: Any) -> bytes:
    async with hooks.adapter.open_file(attachment) as stream:
        assert isinstance(stream, FileStream)
        return b"".join([chunk async for chunk in stream.chunks])


def with_file(content: bytes, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, value)
    form.add_field("file", io.BytesIO(content), filename="C:\\Users\\Anna\\report.png", content_type="image/png")
    form.add_field("empty", b"", filename="", content_type="application/octet-stream")
    return form


async def test_files_of_a_form_survive_a_restart(hooks: Hooks) -> None:
    content = b"0123456789abcdef" * 60_000
    answer, said = await posted(hooks, with_file(content, text="see"))
    assert (answer.status, said) == (200, "see")
    (file,) = hooks.created()[0].content.attachments
    assert (file.kind, file.name, file.mime, file.size_bytes) == (AttachmentKind.PHOTO, "report.png", "image/png", len(content))
    await hooks.end()
    await hooks.begin()
    assert await read(hooks, file) == content


async def test_discords_files_come_with_payload_json(hooks: Hooks) -> None:
    form = with_file(
        b"picture", payload_json=json.dumps({"content": "look", "embeds": [{"image": {"url": "attachment://report.png"}}]})
    )
    answer, said = await posted(hooks, form)
    assert answer.status == 204
    assert said.startswith("look")
    assert [file.name for file in hooks.created()[0].content.attachments] == ["report.png"]


async def test_a_body_may_be_the_file_itself(hooks: Hooks) -> None:
    """`curl -T`."""
    headers = {"Filename": "notes.txt", "Title": "Notes", "Content-Type": ""}
    answer, said = await posted(hooks, b"line\n" * 10, headers, method="PUT")
    assert (answer.status, said) == (200, "Notes")
    (file,) = hooks.created()[0].content.attachments
    assert (file.name, file.mime, file.kind) == ("notes.txt", "text/plain", AttachmentKind.DOCUMENT)
    assert await read(hooks, file) == b"line\n" * 10
    await posted(hooks, b"\xff\xd8", {"Content-Type": "image/jpeg"})
    assert hooks.created()[1].content.attachments[0].name.endswith((".jpg", ".jpeg"))


def kept(hooks: Hooks) -> list[str]:
    return sorted(path.name for path in hooks.received.iterdir()) if hooks.received.is_dir() else []


async def test_what_is_too_large_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    async with Hooks(tmp_path, {"alerts": {"max_received_mb": 1}}) as hooks:
        key = await hooks.key("alerts", most_bytes=10_000_000)
        answer = await hooks.call("POST", key, data=with_file(b"x" * 1_500_000))
        assert answer.status == 413

        async def drip() -> Any:
            for _ in range(30):
                yield b"x" * 50_000

        assert (await hooks.call("POST", key, data=drip(), headers={"Filename": "x"})).status == 413
        assert kept(hooks) == []
        assert not hooks.intake.events


async def test_a_broken_form_leaves_no_file(hooks: Hooks) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nwords\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    for more in (b"", b"--b\r\nbroken", b'--b\r\nContent-Disposition: form-data; name="payload"\r\n\r\n{no\r\n--b--\r\n'):
        answer = await hooks.post("alerts", part + more, headers=headers)
        assert answer.status == 400, answer.text
    assert kept(hooks) == []
    assert not hooks.intake.events


async def test_a_sender_that_hangs_up_leaves_no_file(hooks: Hooks) -> None:
    url = await hooks.key("alerts")
    host, _, path = url.removeprefix("http://").partition("/")
    _, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(f"PUT /{path} HTTP/1.1\r\nHost: x\r\nFilename: a\r\nContent-Length: 100000\r\n\r\n{'x' * 50_000}".encode())
    await eventually(lambda: kept(hooks), what="the file begins")
    writer.close()
    await eventually(lambda: not kept(hooks), what="the file is gone")
    assert not hooks.intake.events


async def test_too_many_files_and_parts_are_refused(hooks: Hooks) -> None:
    form = aiohttp.FormData()
    for number in range(multipart.MOST_FILES + 1):
        form.add_field("f", b"x", filename=f"{number}.txt")
    assert (await posted(hooks, form))[0].status == 413
    assert kept(hooks) == []


# -- order, and a core that is slow or down --------------------------------------------------------------------------------------


async def test_the_answer_comes_after_the_commit_and_order_is_that_of_arrival(hooks: Hooks) -> None:
    gate = Gate()
    hooks.intake.before_accept = gate
    first = asyncio.create_task(hooks.post("alerts", b"0"))
    await eventually(lambda: gate.held, what="the first is being stored")
    rest = []
    for number in range(1, 20):
        rest.append(asyncio.create_task(hooks.post("alerts", str(number).encode())))
        await eventually(lambda number=number: len(hooks.adapter._receiver._waiting) == number, what=f"{number} wait")
    assert not first.done()
    gate.open()
    assert {answer.status for answer in await asyncio.gather(first, *rest)} == {200}
    assert hooks.words() == [str(number) for number in range(20)]
    assert hooks.intake.batch_sizes == [1, 19]  # what waited was stored at once


async def test_a_core_that_fails_is_no_success(hooks: Hooks) -> None:
    async def fail() -> None:
        raise RuntimeError("the disk is full")

    hooks.intake.before_accept = fail
    answer = await hooks.post("alerts", b"x")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    with pytest.raises(RuntimeError):
        await hooks.running
    hooks.intake.before_accept = None
    assert (await hooks.post("alerts", b"x")).status == 503
    await hooks.begin()
    assert (await hooks.post("alerts", b"x")).status == 200
    assert hooks.words() == ["x"]
