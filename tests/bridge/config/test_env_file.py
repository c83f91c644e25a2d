"""The file of variables: what systemd and Docker take, faults with their line, and no value in any of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bridge.config.env_file import VARIABLE, read_env_file, with_file
from bridge.model.errors import ConfigFault


def test_what_it_may_hold(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(
        "\ufeff# comment\n; another\n\nTOKEN=123:abc#def\nSPACES = some words \nexport SHELL_LIKE=1\n"
        'SINGLE=\'it is "so" $X\'\nDOUBLE="a \\"b\\" \\\\ \\$c"\nEMPTY=\nURL=https://x/?a=b\r\nTOKEN2=last\n',
        encoding="utf-8",
    )
    assert read_env_file(path) == {
        "TOKEN": "123:abc#def",
        "SPACES": "some words",
        "SHELL_LIKE": "1",
        "SINGLE": 'it is "so" $X',
        "DOUBLE": 'a "b" \\ $c',
        "EMPTY": "",
        "URL": "https://x/?a=b",
        "TOKEN2": "last",
    }


def test_a_set_variable_is_stronger(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=file\nB=file\n")
    environ = {VARIABLE: str(tmp_path / "env"), "A": "set"}
    assert with_file(environ) == {**environ, "B": "file"}
    assert with_file({"A": "set"}) == {"A": "set"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"A=1\na secret of a token\n", ":2: must be NAME=value"),
        (b"1A=a secret\n", ":1: must be NAME=value"),
        (b"A='a secret\nB=2\n", ":1: A: the quote is not closed"),
        (b'A="\n', ":1: A: the quote is not closed"),
        (b"A=1\n\nB=a secret \xff\n", ":3: is not UTF-8"),
        (b"A=a secret\0\n", ":1: A: is not text"),
        (b"A=" + b"a secret" * 200_000, "is larger than 1000 kB"),
    ],
)
def test_faults_name_the_line_and_no_value(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "env").write_bytes(content)
    with pytest.raises(ConfigFault) as caught:
        read_env_file(tmp_path / "env")
    assert words in str(caught.value)
    assert str(tmp_path / "env") in str(caught.value)
    assert "secret" not in str(caught.value)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("nowhere", "No such file"), ("pipe", "not a regular file"), ("", "Is a directory|not a regular file")):
        with pytest.raises(ConfigFault, match=words):
            read_env_file(tmp_path / name)
