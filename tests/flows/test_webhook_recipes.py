"""Every recipe of docs/webhooks.md, in both languages, run as it stands: the configuration, each call of curl, the form, the
picture, the addresses of apprise, the bot program. Only hosts and keys are put in."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import shlex
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import aiohttp
import apprise
import pytest
import yaml

from adapters.common.emulation.contract import Upload
from tests.adapters.webhook.inbound.senders import GITHUB
from tests.flows.hooked import Hooked, running
from tests.support.network import free_port
from tests.support.patience import PATIENCE_S, eventually, eventually_asked
from tests.support.recipes import PAGES, in_words_of, of_language, shell_lines, table_codes

SECRET, SERVER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "https://bridge.example.com"
PDF = b"%PDF-1.4 a report"


class Recipes(Hooked):
    """The ends are those of the page's own snippets; all lead to Telegram's group. The bot is in TeamSpirit's chat as well."""

    def __init__(self, folder: Path, page: str) -> None:
        super().__init__(folder, "teamspirit")
        self.page = page
        self.bot_port = free_port()

    def document(self) -> dict[str, Any]:
        document = super().document()
        ends: dict[str, Any] = {"reader": {"fetch": True}}
        for text in of_language(self.page, "yaml"):
            snippet = yaml.safe_load(text.replace("${GITHUB_SECRET}", "hush"))
            if "routes" not in snippet:
                ends |= snippet
            elif "accounts" in snippet:
                ends |= snippet["accounts"]["hooks"]["ends"]
        ends["bot"]["url"] = f"http://127.0.0.1:{self.bot_port}/hook"
        hooks = {"platform": "webhook", "secret": SECRET, "allow_hosts": ["127.0.0.0/8"], "ends": ends}
        document["accounts"]["hooks"] = hooks
        group = f"telegram/{self.chats['telegram'].address}"
        document["routes"] = [
            {"name": "in", "from": [f"hooks/{end}" for end in ends if end not in ("reader", "bot")], "to": group},
            {"name": "bot", "between": ["hooks/bot", group]},
            {"name": "bot of TeamSpirit", "between": ["hooks/bot", f"teamspirit/{self.chats['teamspirit'].address}"]},
            {"name": "out", "from": group, "to": "hooks/reader"},
        ]
        return document

    def words(self, english: str) -> str:
        return in_words_of(self.page, english)

    async def group(self, *needles: str, besides: Sequence[Any] = ()) -> Any:
        """The message in the group that has all of them, once it is there; `besides` those."""
        known = {one.message_id for one in besides}

        def look() -> Any:
            seen = [one for one in self.seen("telegram") if one.message_id not in known]
            return [one for one in seen if all(needle in one.text for needle in needles)]

        (found,) = await eventually(look, f"{needles} in {self.texts('telegram')}")
        return found


@pytest.fixture(params=PAGES)
async def recipes(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Recipes]:
    async with running(Recipes(tmp_path, request.param)) as world:
        yield world


async def run(*arguments: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(*arguments, cwd=folder, stdout=-1, stderr=-1)
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE_S)
    assert process.returncode == 0, (arguments, out, err)
    return out.decode()


async def curl(line: str, folder: Path, **places: str) -> str:
    """Run a line of the page, with addresses for its placeholders."""
    if shutil.which("curl") is None:
        pytest.skip("curl is missing")
    _, *words = shlex.split(line)
    given = [places.get(word, word) for word in words]
    assert given != words, f"no placeholder in {line!r}"
    return await run("curl", "--silent", "--show-error", "--fail-with-body", "--noproxy", "*", *given, folder=folder)


async def made_key(world: Recipes, line: str = "messenger-bridge keys create hooks/alerts --in") -> str:
    """The address that the command prints."""
    _, *words = shlex.split(line)
    out = await run(sys.executable, "-m", "bridge.cli", *words, "-c", str(world.folder / "bridge.yaml"), folder=Path.cwd())
    found = re.search(r"http://\S+/(in|out)/\S+", out)
    assert found, out
    return found[0]


async def test_each_line_of_a_script_posts_what_it_says(recipes: Recipes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(PDF)
    (line,) = shell_lines(recipes.page, "messenger-bridge")
    url = await made_key(recipes, line)
    words = recipes.words
    expected = [
        (words("The backup is done"),),
        (words("Title: Backup").removeprefix("Title: "), words("It failed"), "disk", "high priority"),
        (words("**failed**").strip("*"),),
        (words("The report"),),
        (),
        (words('"text": "running"').split('"')[3],),
        (words('"text": "done"').split('"')[3],),
    ]
    lines = [line for line in shell_lines(recipes.page, "curl") if "FILE_URL" not in line]
    assert lines[-1] == lines[3], "the line of a file stands on the page twice"
    sent: list[Any] = []
    for line, needles in zip(lines[:-1], expected, strict=True):
        await curl(line, tmp_path, URL=url)
        if needles:
            sent.append(await recipes.group(*needles, besides=sent[:4]))
    assert "Grafana" in sent[0].text, "the key's label is shown"
    assert sent[-1].message_id == sent[-2].message_id, "one message that changes"
    files = await eventually(lambda: two([file for seen in recipes.seen("telegram") for file in seen.files]), "both files")
    assert {(file.name, file.sha256) for file in files} == {("report.pdf", hashlib.sha256(PDF).hexdigest())}


def two(found: list[Any]) -> list[Any] | None:
    return found if len(found) == 2 else None


class Form(HTMLParser):
    """The fields of a page's form, and where it and pictures lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.hidden: list[str] = []
        self.files: list[str] = []
        self.attributes: dict[str, str | None] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("form", "img"):
            self.attributes = given
        if name := given.get("name"):
            group = self.files if given.get("type") == "file" else self.hidden if given.get("style") else self.names
            group.append(name)


async def test_the_form_reaches_the_group_and_a_robot_does_not(recipes: Recipes) -> None:
    form = Form(of_language(recipes.page, "html")[0])
    assert (form.attributes["action"], form.attributes["method"]) == ("URL", "post")
    assert (form.names, form.hidden, form.files) == (["name", "message"], ["website"], ["photo"])
    url = await recipes.key("site", is_form=True)
    filled = aiohttp.FormData({"name": "Анна", "message": "Is it open?", "website": ""})
    filled.add_field("photo", b"\x89PNG picture", filename="shop.png", content_type="image/png")
    await recipes.call("POST", url, data=filled)
    await recipes.group(recipes.words("title: From the website").removeprefix("title: "), "Анна", "Is it open?")
    await recipes.call("POST", url, data={"name": "Robot", "message": "Buy", "website": "http://spam"})
    await recipes.call("POST", url, data={"name": "Ben", "message": "the last word"})
    await recipes.group("the last word")
    assert not recipes.copies("telegram", "Robot")


async def test_a_visit_is_told(recipes: Recipes) -> None:
    source = Form(of_language(recipes.page, "html")[1]).attributes["src"]
    assert source is not None
    url = source.replace("URL", await recipes.key("page"))
    await recipes.call("GET", url, headers={"User-Agent": "Mozilla/5.0 Firefox/128.0"})
    await recipes.group("prices was called")


async def test_a_signed_sender_needs_no_key(recipes: Recipes) -> None:
    (path,) = set(re.findall(rf"`{SERVER}(/hooks/[^`<]+)`", PAGES[recipes.page].read_text(encoding="utf-8")))
    event, payload = GITHUB["push"]
    body = json.dumps(payload).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": event,
        "X-Hub-Signature-256": "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest(),
    }
    await recipes.call("POST", recipes.url + path, data=body, headers=headers)
    await recipes.call("POST", recipes.url + path, 401, data=body + b" ", headers=headers)
    await recipes.group("pushed 2 commits")


async def test_each_path_and_address_that_senders_build_is_served(recipes: Recipes) -> None:
    url = await recipes.key("alerts")
    key = url.rpartition("/")[2]
    places = {recipes.words("<key>"): key, recipes.words("<topic>"): "backups"}
    codes = table_codes(recipes.page)
    for place, value in places.items():
        codes = [code.replace(place, value) for code in codes]
    assert {f"/hooks/{key}", "/", "/backups", f"Authorization: Bearer {key}"} <= set(codes)
    await recipes.call("POST", f"{recipes.url}/hooks/{key}", json={"text": "**from** Mattermost's", "channel": "x"})
    await recipes.group("from Mattermost's")
    bearer = {"Authorization": f"Bearer {key}"}
    await recipes.call("POST", f"{recipes.url}/backups", data=b"to a topic", headers=bearer)
    await recipes.group("to a topic")
    await recipes.call("POST", f"{recipes.url}/", json={"topic": "backups", "message": "to the root"}, headers=bearer)
    await recipes.group("to the root")
    addresses = [code for code in codes if re.match(r"\w+s://bridge\.example\.com/", code)]
    assert len([address for address in addresses if not address.startswith("https")]) == 4
    for number, address in enumerate(addresses):
        if not address.startswith("https"):
            here = address.replace("s://bridge.example.com", f"://127.0.0.1:{recipes.port}", 1)
            notifier = apprise.Apprise()
            assert notifier.add(here), here
            sent = await asyncio.wait_for(notifier.async_notify(body=f"by apprise {number}", title="The title"), PATIENCE_S)
            assert sent, here
            await recipes.group(f"by apprise {number}", "The title")


async def test_another_messengers_webhook_is_read_by_its_template(recipes: Recipes) -> None:
    url = await recipes.key("other")
    payload = {"message": {"id": 7, "text": "hello there"}, "from": {"name": "Boris"}}
    await recipes.call("POST", url, json=payload)
    first = await recipes.group("Boris", "hello there")
    await recipes.call("POST", url, json={**payload, "message": {"id": 7, "text": "hello again"}})
    assert (await recipes.group("Boris", "hello again")).message_id == first.message_id


async def test_the_bot_program_verifies_and_answers(recipes: Recipes, tmp_path: Path) -> None:
    (program,) = of_language(recipes.page, "python")
    path = tmp_path / "bot.py"
    path.write_text(program, encoding="utf-8")
    url = await made_key(recipes, "messenger-bridge keys create hooks/bot --in --label Bot")
    environ = {"PORT": str(recipes.bot_port), "WEBHOOK_SECRET": SECRET, "URL": url, "PYTHONDONTWRITEBYTECODE": "1", "no_proxy": "*"}
    bot = await asyncio.create_subprocess_exec(sys.executable, str(path), env=environ, stderr=asyncio.subprocess.DEVNULL)
    try:
        assert await eventually_asked(lambda: answer_to_unsigned(recipes.bot_port), "the bot listens") == 401
        await recipes.say("telegram", "ping")
        assert "Bot" in (await recipes.group("pong")).text
        # it goes to both chats; in TeamSpirit by the account's key, through its REST API
        (pong,) = await eventually(
            lambda: [one for one in recipes.seen("teamspirit") if "pong" in one.text], "the bot's answer there"
        )
        assert pong.author_name == "Bot"
        known = {pong.message_id}
        await recipes.say("teamspirit", "ping")
        answered = await eventually(
            lambda: [one for one in recipes.seen("teamspirit") if "pong" in one.text and one.message_id not in known],
            "a second answer",
        )
        assert len(answered) == 1
        assert bot.returncode is None
    finally:
        bot.kill()
        await bot.wait()


async def answer_to_unsigned(port: int) -> int:
    """What the bot answers to a request without a signature; 0 while it does not listen."""
    try:
        async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{port}/hook", data=b"{}") as answer:
            return answer.status
    except aiohttp.ClientConnectionError:
        return 0


async def test_a_file_of_the_chat_is_fetched_by_the_address_in_its_event(recipes: Recipes, tmp_path: Path) -> None:
    read = await made_key(recipes, "messenger-bridge keys create hooks/reader --out")
    upload = Upload(name="plan.pdf", mime="application/pdf", content=PDF)
    await recipes.say("telegram", "the plan", files=[upload])
    text = (PAGES["English"].parent / "webhooks-events.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^\$ (curl .*)$", text, re.MULTILINE)
    address = shlex.split(line)[1]
    assert address.startswith(f"{SERVER}/out/KEY?")
    page = json.loads(await curl(line, tmp_path, **{address: read + "?" + address.partition("?")[2]}))
    (file,) = page["messages"][0]["data"]["files"]
    (fetch,) = [line for line in shell_lines(recipes.page, "curl") if "FILE_URL" in line]
    await curl(fetch, tmp_path, FILE_URL=file["url"])
    assert (tmp_path / "received.pdf").read_bytes() == PDF
