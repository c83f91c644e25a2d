"""The recipes for webhooks are the same in both languages, and every snippet of bridge.yaml in them passes the check."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.registry import load_platform
from bridge.config.load import load_config
from tests.support.recipes import CHATS, PAGES, WORDS, blocks, in_words_of, of_language, table_codes

ENVIRON = {
    "GITHUB_SECRET": "hush",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "TOKEN": "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "BOT": "xoxb-1-example",
    "APP": "xapp-1-example",
    "KEY": "a-key",
}
OTHERS: dict[str, Any] = {
    "tg": {"platform": "telegram", "token": "${TOKEN}"},
    "team": {"platform": "slack", "bot_token": "${BOT}", "app_token": "${APP}"},
    "spirit": {"platform": "teamspirit", "server": "https://im.example.com", "api_key": "${KEY}"},
}
WEB = {"public": {"listen": "127.0.0.1:8080", "url": "https://bridge.example.com"}}


def in_russian(text: str) -> str:
    text = in_words_of("Russian", text)
    for english, russian in CHATS.items():
        text = text.replace(english, russian)
    return text


def test_both_languages_have_the_same_blocks() -> None:
    english, russian = blocks("English"), blocks("Russian")
    assert len(english) > 9
    assert [block.language for block in english] == [block.language for block in russian]
    for ours, theirs in zip(english, russian, strict=True):
        both = "from: spirit/engineering, to: "
        known = theirs.text.replace(f"{both}tg/-1001234567890", f"{both}spirit/engineering")
        assert in_russian(ours.text) == known


def test_both_languages_have_the_same_tables_and_headings() -> None:
    assert [in_russian(code) for code in table_codes("English")] == table_codes("Russian")
    levels = [[line.split(" ")[0] for line in page.read_text().splitlines() if line.startswith("#")] for page in PAGES.values()]
    assert levels[0] == levels[1]


def test_no_word_of_the_translation_is_left_over() -> None:
    whole = PAGES["English"].read_text(encoding="utf-8")
    assert not [english for english in (*WORDS, *CHATS) if english not in whole]


def document(snippet: Any) -> dict[str, Any]:
    """bridge.yaml around a snippet: a whole one, one of routes, or one of an account's ends."""
    if "accounts" not in snippet and "routes" not in snippet:
        routes = [{"name": f"from {end}", "from": f"hooks/{end}", "to": "tg/-1001234567890"} for end in snippet]
        snippet = {"accounts": {"hooks": {"platform": "webhook", "ends": snippet}}, "routes": routes}
    routed = str(snippet["routes"])
    others = {name: account for name, account in OTHERS.items() if f"{name}/" in routed}
    return {"web": WEB, **snippet, "accounts": {**snippet.get("accounts", {}), **others}}


@pytest.mark.parametrize("page", PAGES)
def test_every_snippet_of_bridge_yaml_passes_the_check(page: str, tmp_path: Path) -> None:
    found = of_language(page, "yaml")
    assert len(found) > 3
    for number, text in enumerate(found):
        path = tmp_path / f"{number}.yaml"
        path.write_text(yaml.safe_dump(document(yaml.safe_load(text)), allow_unicode=True), encoding="utf-8")
        loaded = load_config(path, ENVIRON, load_platform)
        assert not loaded.faults, (text, [str(fault) for fault in loaded.faults])
        assert not loaded.warnings, (text, [str(fault) for fault in loaded.warnings])
