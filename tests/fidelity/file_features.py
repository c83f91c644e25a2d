"""Files of each kind, alone and several together. Data."""

from __future__ import annotations

from tests.fidelity.features import NO, UNKNOWN, Feature
from tests.fidelity.payloads import (
    discord,
    discord_file,
    slack_file,
    slack_files,
    teamspirit,
    teamspirit_file,
    telegram,
    telegram_file,
)

FILES = [
    Feature(
        "picture",
        telegram(**telegram_file("photo", "p.jpg", "image/jpeg")),
        slack_files("", slack_file("p.jpg", "image/jpeg")),
        discord(attachments=[discord_file("p.jpg", "image/jpeg", width=64, height=48)]),
        teamspirit(files=(teamspirit_file("p.jpg", "image/jpeg"),)),
        file=("photo",),
    ),
    Feature(
        "picture with words",
        telegram("a word", **telegram_file("photo", "p.jpg", "image/jpeg")),
        slack_files("a word", slack_file("p.jpg", "image/jpeg")),
        discord("a word", attachments=[discord_file("p.jpg", "image/jpeg", width=64, height=48)]),
        teamspirit("a word", files=(teamspirit_file("p.jpg", "image/jpeg"),)),
        file=("photo",),
    ),
    Feature(
        "video",
        telegram(**telegram_file("video", "v.mp4", "video/mp4", duration=3, width=64, height=48)),
        slack_files("", slack_file("v.mp4", "video/mp4")),
        discord(attachments=[discord_file("v.mp4", "video/mp4")]),
        teamspirit(files=(teamspirit_file("v.mp4", "video/mp4"),)),
        file=("video",),
    ),
    Feature(
        "music",
        telegram(**telegram_file("audio", "a.mp3", "audio/mpeg", duration=3)),
        slack_files("", slack_file("a.mp3", "audio/mpeg")),
        discord(attachments=[discord_file("a.mp3", "audio/mpeg")]),
        teamspirit(files=(teamspirit_file("a.mp3", "audio/mpeg"),)),
        file=("audio",),
    ),
    Feature(
        "voice message",
        telegram(**telegram_file("voice", "v.ogg", "audio/ogg", duration=3)),
        slack_files("", slack_file("v.m4a", "audio/mp4", subtype="slack_audio", duration_ms=3000)),
        discord(flags=8192, attachments=[discord_file("voice-message.ogg", "audio/ogg", duration_secs=3.0, waveform="AAAA")]),
        UNKNOWN,
        file=("voice",),
    ),
    Feature(
        "round video",
        telegram(**telegram_file("video_note", "r.mp4", "video/mp4", duration=3, length=64)),
        NO.format("Slack"),
        NO.format("Discord"),
        UNKNOWN,
        file=("video_note",),
    ),
    Feature(
        "document",
        telegram(**telegram_file("document", "d.pdf", "application/pdf")),
        slack_files("", slack_file("d.pdf", "application/pdf")),
        discord(attachments=[discord_file("d.pdf", "application/pdf")]),
        teamspirit(files=(teamspirit_file("d.pdf", "application/pdf"),)),
        file=("document",),
    ),
    Feature(
        "animation",
        telegram(**telegram_file("animation", "g.mp4", "video/mp4", duration=3, width=64, height=48)),
        slack_files("", slack_file("g.gif", "image/gif")),
        discord(attachments=[discord_file("g.gif", "image/gif", width=64, height=48)]),
        teamspirit(files=(teamspirit_file("g.gif", "image/gif"),)),
        file=("animation", "photo"),
    ),
    Feature(
        "sticker",
        telegram(
            **telegram_file(
                "sticker",
                "s.webp",
                "image/webp",
                emoji="🙂",
                width=512,
                height=512,
                type="regular",
                is_animated=False,
                is_video=False,
            )
        ),
        NO.format("Slack"),
        discord(sticker_items=[{"id": "749054660769218631", "name": "Wave", "format_type": 1}]),
        UNKNOWN,
        file=("sticker",),
    ),
    Feature(
        "animated sticker",
        telegram(
            **telegram_file(
                "sticker",
                "s.tgs",
                "application/x-tgsticker",
                emoji="🙂",
                width=512,
                height=512,
                type="regular",
                is_animated=True,
                is_video=False,
            )
        ),
        NO.format("Slack"),
        discord(sticker_items=[{"id": "749054660769218632", "name": "Wave", "format_type": 3}]),
        UNKNOWN,
        file=("sticker",),
        how="a file, or a line where nothing can play it",
    ),
    Feature(
        "album",
        [telegram(media_group_id="g1", **telegram_file("photo", f"{n}.jpg", "image/jpeg")) for n in (1, 2)],
        slack_files("", slack_file("1.jpg", "image/jpeg"), slack_file("2.jpg", "image/jpeg")),
        discord(attachments=[discord_file(f"{n}.jpg", "image/jpeg", width=64, height=48) for n in (1, 2)]),
        teamspirit(files=(teamspirit_file("1.jpg", "image/jpeg"), teamspirit_file("2.jpg", "image/jpeg"))),
        count=2,
    ),
    Feature(
        "hidden picture",
        telegram(has_media_spoiler=True, **telegram_file("photo", "h.jpg", "image/jpeg")),
        NO.format("Slack"),
        discord(attachments=[discord_file("SPOILER_h.jpg", "image/jpeg", width=64, height=48, flags=8)]),
        UNKNOWN,
        hidden=True,
    ),
    Feature(
        "file above the limit",
        telegram(**telegram_file("document", "big.bin", "application/octet-stream", file_size=3_000_000_000)),
        slack_files("", slack_file("big.bin", "application/octet-stream", size=3_000_000_000)),
        discord(attachments=[{**discord_file("big.bin", "application/octet-stream"), "size": 3_000_000_000}]),
        teamspirit(files=({**teamspirit_file("big.bin", "application/octet-stream"), "size": 3_000_000_000},)),
        file=("document",),
        how="a line; with `web.public.url` a link to the bridge's own listener",
    ),
]
