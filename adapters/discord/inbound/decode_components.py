"""Message components -> rich text and files: texts, pictures, files, buttons and menus. Pure. Called by `decode_content`.

With the flag IS_COMPONENTS_V2 they are all that a message shows; without it they are the rows of buttons below it. What cannot be
operated elsewhere is shown by its label; an unknown kind is shown by the texts it contains, or by a line. Source: API reference,
"Component Reference", August 2026."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from adapters.discord import wire
from adapters.discord.inbound.decode_files import Whereabouts, media_file
from adapters.discord.inbound.decode_text import Names, decode_text
from adapters.discord.lenient import is_visible, mapping, objects, text, web_address, whole
from bridge.model.events import Attachment
from bridge.model.rich_text import Block, CodeBlock, Inline, Mark, Paragraph, RichText, Text, map_inlines, plain

IS_COMPONENTS_V2 = 1 << 15
BUTTON_ROW = 1
MAX_DEPTH = 8
"""Discord nests four deep."""
_MOST_OPTIONS = 25
"""Discord allows 25 in a menu."""
_DIVIDER = "───"
_LINK_SIGN = "🔗"


@dataclass(slots=True)
class Shown:
    """What components show, in order."""

    texts: list[RichText] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)


def components_of(components: list[wire.Component], names: Names, where: Whereabouts) -> Shown:
    return _Reader(names, where).read(components) if components else Shown()


class _Reader:
    def __init__(self, names: Names, where: Whereabouts) -> None:
        self._names = names
        self._where = where
        self._readers: dict[int, Callable[[wire.Component, int], Shown]] = {
            BUTTON_ROW: self._row,
            2: lambda button, _: self._row({"components": [button]}, 0),
            9: self._section,
            10: self._text_display,
            11: lambda thumbnail, _: self._picture(thumbnail),
            12: self._gallery,
            13: self._file,
            14: self._separator,
            17: self._container,
            **dict.fromkeys((3, 5, 6, 7, 8), lambda menu, _: self._row({"components": [menu]}, 0)),
        }

    def read(self, components: list[wire.Component], depth: int = 0) -> Shown:
        shown = Shown()
        for component in components:
            one = self._readers.get(whole(component.get("type"), -1), self._unknown)(component, depth)
            shown.texts += one.texts
            shown.files += one.files
        return shown

    def _inside(self, holder: wire.Component, depth: int) -> Shown:
        """Its content; nesting deeper than Discord's own is not read."""
        if depth >= MAX_DEPTH:
            return Shown([plain("(more, nested too deeply)")])
        inner = objects(holder.get("components")) + objects([holder.get("component"), holder.get("accessory")])
        return self.read(inner, depth + 1)

    # -- kinds ----------------------------------------------------------------------------------------------------------------

    def _text_display(self, component: wire.Component, _: int) -> Shown:
        return Shown([decode_text(text(component.get("content")), self._names)])

    def _section(self, component: wire.Component, depth: int) -> Shown:
        return self._inside(component, depth)

    def _container(self, component: wire.Component, depth: int) -> Shown:
        inner = self._inside(component, depth)
        return _hidden(inner) if component.get("spoiler") is True else inner

    def _separator(self, component: wire.Component, _: int) -> Shown:
        return Shown([] if component.get("divider") is False else [plain(_DIVIDER)])

    def _gallery(self, component: wire.Component, _: int) -> Shown:
        shown = Shown()
        for item in objects(component.get("items")):
            one = self._picture(item)
            shown.texts += one.texts
            shown.files += one.files
        return shown

    def _picture(self, item: wire.Component) -> Shown:
        return self._media(item.get("media"), item)

    def _file(self, component: wire.Component, _: int) -> Shown:
        return self._media(component.get("file"), component)

    def _media(self, media: wire.Media | None, holder: wire.Component) -> Shown:
        """A file of the message, or the address of one that is elsewhere."""
        is_spoiler, description = holder.get("spoiler") is True, text(holder.get("description"))
        file = media_file(media, self._where, alt_text=description, spoiler=is_spoiler)
        if file is not None:
            return Shown(files=[file])
        url = web_address(mapping(media).get("url"))
        name = description if is_visible(description) else text(holder.get("name"))
        line: list[Inline] = [Text(f"{name}: ")] if is_visible(name) else []
        line.append(Text(url, 0, url) if url else Text("(a file that Discord tells no address of)"))
        shown = Shown([RichText((Paragraph(tuple(line)),))])
        return _hidden(shown) if is_spoiler else shown

    def _row(self, row: wire.Component, depth: int) -> Shown:
        """Links on lines of their own; what can only be pressed on Discord side by side."""
        shown, labels = Shown(), []
        for component in objects(row.get("components")):
            kind = whole(component.get("type"), -1)
            url = web_address(component.get("url"))
            if kind == 2 and url:
                label = _label(component)
                name = f"{_LINK_SIGN} {label}: " if label and label != url else f"{_LINK_SIGN} "
                shown.texts.append(RichText((Paragraph((Text(name), Text(url, 0, url))),)))
            elif kind == 2:
                labels.append(f"[{_label(component) or 'button'}]")
            elif kind in (3, 5, 6, 7, 8):
                labels.append(f"[{_choice(component) or 'menu'} ▾]")
            else:
                one = self.read([component], depth + 1) if depth < MAX_DEPTH else Shown()
                shown.texts += one.texts
                shown.files += one.files
        if labels:
            shown.texts.append(plain(" ".join(labels)))
        return shown

    def _unknown(self, component: wire.Component, depth: int) -> Shown:
        """The texts that it contains, whatever its kind."""
        words = [text(component.get(key)) for key in ("label", "title", "content", "description", "placeholder", "name")]
        shown = Shown([decode_text(one, self._names) for one in words if is_visible(one)])
        options = [text(option.get("label")) for option in objects(component.get("options"))]
        shown.texts += [plain(f"[{label}]") for label in options[:_MOST_OPTIONS] if is_visible(label)]
        if component.get("media") or component.get("file"):
            media = self._media(component.get("media") or component.get("file"), {})
            shown.texts += media.texts
            shown.files += media.files
        elif url := web_address(component.get("url")):
            shown.texts.append(RichText((Paragraph((Text(url, 0, url),)),)))
        inner = self._inside(component, depth)
        items = self.read(objects(component.get("items")), depth + 1) if depth < MAX_DEPTH else Shown()
        shown.texts += inner.texts + items.texts
        shown.files += inner.files + items.files
        if not any(shown.texts) and not shown.files:
            shown.texts.append(plain("(something that only Discord can show)"))
        return shown


def _label(button: wire.Component) -> str:
    emoji = mapping(button.get("emoji"))
    sign = f":{text(emoji.get('name'))}:" if emoji.get("id") else text(emoji.get("name"))
    return " ".join(part for part in (sign, text(button.get("label"))) if is_visible(part))


def _choice(menu: wire.Component) -> str:
    """What a closed menu shows: what is chosen in it, or what it asks for."""
    chosen = [text(o.get("label")) for o in objects(menu.get("options")) if o.get("default") is True]
    return ", ".join(label for label in chosen if is_visible(label)) or text(menu.get("placeholder"))


def _hidden(shown: Shown) -> Shown:
    """Behind a spoiler. Code blocks have no marks: they are shown as code in a line."""
    texts = [map_inlines(RichText(tuple(map(_without_code_block, one.blocks))), _spoiled) for one in shown.texts]
    files = [msgspec.structs.replace(file, spoiler=True) for file in shown.files]
    return Shown(texts, files)


def _without_code_block(block: Block) -> Block:
    return Paragraph((Text(block.text, int(Mark.CODE)),)) if isinstance(block, CodeBlock) else block


def _spoiled(inline: Inline) -> Inline:
    return msgspec.structs.replace(inline, marks=int(inline.marks | Mark.SPOILER))
