"""The fenced blocks of the documentation's pages: what they say in bridge.yaml, and which commands they name."""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from bridge.config.load import SECTIONS

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "adapters").glob("*/README.md")])
_FENCE = re.compile(r"^([ \t]*)```(\w*)\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)

ACCOUNTS: Mapping[str, Mapping[str, str]] = {
    "tg": {"platform": "telegram", "token": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"},
    "team": {"platform": "slack", "bot_token": "xoxb-1-example", "app_token": "xapp-1-example"},
    "guild": {"platform": "discord", "token": "a-discord-token"},
    "spirit": {"platform": "teamspirit", "server": "https://im.example.com", "api_key": "a-teamspirit-key"},
}
"""What a snippet means by these names, where it does not say it."""


class Block(NamedTuple):
    page: str
    """Relative to the tree."""
    line: int
    language: str
    text: str


def blocks(*languages: str, pages: list[Path] | None = None) -> Iterator[Block]:
    """In order; of these languages."""
    for page in PAGES if pages is None else pages:
        text = page.read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            if found[2] in languages:
                line = text.count("\n", 0, found.start()) + 1
                yield Block(str(page.relative_to(ROOT)), line, found[2], textwrap.dedent(found[3]))


def commands(block: Block, program: str = "messenger-bridge") -> Iterator[list[str]]:
    """The words behind the program's name, of each line that calls it. Pipes, redirections and comments are cut off."""
    for line in block.text.splitlines():
        if block.language == "console" and not line.startswith("$ "):
            continue
        called = re.match(r"(?:\$ )?(?:sudo (?:-u \S+ )?)?(?:\S*/)?" + program + r"( .*|$)", line)
        if called:
            lexer = shlex.shlex(re.sub(r"\s#.*", "", called[1]), posix=True, punctuation_chars="|><&;")
            lexer.whitespace_split, lexer.commenters = True, ""  # within a word a # is one, as in a message's reference
            words: list[str] = []
            for word in lexer:
                if set(word) <= set("|><&;"):
                    break
                words.append(word)
            yield words


def document(snippet: Any) -> dict[str, Any] | None:
    """A whole bridge.yaml around a snippet; None: it is of something else (a manifest, a rule of Prometheus, a part of a route)."""
    if not isinstance(snippet, dict) or not snippet or not set(snippet) <= set(SECTIONS):
        return None
    whole = dict(snippet)
    named = yaml.safe_dump({name: value for name, value in whole.items() if name != "accounts"})
    given = dict(whole.get("accounts") or {})
    for name, account in ACCOUNTS.items():
        if name not in given and re.search(rf"(?<![\w/]){name}(/|\b)", named):
            given[name] = dict(account)
    if not whole.get("routes"):
        ends = [end for name, account in given.items() for end in _ends(name, account)]
        others = [f"{name}/{one}" for name, one in (("tg", "-1001234567890"), ("guild", "112233445566778899"))]
        others = [end for end in others if end not in ends][: 1 if ends else 2]
        given = {name: dict(ACCOUNTS[name]) for name in ACCOUNTS if any(end.startswith(f"{name}/") for end in others)} | given
        only_receive = [f"{name}/{end}" for name, account in given.items() for end, one in _hooks(account) if "url" in one]
        only_send = [f"{name}/{end}" for name, account in given.items() for end, one in _hooks(account) if "url" not in one]
        both = [*(end for end in ends if end not in {*only_receive, *only_send}), *others]
        whole["routes"] = [{"name": "lobby", "between": both}] if len(both) > 1 else []
        whole["routes"] += [{"name": f"to {end}", "from": both[0], "to": end} for end in only_receive]
        whole["routes"] += [{"name": f"from {end}", "from": end, "to": both[0]} for end in only_send]
    if not given:
        return None
    return {**whole, "accounts": given}


def _hooks(account: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return list(account.get("ends", {}).items()) if account.get("platform") == "webhook" else []


def _ends(name: str, account: Mapping[str, Any]) -> list[str]:
    match account.get("platform"):
        case "telegram":
            return [f"{name}/-1001234567890"]
        case "webhook":
            return [f"{name}/{end}" for end, _ in _hooks(account)]
        case "discord":
            return [f"{name}/112233445566778899"]
        case "slack":
            return [f"{name}/#general"]
        case _:
            return [f"{name}/{next(iter(account.get('chats') or {'lobby': 0}))}"]
