"""A matterbridge configuration as it is read: formats, keys without case, gateways, the environment, and what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from bridge.matterbridge.read import Unreadable, read

TABLES = {
    "General": {"Label": "g"},
    "Telegram": {"Main": {"Token": "1:a"}, "stray": "x"},
    "tengo": {"InMessage": "a.tengo"},
    "gateway": [
        {
            "name": "one",
            "enable": True,
            "in": [{"account": "telegram.Main", "channel": "-1"}],
            "out": [{"account": "Telegram.main", "channel": "-1"}, {"account": "slack.x", "channel": "general"}],
        },
        {"name": "off", "inout": []},
    ],
    "samechannelgateway": [{"name": "same", "enable": True, "accounts": ["a.b", "c.d"], "channels": ["x", "y"]}],
}


@pytest.mark.parametrize(("name", "text"), [("m.json", json.dumps(TABLES)), ("m.yaml", yaml.safe_dump(TABLES))])
def test_a_file_by_its_name(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    foreign = read(path, {"MATTERBRIDGE_TELEGRAM_MAIN_TOKEN": "2:b"})
    assert foreign.sections["telegram.main"].text("Token") == "2:b"
    assert foreign.general.text("label") == "g"
    one, same_x, same_y = foreign.gateways
    assert [(m.account, m.channel, m.sends, m.receives) for m in one.members] == [
        ("telegram.main", "-1", True, True),
        ("slack.x", "general", False, True),
    ]
    assert (same_x.name, same_y.name) == ("same-x", "same-y")
    assert [(m.account, m.channel, m.sends, m.receives) for m in same_y.members] == [
        ("a.b", "y", True, True),
        ("c.d", "y", True, True),
    ]
    assert [note.place for note in foreign.notes] == ["telegram.stray", "tengo.InMessage", "gateway off"]


def test_toml(tmp_path: Path) -> None:
    path = tmp_path / "matterbridge.toml"
    path.write_text('[slack.a]\nToken="x"\n[[gateway]]\nname="g"\nenable=true\ninout=[{account="slack.a", channel="c"}]\n')
    foreign = read(path, {})
    assert list(foreign.sections) == ["slack.a"]
    assert foreign.gateways[0].members[0].channel == "c"


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.toml", b"[slack]\nToken=\n", "line 2"),
        ("a.toml", b"\xff\xfe", "UTF-8"),
        ("a.json", b"[]", "tables"),
        ("a.json", b"[" * 100_000, "nested"),
        ("a.yaml", b"a: &a {b: *a}", "nested"),
        (
            "a.yaml",
            b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b"*a%d," % (n - 1) * 9) for n in range(1, 9)),
            "values",
        ),
        ("a.yaml", b"a: [", "a.yaml"),
        ("a.yaml", b"x", "tables"),
    ],
)
def test_what_is_no_configuration_is_told(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(Unreadable, match=why):
        read(tmp_path / name, {})


def test_a_missing_and_an_endless_file(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="No such file"):
        read(tmp_path / "none.toml", {})
    with pytest.raises(Unreadable, match="larger than"):
        read(Path("/dev/zero"), {})
