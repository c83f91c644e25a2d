"""Conversions in real child processes: what becomes of good files, of harmful ones, and of the processes."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import structlog

from bridge.files import convert
from bridge.files.convert import Converter, Made, NotConverted, needs
from bridge.files.guards import guards_of
from bridge.model.clock import SYSTEM_CLOCK
from bridge.model.media import APNG, GIF, LOTTIE, M4A, MP4, OGG, PNG, TGS, WEBM, AttachmentKind, Form
from bridge.model.refs import AccountName, ChatRef
from tests.support import media_samples
from tests.support.patience import eventually

CHAT = ChatRef(AccountName("tg"), "1")
OTHER = ChatRef(AccountName("tg"), "2")


@pytest.fixture
async def converter() -> AsyncIterator[Converter]:
    made = Converter(SYSTEM_CLOCK)
    yield made
    await made.close()


def form(mime: str, *, waveform: bool = False) -> Form:
    return Form(kind=AttachmentKind.ANIMATION, mime=mime, waveform=waveform)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "source"
    path.write_bytes(content)
    return path


SAMPLES: dict[str, tuple[Callable[[], bytes], str, str, bytes]] = {
    "tgs": (media_samples.tgs, TGS, GIF, b"GIF89a"),
    "lottie": (media_samples.lottie_json, LOTTIE, GIF, b"GIF89a"),
    "apng": (media_samples.apng, APNG, GIF, b"GIF89a"),
    "webm": (media_samples.webm, WEBM, GIF, b"GIF89a"),
    "mp4": (media_samples.mp4, MP4, GIF, b"GIF89a"),
    "webp": (media_samples.webp, "image/webp", PNG, b"\x89PNG"),
    "ogg": (media_samples.ogg, OGG, M4A, b""),
    "m4a": (media_samples.m4a, M4A, OGG, b"OggS"),
}


@pytest.mark.parametrize("name", SAMPLES)
async def test_each_kind_becomes_what_is_wanted(converter: Converter, tmp_path: Path, name: str) -> None:
    make, source, wanted, magic = SAMPLES[name]
    made = await converter.convert(written(tmp_path, make()), source, form(wanted), CHAT)
    assert made.data.startswith(magic)
    assert (made.data[4:8] == b"ftyp") is (wanted == M4A)
    if wanted in (GIF, PNG):
        assert made.width == made.height
        assert made.width in (media_samples.SIDE, 100)
    else:
        assert made.duration_s == pytest.approx(1.5, abs=0.1)


async def test_only_the_waveform_may_be_wanted(converter: Converter, tmp_path: Path) -> None:
    made = await converter.convert(written(tmp_path, media_samples.ogg()), OGG, form(OGG, waveform=True), CHAT)
    assert made.data == b""
    assert len(made.waveform) == 20  # 15 tenths of a second as base64
    assert made.duration_s == pytest.approx(1.5, abs=0.05)


HARMFUL: dict[str, bytes] = {
    "empty": b"",
    "no JSON": b"{",
    "deep": b"[" * 100_000,
    "a film": media_samples.webm(),
}


@pytest.mark.parametrize("name", HARMFUL)
async def test_what_cannot_be_converted_says_why(converter: Converter, tmp_path: Path, name: str) -> None:
    path = written(tmp_path, HARMFUL[name])
    with pytest.raises(NotConverted) as refused:
        await converter.convert(path, LOTTIE, form(GIF), CHAT)
    assert refused.value.reason
    assert refused.value.is_final


def child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The child runs this instead of a conversion, confined as always."""
    begin = "import sys\n_, parent, source, target, waveform, *sys.path = sys.argv\n"
    confine = "from bridge.files.decoding.confinement import Guards, confine\nconfine(int(parent), Guards())\n"
    monkeypatch.setattr(convert, "_CHILD", begin + confine + code)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("memory", "def fill(): return [bytearray(1 << 24) for _ in range(100)]\nfill()"),
        ("crash", "import os\nos.kill(os.getpid(), 11)"),
        ("nothing", ""),
        ("noise", "print('noise')"),
        ("endless noise", "while True: sys.stdout.write('x' * 4096)"),
        ("too much", "print('{}', flush=True)\nwhile True: sys.stdout.write('x' * 65536)"),
        ("nonsense", "print('[1]')"),
        ("nonsense of some depth", "print('[' * 9000)"),
        ("hangs", "import time\ntime.sleep(1000)"),
        ("dies late", "print('{}', flush=True)\nimport os\nos.kill(os.getpid(), 11)"),
    ],
)
async def test_a_child_that_goes_wrong_costs_its_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: str
) -> None:
    child(monkeypatch, code)
    converter = Converter(SYSTEM_CLOCK, wall_s=60.0 if name != "hangs" else 1.0)
    with pytest.raises(NotConverted):
        await converter.convert(written(tmp_path, b"x"), OGG, form(M4A), CHAT)
    await eventually(lambda: not our_children(), what="no process is left")
    monkeypatch.undo()
    assert (await Converter(SYSTEM_CLOCK).convert(written(tmp_path, media_samples.ogg()), OGG, form(M4A), CHAT)).data


def our_children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "bridge.files.decoding" in " ".join(one.cmdline())]


async def result_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> str:
    """What the child prints as the waveform."""
    begin = "import json\ndef tell(text): print(json.dumps({'waveform': str(text)}), flush=True)\n"
    child(monkeypatch, begin + code)
    made = await Converter(SYSTEM_CLOCK).convert(written(tmp_path, b"x"), OGG, form(M4A), CHAT)
    return made.waveform


async def test_a_child_can_write_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"""
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with open({str(tmp_path / "written")!r}, "wb") as file: file.write(b"x")
    tell("written")
except OSError as error: tell(error.errno)
"""
    assert await result_of(tmp_path, monkeypatch, code) == "27"


async def test_a_child_has_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELEGRAM_TOKEN", "secret")
    inherited = socket.socket()
    os.set_inheritable(inherited.fileno(), True)
    code = """
import os
found = sorted(map(int, os.listdir("/proc/self/fd")))
tell(f"{os.environ.get('TELEGRAM_TOKEN')} {found[:3]} {len(found)}")
"""
    with inherited:
        said = await result_of(tmp_path, monkeypatch, code)
    assert said == "None [0, 1, 2] 4"  # the fourth is the folder that is listed


_MAY_UNSHARE = """
import ctypes, sys
libc = ctypes.CDLL(None)
sys.exit(0 if libc.unshare(0x40000000) == 0 or libc.unshare(0x50000000) == 0 else 1)  # CLONE_NEWNET, CLONE_NEWUSER
"""


async def test_a_child_has_no_network_where_the_system_allows_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = await asyncio.create_subprocess_exec(sys.executable, "-c", _MAY_UNSHARE)
    if await asked.wait() != 0:
        pytest.skip("this system lets no process have a network of its own")
    code = """
import socket
import subprocess
import sys
names = sorted(name for _, name in socket.if_nameindex())
try: socket.create_connection(("127.0.0.1", 9), timeout=5)
except OSError as error: tell(f"{names} {error.errno}")
else: tell("connected")
"""
    said = await result_of(tmp_path, monkeypatch, code)
    assert said.endswith(" 101"), f"an own network in which nothing is up is unreachable: {said}"


async def test_limits_are_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
import resource as r, os
tell([r.getrlimit(one)[0] for one in (r.RLIMIT_AS, r.RLIMIT_CPU, r.RLIMIT_FSIZE, r.RLIMIT_CORE)] + [os.nice(0) >= 10])
"""
    assert json.loads((await result_of(tmp_path, monkeypatch, code)).lower()) == [700_000_000, 30, 0, 0, True]


async def test_what_guards_the_processes_is_told_once(tmp_path: Path) -> None:
    converter, path = Converter(SYSTEM_CLOCK), written(tmp_path, media_samples.webp())
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            await converter.convert(path, "image/webp", form(PNG), CHAT)
    told = [entry for entry in logs if entry["event"].startswith("conversions run")]
    assert len(told) == 1
    whole = "without network" in told[0]["event"] and "without files" in told[0]["event"]
    assert told[0]["log_level"] == ("info" if whole else "warning")


def test_a_process_that_ends_before_it_is_guarded_says_nothing_of_guards(tmp_path: Path) -> None:
    """It decoded nothing; else an admin was told, once and for all, that conversions may open all files."""
    places = [str(Path(convert.__file__).parents[2]), *(place for place in sys.path if "site-packages" not in place)]
    command = (sys.executable, "-I", "-S", "-B", "-c", convert._CHILD, str(os.getpid()), "image/webp", PNG, "0", *places)
    with written(tmp_path, media_samples.webp()).open("rb") as file:  # a process without the packages that decode
        answer = subprocess.run(command, stdin=file, capture_output=True, check=True, cwd="/").stdout
    facts = json.loads(answer.partition(b"\n")[0])
    assert set(facts) == {"error"}, facts
    assert guards_of(facts) is None


async def test_one_chat_takes_one_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running: list[str] = []
    most: dict[str, int] = {}
    go_on = asyncio.Event()

    async def run(path: Path, source: str, form: Form) -> Made:
        running.append(path.name)
        for chat in "ab":
            most[chat] = max(most.get(chat, 0), sum(name.startswith(chat) for name in running))
        await go_on.wait()
        running.remove(path.name)
        return Made()

    converter = Converter(SYSTEM_CLOCK)
    monkeypatch.setattr(converter, "_run", run)
    paths = [tmp_path / name for name in ("a1", "a2", "a3", "b1")]
    for path in paths:
        path.write_bytes(b"x")
    chats = [CHAT, CHAT, CHAT, OTHER]
    tasks = [asyncio.create_task(converter.convert(path, OGG, form(M4A), chat)) for path, chat in zip(paths, chats, strict=True)]
    # which of a chat's files is the first one is left to the threads that look at their sizes
    await eventually(lambda: sorted(name[0] for name in running) == ["a", "b"], what="each chat has its turn")
    go_on.set()
    await asyncio.gather(*tasks)
    assert most == {"a": 1, "b": 1}
    assert not converter._turns


async def test_who_waits_too_long_goes_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "_QUEUE_S", 0.05)
    converter = Converter(SYSTEM_CLOCK)
    async with converter._turn(CHAT):
        with pytest.raises(NotConverted, match="wait") as refused:
            await converter.convert(written(tmp_path, b"x"), OGG, form(M4A), CHAT)
    assert not refused.value.is_final
    assert (await converter.convert(written(tmp_path, media_samples.ogg()), OGG, form(M4A), CHAT)).data


async def test_closing_ends_the_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child(monkeypatch, "import time\ntime.sleep(1000)")
    converter = Converter(SYSTEM_CLOCK)
    task = asyncio.create_task(converter.convert(written(tmp_path, b"x"), OGG, form(M4A), CHAT))
    await eventually(lambda: converter._children, what="a child")
    await converter.close()
    with pytest.raises(NotConverted):
        await task


async def test_without_the_packages_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Any:
        return None if name == "rlottie_python" else object()

    monkeypatch.setattr("importlib.util.find_spec", find)
    converter = Converter(SYSTEM_CLOCK)
    assert not converter.can(TGS, form(GIF))
    assert converter.can(WEBM, form(GIF))
    assert converter.can(OGG, form(M4A))


async def test_off_is_off() -> None:
    assert not Converter(SYSTEM_CLOCK, is_on=lambda: False).can(OGG, form(M4A))


def test_what_each_conversion_needs() -> None:
    assert needs(TGS, GIF) == {"PIL", "rlottie_python"}
    assert needs(WEBM, GIF) == {"PIL", "av"}
    assert needs(APNG, GIF) == {"PIL"}
    assert needs(OGG, M4A) == {"av"}
