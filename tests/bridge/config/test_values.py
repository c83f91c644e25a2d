"""From YAML to typed values: text stays as written, variables and secret files are put in, and every fault names its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from yaml.nodes import MappingNode

from bridge.config import nodes
from bridge.config.faults import Faults
from bridge.config.values import Absent, Values
from tests.bridge.config.conftest import Parrot


class Read:
    """One mapping, read as a parrot's options."""

    def __init__(self, text: str, folder: Path, environ: dict[str, str] | None = None, absent: Absent = Absent.FAULT) -> None:
        self.faults = Faults("bridge.yaml")
        values = Values(self.faults, environ or {}, folder, absent)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        assert isinstance(node, MappingNode)
        entries = nodes.entries(node, "", self.faults)
        self.options: Any = values.model(Parrot, entries, node, "parrot")
        self.secrets = values.secrets
        self.texts = [str(fault) for fault in (*self.faults.faults, *self.faults.warnings)]


def test_text_is_as_written_and_numbers_are_numbers(tmp_path: Path) -> None:
    read = Read("{token: 0123, limit: 7, loud: yes, free: {a: 1, b: no}}", tmp_path)
    assert read.options is not None, read.texts
    assert read.options.token.get_secret_value() == "0123"
    assert (read.options.limit, read.options.loud) == (7, True)


def test_variables_are_put_in_and_secrets_remembered(tmp_path: Path) -> None:
    read = Read("{token: '${TOKEN}', server: '${SERVER:-https://e.com}'}", tmp_path, {"TOKEN": "s3cret-value"})
    assert read.options.server == "https://e.com"
    assert read.secrets == {"s3cret-value"}


def test_a_secret_may_be_in_a_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-the-file\n")
    (tmp_path / "token").chmod(0o600)
    assert Read("{token_file: token}", tmp_path).options.token.get_secret_value() == "from-the-file"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{token: a, limi: 7}", "limit"),
        ("{token: a, limit: 700}", "parrot.limit"),
        ("{loud: yes}", "token is missing"),
        ("{token: a, token_file: b}", "given as well"),
        ("{token_file: nowhere}", "cannot read the secret's file"),
        ("{token: '${UNSET}'}", "UNSET"),
        ("{token: !secret a}", "tag"),
    ],
)
def test_each_fault_names_its_place_and_a_way_out(text: str, words: str, tmp_path: Path) -> None:
    read = Read(text, tmp_path)
    assert any(words in one for one in read.texts), read.texts


def test_no_fault_shows_a_secret(tmp_path: Path) -> None:
    read = Read("{token: a, server: 'ftp://user:hidden-pass@e.com'}", tmp_path)
    assert read.texts
    assert not any("hidden-pass" in one for one in read.texts)


def test_an_alias_within_itself_is_a_fault_and_ends(tmp_path: Path) -> None:
    read = Read("{token: a, free: &a {b: *a}}", tmp_path)
    assert any("nested too deeply" in one for one in read.texts)


def test_what_only_the_service_has_is_left_out_for_tools(tmp_path: Path) -> None:
    read = Read("{token: '${UNSET}'}", tmp_path, absent=Absent.LEFT_OUT)
    assert not [one for one in read.texts if "UNSET" in one and "not checked" not in one]
