"""Accounts: what a platform says of its options, and one that cannot be loaded."""

from __future__ import annotations

from typing import Any


def only(found: list[str]) -> str:
    assert len(found) == 1, found
    return found[0]


def test_a_platforms_own_check_points_into_the_file(zoo: Any) -> None:
    loaded = zoo.load("accounts:\n  polly: {platform: parrot, token: abcde, feathers: [none]}\n")
    assert str(only(loaded.faults)) == f"{zoo.path}:2:54: accounts.polly.feathers[0]: a parrot has feathers (found 'none')"


def test_a_platform_that_cannot_be_loaded(zoo: Any) -> None:
    def broken(name: str) -> Any:
        raise ImportError("no module named squawk")

    from bridge.config.load import load_config

    zoo.path.write_text(zoo.accounts)
    found = load_config(zoo.path, {}, broken).faults
    assert any("platform 'parrot' cannot be loaded: no module named squawk" in str(fault) for fault in found)


def test_paths_in_options_start_at_the_files_folder(zoo: Any) -> None:
    (zoo.folder / "ca.pem").write_text("x")
    loaded = zoo.load("accounts: {p: {platform: parrot, token: abcde, ca_file: ca.pem}}\n")
    assert loaded.config is not None
    assert loaded.config.accounts["p"].options.ca_file == zoo.folder / "ca.pem"
    loaded = zoo.load("accounts: {p: {platform: parrot, token: abcde, ca_file: none.pem}}\n")
    assert f"there is no file {zoo.folder / 'none.pem'}" in str(only(loaded.faults))
