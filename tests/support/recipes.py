"""The recipes of docs/webhooks.md in both languages: their blocks, and what their words are in the other language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"English": DOCS / "webhooks.md", "Russian": DOCS / "webhooks.ru.md"}

WORDS = {
    "The backup is done": "Резервная копия готова",
    "Title: Backup": "Title: Резервная копия",
    '"title": "Backup"': '"title": "Резервная копия"',
    "It failed": "Ошибка",
    "**failed**": "**ошибка**",
    "The report": "Отчёт",
    '"text": "running"': '"text": "выполняется"',
    '"text": "done"': '"text": "готово"',
    "title: From the website": "title: С сайта",
    "Your name": "Ваше имя",
    "<button>Send": "<button>Отправить",
    "<key>": "<ключ>",
    "<topic>": "<тема>",
}
"""What the blocks of the English page say in words, and how the Russian one says it."""

CHATS = {"tg/-1001234567890": "spirit/engineering", "team/#operations": "spirit/operations"}
"""The Russian page mirrors to TeamSpirit where the English one names Telegram and Slack."""


class Block(NamedTuple):
    language: str
    text: str


def blocks(page: str) -> list[Block]:
    """The fenced blocks, in order. `page`: a key of `PAGES`."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGES[page].read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [Block(language, text) for language, text in found]


def of_language(page: str, language: str) -> list[str]:
    return [block.text for block in blocks(page) if block.language == language]


def shell_lines(page: str, program: str) -> list[str]:
    """Command lines that begin with that program, without the prompt."""
    lines = [line.removeprefix("$ ") for text in of_language(page, "") for line in text.splitlines()]
    return [line for line in lines if line.split(" ")[0] == program]


def table_codes(page: str) -> list[str]:
    """What stands as code in the tables, in order."""
    rows = [line for line in PAGES[page].read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [code for row in rows for code in re.findall(r"`([^`]+)`", row)]


def in_words_of(page: str, text: str) -> str:
    """An English recipe as the page of that language has it."""
    if page == "Russian":
        for english, russian in WORDS.items():
            text = text.replace(english, russian)
    return text
