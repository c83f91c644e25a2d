"""What importing the package costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.patience import PATIENCE_S

pytestmark = pytest.mark.slow


def test_the_package_imports_nothing_heavy() -> None:
    code = "import sys, adapters.telegram; print([m for m in ('aiogram', 'pydantic', 'aiohttp') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    assert result.stdout.strip() == "[]"


def test_aiograms_models_are_built_on_first_use() -> None:
    """All at once they cost seconds and a hundred megabytes; each must work all the same, for anybody in the process."""
    code = """
from adapters.registry import load_platform
load_platform("telegram").preload()
from aiogram import methods
from aiogram.types import Update, Message

assert not Update.__pydantic_complete__
methods.SendMessage(chat_id=1, text="x", entities=[{"type": "bold", "offset": 0, "length": 1}], reply_parameters={"message_id": 1})
assert not Update.__pydantic_complete__
chat, user = {"id": 1, "type": "private"}, {"id": 1, "is_bot": False, "first_name": "x"}
said = {"message_id": 1, "date": 5, "chat": chat, "from": user, "text": "hi"}
assert Update.model_validate({"update_id": 1, "message": said}).message.text == "hi"
assert Message(**said).chat.id == 1
assert methods.Response[Message].model_validate({"ok": True, "result": said}).result.text == "hi"
print("fine")
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S)
    assert (result.stdout.strip(), result.stderr) == ("fine", "")
