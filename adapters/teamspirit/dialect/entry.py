"""Base of every entry of a dialect: strict, immutable, with the two small languages that occur in entries.

`TemplateText` entries of calls are Jinja2 templates over the variables in `variables.py`; entries of type `Query` are JMESPath
expressions over the server's JSON. Used by `calls`, `events` and `model`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from adapters.common.queries import checked

Query = Annotated[str, AfterValidator(checked)]
"""A JMESPath expression, checked."""


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def _as_text(value: object) -> object:
    """YAML reads `yes` or `1` without quotes as something else; in a template they are meant as written."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


TemplateText = Annotated[str, BeforeValidator(_as_text)]
