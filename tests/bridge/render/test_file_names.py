"""Names and types of files as senders write them: what is handed on is safe for headers, disks and eyes."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from bridge.model.events import Attachment, AttachmentKind
from bridge.render.file_names import file_name, mime_of


def named(name: str, mime: str = "") -> str:
    return file_name(Attachment(kind=AttachmentKind.DOCUMENT, file_id="1", name=name, mime=mime))


def typed(mime: str, name: str = "") -> str:
    return mime_of(Attachment(kind=AttachmentKind.DOCUMENT, file_id="1", name=name, mime=mime))


@pytest.mark.parametrize(
    ("name", "mime", "shown"),
    [
        ("report.pdf", "application/pdf", "report.pdf"),
        ("report", "application/pdf", "report.pdf"),
        (".gitkeep", "application/octet-stream", ".gitkeep"),
        (".env", "text/plain", ".env"),
        (".config.json", "", ".config.json"),
        ("..", "", "document.bin"),
        ("...", "image/png", "document.png"),
        ("../../etc/passwd", "", "_.._etc_passwd.bin"),
        ("..\\..\\boot.ini", "", "_.._boot.ini"),
        ("", "image/png", "document.png"),
        ("CON", "", "CON_.bin"),
        ("con.txt", "", "con_.txt"),
        ("LPT1.tar.gz", "", "LPT1_.tar.gz"),
        ("console.log", "", "console.log"),
        ("CONIN$", "", "CONIN$_.bin"),
        ("conout$.txt", "", "conout$_.txt"),
        ("conin.txt", "", "conin.txt"),
        ("nul .txt", "", "nul_ .txt"),
        ("trailing. . ", "", "trailing.bin"),
        ("a\r\nContent-Type: text/html", "", "a Content-Type_ text_html.bin"),
        ('x"; filename="evil.exe', "", "x_; filename=_evil.exe"),
        ("photo_\u202egpj.exe", "", "photo_gpj.exe"),
        ("a\u200b\ufeffb.txt", "", "ab.txt"),
        ("Büro Straße.docx", "", "Büro Straße.docx"),
        ("👩‍💻.png", "", "👩‍💻.png"),
        ("\ud800.txt", "", "_.txt"),
    ],
)
def test_names(name: str, mime: str, shown: str) -> None:
    assert named(name, mime or "application/octet-stream") == shown


@pytest.mark.parametrize(
    "name", ["ж" * 300 + ".txt", "👩‍💻" * 200 + ".txt", "a" * 300, "z" + "\u0335" * 500 + ".txt", "日" * 100 + ".jpeg"]
)
def test_long_names_keep_their_ending(name: str) -> None:
    shown = named(name, "text/plain")
    assert len(shown) <= 120
    assert len(shown.encode()) <= 255
    assert shown.endswith((".txt", ".jpeg"))
    assert not unicodedata.category(shown[0]).startswith("M")


@pytest.mark.parametrize(
    ("mime", "name", "given"),
    [
        ("image/png", "", "image/png"),
        ("IMAGE/PNG; charset=binary", "", "image/png"),
        ("application/vnd.ms-excel.sheet+xml", "", "application/vnd.ms-excel.sheet+xml"),
        ("image/png\r\nX-Evil: 1", "a.png", "image/png"),
        ("\r\nimage/png", "", "image/png"),
        ("image", "a.jpg", "image/jpeg"),
        ("image/", "a.jpg", "image/jpeg"),
        ("im age/png", "", "application/octet-stream"),
        ("image/pn\u00e9", "", "application/octet-stream"),
        ("a/b/c", "a.txt", "text/plain"),
        ("", "", "application/octet-stream"),
        ("x" * 500 + "/y", "", "application/octet-stream"),
        ("image/png\x00", "", "application/octet-stream"),
    ],
)
def test_types(mime: str, name: str, given: str) -> None:
    assert typed(mime, name) == given


ANY = st.text(st.characters(codec=None), max_size=300) | st.text(st.sampled_from('.\r\n/\\":;con\u202e\u200b\x00 é'), max_size=30)


@given(ANY, ANY)
def test_nothing_that_a_sender_writes_leaves_its_place(name: str, mime: str) -> None:
    shown, kind = named(name, mime), typed(mime, name)
    assert regex.fullmatch(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+", kind, regex.ASCII)
    assert 0 < len(shown) <= 120
    assert len(shown.encode("utf-8")) <= 255
    assert not regex.search(r'[/\\:*?"<>|\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u200b\ufeff]', shown)
    assert shown.strip(". ")
    assert shown == shown.strip(" ")
    assert not shown.endswith((".", " "))
    assert shown.partition(".")[0].lower() not in ("con", "nul", "aux", "prn", "com1", "lpt9")
