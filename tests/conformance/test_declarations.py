"""What every platform declares about itself, before anything is connected."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.common.conformance import Lacks
from adapters.common.emulation.contract import Emulator
from adapters.registry import load_emulator, load_platform
from bridge.model.adapter import (
    Deletes,
    Edits,
    LooksAtChats,
    Pins,
    Reacts,
    ReadsHistory,
    Reconciles,
    RemovesFiles,
    SetsStatus,
    ShowsTyping,
)
from bridge.model.capabilities import Feature, Support
from bridge.model.threads import ClosesThreads, DeletesThreads, RenamesThreads
from tests.conformance.cases import skip_if_lacking
from tests.conformance.rig import Rig
from tests.support.budget import examples
from tests.support.patience import PATIENCE_S

ABILITIES: dict[Feature, type[Any]] = {
    Feature.EDIT: Edits,
    Feature.DELETE: Deletes,
    Feature.REMOVE_FILE: RemovesFiles,
    Feature.REACT: Reacts,
    Feature.PIN: Pins,
    Feature.RENAME_THREAD: RenamesThreads,
    Feature.CLOSE_THREAD: ClosesThreads,
    Feature.DELETE_THREAD: DeletesThreads,
    Feature.TYPING: ShowsTyping,
    Feature.STATUS: SetsStatus,
    Feature.HISTORY: ReadsHistory,
    Feature.RECONCILE: Reconciles,
}


def test_a_manifest_is_cheap() -> None:
    """Reading configuration and capabilities imports no client library: `check` and `--version` must not cost seconds."""
    heavy = ("aiogram", "slack_sdk", "discord")
    program = (
        "import sys\n"
        "from adapters.registry import load_platform, platforms\n"
        "for name in platforms():\n"
        "    load_platform(name).options(); load_platform(name).capabilities(None); load_platform(name).check_address('x')\n"
        f"print([name for name in {heavy!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    assert done.stdout.strip() == "[]"


def test_the_manifest_is_whole(platform: str) -> None:
    found = load_platform(platform)
    assert found.name == platform
    assert found.title
    assert found.manifest.credential_keys


async def test_a_platform_that_is_heard_gives_signs_of_life(rig: Rig) -> None:
    """Whoever polls or has a socket says so with everything that comes in; silence then means something."""
    skip_if_lacking(rig.platform, Lacks.SIGNS_OF_LIFE)
    deaf_after_s = rig.manifest.deaf_after_s(rig.options)
    assert deaf_after_s is not None
    assert 60 <= deaf_after_s <= 600
    before = rig.signs_of_life
    await rig.emulator.say(rig.chat.chat_id, "Anna", "still there?")
    await rig.eventually(lambda: rig.signs_of_life > before, "a sign of life")


async def test_a_chat_in_order_looks_so_while_the_account_runs(rig: Rig) -> None:
    assert isinstance(rig.adapter, LooksAtChats)
    items = await rig.adapter.look_at(rig.chat_id)
    assert items
    assert all(item.ok and item.chat_id == rig.chat_id for item in items), items


def test_unknown_options_are_faults(platform: str) -> None:
    emulator: Emulator = load_emulator(platform)
    assert emulator.platform == platform
    with pytest.raises(ValidationError, match="no_such_option"):
        load_platform(platform).options().model_validate({"no_such_option": 1})


def test_limits_make_sense(platform: str) -> None:
    limits = load_platform(platform).capabilities(None).limits
    assert limits.text_length >= 100
    assert 0 <= limits.caption_length <= limits.text_length
    assert limits.edit_length is None or 0 < limits.edit_length <= limits.text_length
    assert limits.attachments_per_message >= 1
    assert limits.upload_bytes >= 0
    assert limits.sender_name_length >= 20


def test_whatever_is_not_plainly_native_is_explained(platform: str) -> None:
    capabilities = load_platform(platform).capabilities(None)
    unexplained = [
        feature
        for feature in capabilities.features
        if capabilities.level(feature) in (Support.PARTIAL, Support.CONVERTED) and not capabilities.note(feature)
    ]
    assert unexplained == []


@given(address=st.text(max_size=40))
@settings(
    max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_any_address_is_answered(platform: str, address: str) -> None:
    found = load_platform(platform)
    for why in (found.check_address(address), found.check_thread(address)):
        assert why is None or why


async def test_an_ability_is_declared_exactly_when_it_is_there(rig: Rig) -> None:
    capabilities = rig.adapter.capabilities
    declared = {feature for feature in ABILITIES if capabilities.native(feature)}
    there = {feature for feature, ability in ABILITIES.items() if isinstance(rig.adapter, ability)}
    assert declared == there


async def test_secrets_are_masked(rig: Rig) -> None:
    given_options = rig.emulator.account_options()
    secrets = [str(given_options[key]) for key in rig.manifest.manifest.credential_keys if key in given_options]
    assert secrets
    for secret in secrets:
        for shown in (repr(rig.options), str(rig.options), repr(rig.adapter), str(rig.adapter)):
            assert secret not in shown


async def test_a_probe_of_a_healthy_account_finds_no_fault(rig: Rig) -> None:
    items = await rig.adapter.probe([rig.chat_id])
    assert items
    assert [(item.name, item.detail) for item in items if not item.ok] == []


async def test_closing_twice_is_harmless(platform: str) -> None:
    async with Rig(platform) as rig:
        await rig.adapter.close()
        await rig.adapter.close()
