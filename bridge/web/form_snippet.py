"""The HTML of a website's form, as people paste it into a page. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from bridge.model.web_mount import HONEYPOT_FIELD

_KINDS = {"email": "email", "phone": "tel", "file": "file"}
KNOWN_FIELDS = ("name", "email", "phone", "message", "file")
MOST_FIELDS = 20


def form_snippet(url: str, fields: Sequence[str], own_fields: Sequence[str], words: Mapping[str, str]) -> str:
    """`fields`: of `KNOWN_FIELDS`; `own_fields`: by their labels, which are their names too. `words`: of the language."""
    lines = [f'<form action="{escape(url)}" method="post"{_packing(fields)} accept-charset="utf-8">']
    for name in [one for one in KNOWN_FIELDS if one in fields]:
        label, must = escape(words[name]), " required" if name in ("email", "message") else ""
        if name == "message":
            control = f'<textarea name="{name}" rows="5"{must}></textarea>'
        else:
            control = f'<input name="{name}" type="{_KINDS.get(name, "text")}"{must}>'
        lines.append(f"  <p><label>{label}<br>{control}</label></p>")
    for name in own_fields[:MOST_FIELDS]:
        lines.append(f'  <p><label>{escape(name)}<br><input name="{escape(name)}"></label></p>')
    trap = f'<input name="{HONEYPOT_FIELD}" tabindex="-1" autocomplete="off">'
    lines.append(f'  <p style="display:none"><label>{escape(words["leave_empty"])} {trap}</label></p>')
    lines += [f"  <p><button>{escape(words['send'])}</button></p>", "</form>"]
    return "\n".join(lines)


def _packing(fields: Sequence[str]) -> str:
    return ' enctype="multipart/form-data"' if "file" in fields else ""
