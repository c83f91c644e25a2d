"""Files for programs: given in matterbridge's form while they are kept, and lines afterwards."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

from adapters.webhook.matterbridge_api import kept_files as module
from adapters.webhook.matterbridge_api.kept_files import KeptFiles
from bridge.model.content import Attachment
from bridge.model.media import AttachmentKind
from bridge.model.outbound import Copy, Outbound, OutboundDelete, OutboundEdit, OutboundFile
from bridge.model.rich_text import plain
from tests.adapters.webhook.matterbridge_api.served import Served, serving


def file(folder: Path, content: bytes, name: str = "map.png", url: str = "") -> OutboundFile:
    path = folder / f"source-{name}"
    path.write_bytes(content)
    attachment = Attachment(kind=AttachmentKind.PHOTO, file_id="f", name=name, mime="image/png", size_bytes=len(content))
    return OutboundFile(attachment=attachment, path=path, name=name, mime="image/png", size_bytes=len(content), url=url)


def data_of(message: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(one["Data"]) for one in message["Extra"].get("file", [])]


async def send(served: Served, token: str, given: OutboundFile, text: str = "look") -> Any:
    await served.say(text, token, files=(given,))
    return served


async def test_a_file_is_given_as_matterbridge_gives_it(tmp_path: Path) -> None:
    async with serving(tmp_path / "kept") as served:
        await send(served, "t1", file(tmp_path, b"\x89PNG", url="https://b.example/files/x/map.png"))
        (told,) = await served.drained()
        assert told["Extra"] == {
            "file": [
                {
                    **{"Name": "map.png", "Data": base64.b64encode(b"\x89PNG").decode(), "Comment": "", "Size": 4},
                    **{"URL": "https://b.example/files/x/map.png", "SHA": "4effda12", "Avatar": False, "NativeID": ""},
                }
            ]
        }, told
        assert told["text"] == "look\n📎 map.png (4 B) https://b.example/files/x/map.png"


async def test_without_lines_the_text_names_a_file_only_once_its_bytes_are_gone(tmp_path: Path) -> None:
    async with serving(tmp_path / "kept", file_lines=False) as served:
        await send(served, "t1", file(tmp_path, b"one"))
        await send(served, "t2", file(tmp_path, b"two"), text="")
        for path in (tmp_path / "kept").glob("t2.*"):
            path.write_bytes(b"t")  # cut short
        first, second = await served.drained()
        assert (first["text"], data_of(first)) == ("look", [b"one"])
        assert (second["text"], second["Extra"]) == ("📎 map.png (3 B)", {})


async def test_without_a_folder_a_file_is_a_line(tmp_path: Path) -> None:
    async with serving(None) as served:
        await send(served, "t1", file(tmp_path, b"x"))
        (told,) = await served.drained()
        assert (told["text"], told["Extra"]) == ("look\n📎 map.png (1 B)", {})


async def test_a_deletion_removes_the_bytes_and_an_edit_does_not_repeat_them(tmp_path: Path) -> None:
    async with serving(tmp_path / "kept") as served:
        copy = Copy(chat_id="one", message_ids=("t1",))
        receipt = await served.adapter.send(_outbound("t1", file(tmp_path, b"secret")))
        edited = OutboundEdit(
            token="e1",
            copy=Copy(chat_id="one", message_ids=("t1",), adapter_data=receipt.adapter_data),
            text=plain("see"),
            has_files=True,
        )
        await served.adapter.edit(edited)
        _, again = await served.drained()
        assert (again["id"], again["text"], again["Extra"]) == ("t1", "see\n📎 map.png (6 B)", {})
        await send(served, "t10", file(tmp_path, b"another"))
        await served.adapter.delete(OutboundDelete(copy=copy))
        assert [path.name for path in (tmp_path / "kept").iterdir()] == ["t10.0.sent"]


def _outbound(token: str, given: OutboundFile) -> Any:
    return Outbound(token=token, attempt=1, chat_id="one", text=plain("look"), files=(given,))


async def test_many_files_come_in_portions_and_all_come(tmp_path: Path) -> None:
    async with serving(tmp_path / "kept") as served:
        for number in range(5):
            await send(served, f"t{number}", file(tmp_path, bytes([number]) * 400_000), text=f"{number}")
            await served.say(f"between {number}", f"b{number}", "two")
        served.by(chat="*")
        portions = []
        while portion := await served.drained():
            portions.append([len(data_of(one)) for one in portion])
            assert sum(len(data) for one in portion for data in data_of(one)) <= 1_000_000
        assert sum(map(sum, portions)) == 5
        assert sum(map(len, portions)) == 10
        assert len(portions) == 3


async def test_the_oldest_give_way(tmp_path: Path, monkeypatch: Any) -> None:
    kept = KeptFiles(tmp_path / "kept", most_bytes=10)
    names = []
    for number, content in enumerate((b"12345", b"1234", b"123")):
        names.append(await kept.keep(f"t{number}", 0, file(tmp_path, content)))
        os.utime(tmp_path / "kept" / names[-1], (number, number))
    assert [await kept.data(name) for name in names] == [None, b"1234", b"123"]
    assert await kept.keep("t9", 0, file(tmp_path, b"x" * 11)) == ""
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    await kept.keep("t3", 0, file(tmp_path, b"1"))
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["t2.0.sent", "t3.0.sent"]
    assert await kept.data("../t3.0.sent") is None
    assert await kept.keep("../x", 0, file(tmp_path, b"1")) == ""
