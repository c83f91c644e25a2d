"""All adapters have the same files under the same names: who knows one knows all. What one lacks is listed with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.registry import load_manifest, platforms

ROOT = Path(__file__).parents[2]

ROSTER = (
    "__init__.py",
    "README.md",
    "quality.yaml",
    "config.py",
    "capabilities.py",
    "addresses.py",
    "links.py",
    "errors.py",
    "probe.py",
    "wire.py",
    "transport.py",
    "adapter.py",
    "directory.py",
    "inbound/__init__.py",
    "inbound/receiver.py",
    "inbound/catch_up.py",
    "inbound/decode.py",
    "inbound/decode_content.py",
    "inbound/decode_text.py",
    "inbound/downloads.py",
    "outbound/__init__.py",
    "outbound/sender.py",
    "outbound/encode.py",
    "outbound/encode_text.py",
    "outbound/reconcile.py",
    "outbound/reactions.py",
    "emulator/__init__.py",
    "emulator/server.py",
    "emulator/world.py",
    "emulator/records.py",
    "emulator/wire.py",
    "emulator/people.py",
    "emulator/render.py",
    "emulator/rules.py",
    "emulator/files.py",
    "emulator/errors.py",
)
"""What each file is for: docs/adding-a-platform.md."""

MORE = frozenset(
    {
        "abilities.py",
        "matterbridge.py",
        "uploads.py",
        "rate_limit.py",
        "inbound/stream.py",
        "inbound/account_events.py",
        "inbound/webhook_auth.py",
        "inbound/reorder.py",
    }
    | {"outbound/message_header.py", "outbound/sent_messages.py", "enums.py", "lenient.py"}
)
"""Names that some adapters need and others do not; they mean the same wherever they stand."""

LACKS = {
    "telegram/outbound/reconcile.py": "a bot cannot read a chat, so nobody can tell whether a message arrived",
    "webhook/inbound/catch_up.py": "a sender cannot be asked what it said: it sends again what was not answered",
    "webhook/outbound/reconcile.py": "a receiver cannot be asked what it has: it knows a repeated message by its id",
}
"""`<platform>/<file>` -> why that adapter has no such file. A line that is not true any more fails."""

LONGEST_ADAPTER_LINES = 150


def ours() -> list[tuple[str, Path]]:
    packages = [(platform, load_manifest(platform).package) for platform in platforms()]
    return [(name, ROOT / package.replace(".", "/")) for name, package in packages if package.startswith("adapters.")]


@pytest.mark.parametrize(("platform", "folder"), ours())
def test_an_adapter_has_the_files_of_the_roster(platform: str, folder: Path) -> None:
    missing = {f"{platform}/{name}" for name in ROSTER if not (folder / name).is_file()}
    excused = {one for one in LACKS if one.startswith(f"{platform}/")}
    assert missing == excused


def test_each_exception_has_a_reason() -> None:
    assert all(len(reason) > 20 for reason in LACKS.values())
    assert {one.split("/", 1)[1] for one in LACKS} <= set(ROSTER)


@pytest.mark.parametrize(("platform", "folder"), ours())
def test_the_adapter_itself_only_delegates(platform: str, folder: Path) -> None:
    lines = (folder / "adapter.py").read_text(encoding="utf-8").count("\n")
    assert lines < LONGEST_ADAPTER_LINES, f"{platform}: {lines} lines; what is more than a line or two has its own file"


def test_one_thing_has_one_name() -> None:
    """A file's name that several adapters use stands at the same place in each of them."""
    places: dict[str, set[str]] = {}
    for _, folder in ours():
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder).parts
            if path.stem != "__init__" and len(parts) <= 2:
                places.setdefault(path.name, set()).add("/".join(parts[:-1]))
    scattered = {name: found for name, found in places.items() if len(found - {"emulator"}) > 1}
    assert not scattered
    agreed = {name.rsplit("/", 1)[-1]: name.rpartition("/")[0] for name in MORE}
    assert {name: places[name] for name in agreed.keys() & places.keys()} == {
        name: {agreed[name]} for name in agreed.keys() & places.keys()
    }
