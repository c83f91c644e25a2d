"""Whole messages rendered with every platform's own capabilities and measure: nothing over a limit, nothing lost."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.registry import load_emulator, load_platform
from bridge.identity.names import Names
from bridge.identity.people import People
from bridge.model.adapter import Adapter
from bridge.model.capabilities import Feature
from bridge.model.characters import is_blank
from bridge.model.events import AttachmentKind, Content
from bridge.model.platform import AdapterContext
from bridge.model.rich_text import RichText, plain, text_of, to_plain
from bridge.render.degrade import degrade
from bridge.render.long_text import is_whole_text, whole_text, with_whole_text
from bridge.render.message import FetchResult, Rendered, Target, render
from bridge.render.parts import Held
from tests.conformance.cases import CASES
from tests.conformance.rig import ACCOUNT
from tests.support.budget import examples
from tests.support.strategies import MEGA, ORIGIN, attachment, created, edited, fetched, inked, rich_texts
from tests.support.web import UnreachedWeb

LONG = st.builds(lambda rich, times: RichText(rich.blocks * times), rich_texts, st.sampled_from([1, 5, 25]))


@pytest.fixture
async def target(platform: str) -> AsyncIterator[Target]:
    """The platform as `render` sees it; nothing is connected."""
    found = load_platform(platform)
    options = found.options().model_validate(load_emulator(platform).account_options())
    adapter: Adapter = found.build(AdapterContext(account=ACCOUNT, options=options, web=UnreachedWeb()))
    yield Target(
        account=ACCOUNT,
        platform=platform,
        platform_title=found.title,
        capabilities=adapter.capabilities,
        measure=adapter.measure,
    )
    await adapter.close()


def rendered(content: Content, target: Target, *, existing: list[Held] | None = None) -> Rendered:
    event = created(content) if existing is None else edited(content)
    settled = [fetched(a) if existing is None else FetchResult(attachment=a) for a in content.attachments]
    return render(
        event,
        origin=ORIGIN,
        target=target,
        fetched=settled,
        reply=None,
        people=People(),
        names=Names(),
        existing=existing,
    )


@given(rich=LONG, files=st.integers(0, 12))
@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_no_part_is_over_the_limit_and_no_word_is_lost(target: Target, rich: RichText, files: int) -> None:
    content = Content(text=rich, attachments=tuple(attachment(f"{n}.bin", AttachmentKind.DOCUMENT) for n in range(files)))
    made = rendered(content, target)
    if made.left_out:  # too many messages: delivery sends the whole text as one more file
        content = with_whole_text(content, created(content).meta, "Anna")
        made = rendered(content, target)
    limits = target.capabilities.limits
    for part in made.parts:
        limit = limits.caption_length if part.files else limits.text_length
        assert target.measure(part.text, caption=bool(part.files)) <= limit
        assert len(part.files) <= limits.attachments_per_message
        assert part.files or not is_blank(text_of(part.text))
    sent_whole = any(is_whole_text(attachment) for attachment in content.attachments)
    carried = iter(whole_text(content).decode() if sent_whole else "".join(to_plain(part.text) for part in made.parts))
    assert all(c in carried for c in inked(text_of(rich)) if c.isprintable() and not is_blank(c))
    if target.capabilities.native(Feature.DOCUMENT):
        assert sum(len(part.files) for part in made.parts) == files + sent_whole


@given(rich=LONG, existing=st.lists(st.sampled_from(Held), min_size=1, max_size=3))
@settings(
    max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_no_edit_is_over_the_limit(target: Target, rich: RichText, existing: list[Held]) -> None:
    limits = target.capabilities.limits
    made = rendered(Content(text=rich), target, existing=existing)
    for part in made.parts:
        limit = limits.caption_length if part.has_files else limits.text_length
        assert target.measure(part.text, caption=part.has_files) <= min(limit, limits.edit_length or limit)
    assert not any(part.text for part, held in zip(made.parts, existing, strict=False) if held is Held.FILES_ALONE)


@given(text=st.text(max_size=300))
@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_the_measure_is_at_least_the_length_on_the_wire(target: Target, text: str) -> None:
    """In code points, the largest count any of the platforms makes of plain text without its own overhead."""
    rich = degrade(plain(text), target.capabilities, {})
    wire = CASES[target.platform].codecs[target.platform].encode(rich)
    length = len(wire) if isinstance(wire, str) else len(getattr(wire, "text", text_of(rich)))
    assert target.measure(rich) >= length


def test_a_file_that_is_too_large_is_told_to_readers(target: Target) -> None:
    limit = target.capabilities.limits.upload_bytes
    content = Content(attachments=(attachment("huge.bin", size_bytes=limit + MEGA),))
    (part,) = rendered(content, target).parts
    assert not part.files
    assert "huge.bin" in to_plain(part.text)
    assert target.platform_title in to_plain(part.text)
