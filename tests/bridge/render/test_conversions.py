"""What is converted for which target: by what the platforms themselves say they play."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from adapters.discord.capabilities import capabilities as discord
from adapters.slack.capabilities import capabilities as slack
from adapters.teamspirit.capabilities import capabilities as teamspirit
from adapters.telegram.capabilities import capabilities as telegram
from bridge.model.capabilities import Capabilities
from bridge.model.events import Attachment
from bridge.model.events import AttachmentKind as K
from bridge.model.media import APNG, GIF, LOTTIE, M4A, MP4, OGG, TGS, WEBM, Form
from bridge.model.refs import AccountName
from bridge.render.attachments import Target
from bridge.render.conversions import wanted_form

PLATFORMS: dict[str, Callable[[], Capabilities]] = {
    "telegram": lambda: telegram(None),
    "slack": lambda: slack(None),
    "discord": lambda: discord(None),
    "teamspirit": lambda: teamspirit(None),
}


def wanted(kind: K, mime: str, platform: str, origin: str = "elsewhere", waveform: str = "") -> Form | None:
    attachment = Attachment(kind=kind, file_id="1", name="x", mime=mime, waveform=waveform)
    target = Target(account=AccountName("t"), platform=platform, capabilities=PLATFORMS[platform](), measure=lambda text: 0)
    return wanted_form(attachment, target, same_platform=origin == platform)


@pytest.mark.parametrize("mime", [TGS, LOTTIE, APNG, WEBM])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_stickers_that_move_become_what_plays_by_itself(mime: str, platform: str) -> None:
    form = wanted(K.STICKER, mime, platform)
    assert form is not None
    assert form.mime == GIF
    assert form.kind is (K.PHOTO if platform == "teamspirit" else K.ANIMATION)


@pytest.mark.parametrize("mime", ["image/webp", "image/png", GIF])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_stickers_that_every_platform_shows_stay(mime: str, platform: str) -> None:
    assert wanted(K.STICKER, mime, platform) is None


@pytest.mark.parametrize("mime", ["image/webp", TGS, WEBM])
def test_telegrams_stickers_stay_stickers_on_telegram(mime: str) -> None:
    assert wanted(K.STICKER, mime, "telegram", "telegram") is None


@pytest.mark.parametrize(
    ("platform", "mime", "form"),
    [
        ("telegram", MP4, None),
        ("telegram", GIF, None),
        ("slack", MP4, Form(kind=K.ANIMATION, mime=GIF)),
        ("discord", MP4, Form(kind=K.ANIMATION, mime=GIF)),
        ("discord", GIF, None),
        ("teamspirit", MP4, None),
    ],
)
def test_animations(platform: str, mime: str, form: Form | None) -> None:
    assert wanted(K.ANIMATION, mime, platform) == form


@pytest.mark.parametrize(
    ("platform", "mime", "form"),
    [
        ("telegram", OGG, None),
        ("telegram", M4A, None),
        ("telegram", "audio/webm", Form(kind=K.VOICE, mime=OGG)),
        ("discord", OGG, Form(kind=K.VOICE, mime=OGG, waveform=True)),
        ("discord", M4A, Form(kind=K.VOICE, mime=OGG, waveform=True)),
        ("slack", OGG, Form(kind=K.AUDIO, mime=M4A)),
        ("slack", M4A, None),
        ("slack", "audio/mpeg", None),
        ("teamspirit", OGG, Form(kind=K.AUDIO, mime=M4A)),
        ("discord", "text/plain", None),
    ],
)
def test_voice_messages(platform: str, mime: str, form: Form | None) -> None:
    assert wanted(K.VOICE, mime, platform) == form


def test_a_waveform_that_is_known_is_not_made_again() -> None:
    assert wanted(K.VOICE, OGG, "discord", waveform="AAAA") is None


@pytest.mark.parametrize("kind", [K.PHOTO, K.VIDEO, K.AUDIO, K.VIDEO_NOTE, K.DOCUMENT])
@pytest.mark.parametrize("mime", [TGS, LOTTIE, WEBM, OGG, "image/heic", "audio/flac"])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_all_other_files_stay(kind: K, mime: str, platform: str) -> None:
    assert wanted(kind, mime, platform) is None
