"""What a platform is taken to play where it says nothing, and where it does."""

from __future__ import annotations

import pytest

from bridge.model.media import APNG, GIF, LOTTIE, MP4, TGS, Media
from bridge.model.media import AttachmentKind as K


@pytest.mark.parametrize(
    ("kind", "mime", "is_played"),
    [
        (K.PHOTO, "image/heic", True),
        (K.PHOTO, MP4, False),
        (K.PHOTO, APNG, False),
        (K.VIDEO, "video/quicktime", True),
        (K.VIDEO, GIF, False),
        (K.ANIMATION, GIF, True),
        (K.ANIMATION, "image/png", False),
        (K.VOICE, "audio/x-anything", True),
        (K.VOICE, "text/plain", False),
        (K.STICKER, TGS, False),
        (K.DOCUMENT, LOTTIE, True),
        (K.PHOTO, "application/octet-stream", True),
    ],
)
def test_without_a_list_a_kind_takes_what_is_of_its_nature(kind: K, mime: str, is_played: bool) -> None:
    assert Media().is_played(kind, mime) is is_played


def test_with_a_list_it_takes_nothing_else() -> None:
    media = Media(plays={K.STICKER: (TGS,)})
    assert media.is_played(K.STICKER, TGS)
    assert not media.is_played(K.STICKER, "image/webp")
    assert media.is_played(K.PHOTO, "image/webp")
