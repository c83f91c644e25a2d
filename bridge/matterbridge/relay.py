"""Settings that every matterbridge account may have: relay options of ours, lines of filters, and replacements.

matterbridge reads a setting from the account that a message comes from, or from the one that it goes to. The first become
filters of the routes (`Source`), the others relay options of the account."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from typing import Any

from bridge.model.foreign_settings import ForeignSection

_PLACEHOLDERS = {"NICK": "{name}", "NOPINGNICK": "{name}", "PROTOCOL": "{platform}", "BRIDGE": "{account}", "CHANNEL": "{chat}"}
_PLACEHOLDER = re.compile(r"\{([A-Z]+)\}")
_GROUP = re.compile(r"\$(?:\{(\w+)\}|(\w+))")

_NOT_NEEDED = {
    "preservethreading": "is not needed: replies and threads cross by themselves",
    "prefixmessageswithnick": "is not needed: where no other name can be shown, it is in the text",
    "iconurl": "is not needed: pictures cross, or media.avatars makes them",
    "stripnick": "is not needed: names are made safe for each messenger",
    "messageclipped": "is not needed: long texts are several messages, or a file (long_text_parts)",
    "nosendjoinpart": "is not needed: membership is off unless an end asks for it",
    "joindelay": "is not needed: pace keeps to each messenger's limits",
    "nickformatter": "has no counterpart",
    "nicksperrow": "has no counterpart",
    "debug": "is log.level: debug, for all accounts",
    "debuglevel": "is log.level: debug, for all accounts",
    "charset": "is not needed: all is UTF-8",
    "messagesplit": "is not needed: long texts are several messages",
    "ignorefailureonstart": "is not needed: an account that is down waits by itself",
    "logfile": "has no counterpart: the log goes to the journal of systemd",
    "editsuffix": "is not needed: messengers show by themselves that a message was edited",
    "mediadownloadpath": "has no counterpart: media.links serves files that a chat cannot take",
    "mediaserverdownload": "has no counterpart: media.links serves files that a chat cannot take",
    "mediaserverupload": "has no counterpart: media.links serves files that a chat cannot take",
}


@dataclass
class Source:
    """What holds for messages that come from an account: conditions of `drop` lines, and replacements."""

    drops: list[dict[str, Any]] = field(default_factory=list)
    rewrites: list[dict[str, str]] = field(default_factory=list)


def relay_options(section: ForeignSection) -> dict[str, Any]:
    """What becomes of messages that go to the account."""
    found: dict[str, Any] = {}
    sender = _sender(section)
    if sender not in ("", "{name}"):
        found["sender"] = sender
    for key, option in (("ShowJoinPart", "membership"), ("ShowTopicChange", "renames"), ("ShowUserTyping", "typing")):
        if section.flag(key):
            found[option] = True
    if section.flag("DisableWebPagePreview"):
        found["previews"] = False
    parts = section.number("MessageSplitMaxCount")
    if parts is not None:
        found["long_text_parts"] = min(max(parts, 1), 50)
    size = section.number("MediaDownloadSize")
    if size is not None:
        found["max_file_mb"] = max(round(size / 1_000_000), 1)
    return found


def network_options(section: ForeignSection) -> dict[str, Any]:
    proxy = section.text("http_proxy")
    if "@" in proxy:  # it has a password
        proxy = section.secret("http_proxy")
    if section.flag("SkipTLSVerify"):
        section.note("SkipTLSVerify", "is refused: anybody on the way could read along", "ca_file names the server's own CA")
    return {"proxy": proxy} if proxy else {}


def source(section: ForeignSection) -> Source:
    """What holds for messages that come from the account."""
    found = Source()
    for key, part in (("IgnoreNicks", "author"), ("IgnoreMessages", "text")):
        patterns = [one for one in section.words(key) if _holds(section, key, one)]
        if patterns:
            found.drops.append({part: "|".join(f"(?:{one})" for one in patterns) if len(patterns) > 1 else patterns[0]})
    if section.flag("EditDisable"):
        found.drops.append({"kind": "edit"})
    for find, replace in section.pairs("ReplaceMessages"):
        if _holds(section, "ReplaceMessages", find):
            found.rewrites.append({"find": find, "replace": _GROUP.sub(lambda group: rf"\g<{group[1] or group[2]}>", replace)})
    for key in ("ReplaceNicks", "ExtractNicks"):
        if section.given(key):
            section.note(key, "has no counterpart", "name people in `people`, or write a `sender` template")
    if section.given("MediaDownloadBlackList"):
        section.note("MediaDownloadBlackList", "has no counterpart", "a filter knows files: true, not their names")
    return found


def tell_the_rest(section: ForeignSection) -> None:
    """A line for each setting of the account that nothing asked for."""
    for key in list(section.unused()):
        section.note(key, _NOT_NEEDED.get(key.lower(), "has no counterpart"))


def _sender(section: ForeignSection) -> str:
    """The template of a name. What stands around it to separate it from the text goes: how a name stands before a text is each
    messenger's own."""
    given = section.given("RemoteNickFormat")
    template = str(given or "")
    unknown = [name for name in _PLACEHOLDER.findall(template) if name not in _PLACEHOLDERS]
    if unknown:
        section.note("RemoteNickFormat", f"has no counterpart for {', '.join('{' + one + '}' for one in unknown)}")
    for brace in "{}":
        template = template.replace(brace, brace * 2)
    template = re.sub(r"\{\{([A-Z]+)\}\}", lambda found: _PLACEHOLDERS.get(found[1], ""), template)
    template = re.sub(r"[*_`<>]", "", " ".join(template.split())).strip().rstrip(":").strip()
    if template and "{name}" not in template:
        section.note("RemoteNickFormat", "shows nobody's name, and was left out")
        return ""
    return template


def _holds(section: ForeignSection, key: str, pattern: str) -> bool:
    """Whether Python understands the expression: Go's are nearly the same."""
    try:
        with warnings.catch_warnings(action="ignore"):
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        section.note(key, f"{pattern[:60]!r} is no expression here ({error})", "write it anew as a filter or a rewrite")
        return False
    return True
