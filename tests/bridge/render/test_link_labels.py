"""Labels that claim another address than the one they lead to."""

from __future__ import annotations

import pytest

from bridge.model.capabilities import Capabilities, Feature, Limits, Support, features
from bridge.model.rich_text import Emoji, Mark, Paragraph, RichText, Text, to_plain
from bridge.render.degrade import degrade
from bridge.render.link_labels import claims_other_address

EVIL = "https://evil.example/login"


@pytest.mark.parametrize(
    "label",
    [
        "https://bank",
        "https://bank.example",
        "HTTPS://Bank.Example/login",
        "http:/bank.example",
        "bank.example",
        "www.bank.example",
        "login at bank.example/account now",
        "bank.com",
        "bank。com",
        "ｂａｎｋ．ｃｏｍ",
        "https:⁄⁄bank.example",
        "ba\u200bnk.ex\u2060ample",
        "info@bank.example",
        "https://evil.example.bank.example",
        "https://evil.example@bank.example",
        "ftp://bank.example",
        "https://bank.example https://evil.example",
        "банк.рф",
        "www.bank.py",
        "bank.zip/account",
    ],
)
def test_another_address(label: str) -> None:
    assert claims_other_address(label, EVIL)


@pytest.mark.parametrize(
    ("label", "url"),
    [
        (EVIL, EVIL),
        ("evil.example", EVIL),
        ("www.evil.example/…", EVIL),
        ("https://EVIL.example:443", EVIL),
        ("(see evil.example)", EVIL),
        ("click here", EVIL),
        ("README.md", EVIL),
        ("main.py and setup.cfg.txt", EVIL),
        ("v1.2.3", EVIL),
        ("e.g. this", EVIL),
        ("The end.", EVIL),
        ("12:30", EVIL),
        ("Anna: hello", EVIL),
        ("a@b.example", "mailto:a@b.example"),
        ("a@b.example", "mailto:a@b.example?subject=x"),
        ("+49 30 1234", "tel:+49301234"),
        ("Привет, мир", EVIL),
        ("https://пример.рф/a", "https://пример.рф/a?b=c"),
        ("", EVIL),
    ],
)
def test_none_or_its_own(label: str, url: str) -> None:
    assert not claims_other_address(label, url)


LINKS = Capabilities(
    features=features(dict.fromkeys((Feature.LINK, Feature.BOLD, Feature.CODE), Support.FULL)),
    limits=Limits(text_length=1000, caption_length=1000, attachments_per_message=1, upload_bytes=1),
)


def test_such_a_label_is_written_out_whatever_marks_split_it() -> None:
    bold, code = int(Mark.BOLD), int(Mark.CODE)
    runs = (Text("go to "), Text("https://", bold, EVIL), Text("bank", 0, EVIL), Text(".example", code, EVIL), Text(" now"))
    losses: dict[str, None] = {}
    shown = degrade(RichText((Paragraph(runs),)), LINKS, losses)  # type: ignore[arg-type]
    assert to_plain(shown) == f"go to https://bank.example ({EVIL}) now"
    assert not [i for block in shown.blocks for i in block.inlines if isinstance(i, Text) and i.link]  # type: ignore[union-attr]
    assert list(losses) == ["link shown as its address"]


def test_other_links_stay_links() -> None:
    runs = (Text("docs", 0, EVIL), Emoji("party"), Text("more at ", 0, EVIL), Text("evil.example", 0, EVIL))
    shown = degrade(RichText((Paragraph(runs),)), LINKS, {})
    assert [i.link for block in shown.blocks for i in block.inlines if isinstance(i, Text) and i.link] == [EVIL, EVIL]  # type: ignore[union-attr]
