"""Files of an admin: what cannot be read or is no YAML is one fault, with its place, whatever the file is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from yaml.nodes import MappingNode

from adapters.common import yaml_files
from bridge.model.errors import ConfigFault


def test_a_file_is_its_text_without_the_mark_of_its_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbftitle: \xc3\xa9")
    assert yaml_files.read(path, "the template", key="k") == "title: é"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot read the template: No such file"),
        (b"\xff", "cannot read the template: not UTF-8"),
        (b"x" * (yaml_files.MOST_BYTES + 1), "the template is larger than a megabyte"),
    ],
)
def test_what_cannot_be_read_is_a_fault_of_the_key_that_names_it(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "a.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigFault) as caught:
        yaml_files.read(path, "the template", key="ends.x.template")
    assert caught.value.why.startswith(words)
    assert (caught.value.key, caught.value.value) == ("ends.x.template", str(path))


def test_pipes_devices_and_folders_are_no_files(tmp_path: Path) -> None:
    """A pipe would be waited for, and a device may never end."""
    os.mkfifo(tmp_path / "pipe")
    for path, why in (
        (tmp_path / "pipe", "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path, "Is a directory"),
    ):
        with pytest.raises(ConfigFault, match=f"cannot read the template: {why}"):
            yaml_files.read(path, "the template", key="k")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: b\nc: [d", 2, "YAML: "),
        ("a: \x07", 0, "not valid YAML"),
        ("[" * 5000, 0, "not valid YAML: RecursionError"),
        ("a: &a [*a]", 1, "aliases"),
        ("a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)), 1, "aliases"),
    ],
)
def test_what_is_no_yaml_or_endless_is_a_fault_of_the_file(text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigFault) as caught:
        yaml_files.parse(text, "a.yaml")
    assert words in caught.value.why
    assert (caught.value.path, caught.value.line) == ("a.yaml", line)


def test_entries_and_faults_have_their_places() -> None:
    root = yaml_files.parse("a: 1\n? [b]\n: 2\na: |\n  x\n  y\n", "a.yaml")
    assert isinstance(root, MappingNode)
    found = list(yaml_files.entries(root))
    assert [name for name, _, _ in found] == ["a", "?", "a"]
    fault = yaml_files.fault_at(found[2][1], "given twice", "a.yaml", key="a", below=1)
    assert (str(fault), fault.line, fault.column) == ("a.yaml:5:1: a: given twice", 5, 1)
    whole = yaml_files.fault_at(None, "nothing in it", "a.yaml")
    assert (whole.line, whole.column) == (1, 1)
