"""From YAML nodes to typed values: interpolation, `<key>_file` secrets, paths, pydantic models whose errors point into the file.

Scalars reach pydantic as the text that was written, so a field of type `str` gets `-1001234567890` or `yes` exactly so, and a field
of type `int` or `bool` parses it. Used by the section readers of this package.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from bridge.config import nodes
from bridge.config.errors import explain
from bridge.config.faults import Faults, did_you_mean, shorten
from bridge.config.field_types import Shape, fields_of, secret_keys, shape_of
from bridge.config.interpolate import expand, is_unset, refers, unset
from bridge.config.nodes import Entries, join
from bridge.config.partial import Loc, Possible, possible

CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""Where systemd puts the secrets of a unit with LoadCredential=."""

_SECRET_FILE_BYTES = 64 * 1024
_MOST_VALUES = 100_000
"""Values in one section's free-form part: aliases can multiply without bound."""
_DEEPEST = 50
_LOGIN = re.compile(r"^([a-z][a-z0-9+.-]*://)?[^/?#\s@]*:.*@", re.I)
"""User and password of a URL, also of a malformed one."""

Model = TypeVar("Model", bound=BaseModel)


class _Failed(Exception):
    """The value has a fault that is already recorded."""


class Absent(Enum):
    """How to treat values that only the service has: its environment, its secret files."""

    FAULT = "fault"
    CREDENTIALS = "credentials"
    """`${CREDENTIALS_DIRECTORY}`, which systemd sets for the service alone, may be unset: what refers to it is left out, with a
    warning."""
    LEFT_OUT = "left out"
    """So is every value that refers to an unset variable, and every secret whose file cannot be read: for tools that need none."""


class Values:
    """Reads nodes of one file. Remembers every secret it saw, so that no fault shows one."""

    def __init__(self, faults: Faults, environ: Mapping[str, str], folder: Path, absent: Absent = Absent.FAULT) -> None:
        self._absent = absent
        self.faults = faults
        self.folder = folder
        self.secrets: set[str] = set()
        self.literal_secrets: list[tuple[Node, str]] = []
        """Secrets written into the file itself."""
        self._environ = environ
        self._left = _MOST_VALUES
        self._seen = hashlib.sha256()

    def seen(self, text: str) -> str:
        """A hash of the file's text, and of what was read for it from elsewhere: tells whether any of it differs."""
        whole = self._seen.copy()
        whole.update(text.encode("utf-8", "surrogateescape"))
        return whole.hexdigest()

    def _saw(self, text: str) -> None:
        raw = text.encode("utf-8", "surrogateescape")
        self._seen.update(b"%d:%s" % (len(raw), raw))

    # -- the parts of a file ------------------------------------------------------------------------------------------------

    def mapping(self, node: Node, key: str) -> Entries | None:
        """The node's entries; None, with a fault, if it is no mapping."""
        if isinstance(node, MappingNode):
            return nodes.entries(node, key, self.faults)
        self.faults.add(node, key, f"must be a mapping (key: value), not {nodes.kind(node)}")
        return None

    def sequence(self, node: Node, key: str) -> Sequence[Node]:
        """The items of a list; nothing, with a fault, if it is none."""
        if isinstance(node, SequenceNode):
            return node.value  # type: ignore[no-any-return, unused-ignore]
        self.faults.add(node, key, f"must be a list, not {nodes.kind(node)}")
        return ()

    def text(self, node: Node, key: str) -> str | None:
        """The text of a scalar with variables put in; None, with a fault, for anything else and for nothing."""
        if not isinstance(node, ScalarNode) or nodes.is_null(node):
            hint = "quote it" if isinstance(node, SequenceNode | MappingNode) else ""
            self.faults.add(node, key, f"must be text, not {nodes.kind(node)}", hint=hint)
            return None
        try:
            return self._expand(node, key)
        except _Failed:
            return None

    def path(self, text: str) -> Path:
        """A path as written in the file: relative ones are relative to the file's folder."""
        return self.folder / Path(text).expanduser()

    def _expand(self, node: ScalarNode, key: str) -> str:
        if not nodes.has_known_tag(node):
            self.faults.add(node, key, f"the tag {node.tag} is not supported", hint="quote a value that begins with !")
            raise _Failed
        text, problems = expand(node.value, self._environ)
        if problems and self._may_be_absent(problems):
            self._leave_out(node, key, problems[0])
        for problem in problems:
            self.faults.add(node, key, problem)
        if problems:
            raise _Failed
        if text != node.value:
            self._saw(text)
        # a copy: a string kept from the node tree would keep the memory around it allocated
        return (text + "\0")[:-1]

    def _may_be_absent(self, problems: Sequence[str]) -> bool:
        match self._absent:
            case Absent.FAULT:
                return False
            case Absent.CREDENTIALS:
                return set(problems) == {unset(CREDENTIALS)}
            case Absent.LEFT_OUT:
                return all(is_unset(problem) for problem in problems)

    def _leave_out(self, node: Node, key: str, why: str) -> None:
        """Not read here, and no fault of the file."""
        hint = "systemd sets it for the service; run this as root, or as the unit's ExecStartPre does" if CREDENTIALS in why else ""
        self.faults.warn(node, key, f"not checked: {why}", hint=hint)
        raise _Failed

    # -- models -------------------------------------------------------------------------------------------------------------

    def model(
        self,
        model: type[Model],
        found: Entries,
        at: Node,
        key: str,
        *,
        also: Sequence[str] = (),
        partial: bool = False,
    ) -> Model | None:
        """Build a model from a mapping's entries; None, with faults, if it cannot be.

        `at` is where missing keys are reported; `also` are keys valid in the same mapping that belong to somebody else (for "did
        you mean"). With `partial`, faulty keys are left out, so that the rest can be checked further."""
        failed: set[Loc] = set()
        data = self._fields((model,), found, key, (), failed, also)
        try:
            built = model.model_validate(data)
        except ValidationError as error:
            self._report(error, model, found, at, key, failed)
            wrong = {str(item["loc"][0]) for item in error.errors(include_url=False) if item["loc"]}
            if not partial or not wrong & data.keys():
                return None
            try:
                return model.model_validate({name: value for name, value in data.items() if name not in wrong})
            except ValidationError:
                return None
        return built if partial or not failed else None

    def options(
        self, model: type[Model], found: Entries, at: Node, key: str, *, also: Sequence[str] = ()
    ) -> tuple[Model | None, Possible[Model]]:
        """As `model`, and what the model may be where it cannot be built: for checks that do not depend on what is wrong."""
        failed: set[Loc] = set()
        data = self._fields((model,), found, key, (), failed, also)
        try:
            built = model.model_validate(data)
        except ValidationError as error:
            self._report(error, model, found, at, key, failed)
        else:
            if not failed:
                return built, Possible((built,))
        return None, possible(model, data, sorted(failed, key=str))

    def _fields(
        self,
        models: tuple[type[BaseModel], ...],
        found: Entries,
        key: str,
        loc: Loc,
        failed: set[Loc],
        also: Sequence[str] = (),
    ) -> dict[str, Any]:
        fields, secret = fields_of(models), secret_keys(models)
        open_ended = any(model.model_config.get("extra") not in ("forbid", None) for model in models)
        data: dict[str, Any] = {}
        for name, entry in found.items():
            inner, here = join(key, name), (*loc, name)
            base = name.removesuffix("_file")
            try:
                if name in fields:
                    data[name] = self._convert(entry.value, fields[name], inner, here, failed)
                elif name != base and base in secret:
                    if base in found:
                        self.faults.add(entry.key, inner, f"{base} is given as well", hint="keep one of the two")
                        failed.add((*loc, base))
                        continue
                    here = (*loc, base)
                    data[base] = self._secret_file(entry.value, inner)
                elif open_ended:
                    data[name] = self._convert(entry.value, Any, inner, here, failed)
                else:
                    valid = [*fields, *(f"{one}_file" for one in secret), *also]
                    self.faults.add(entry.key, inner, f"unknown key {shorten(name)!r}", value=name, hint=did_you_mean(name, valid))
            except _Failed:
                failed.add(here)
        return data

    def _convert(self, node: Node, annotation: Any, key: str, loc: Loc, failed: set[Loc], depth: int = 0) -> Any:
        """The value in the form that pydantic gets. Nested faults are recorded, and their parts left out."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0:
            self.faults.add(node, key, "nested too deeply, or too many values (an alias within itself?)")
            raise _Failed
        shape = shape_of(annotation)
        if isinstance(node, ScalarNode):
            return None if nodes.is_null(node) else self._scalar(node, shape, key)
        if not nodes.has_known_tag(node):
            self.faults.add(node, key, f"the tag {node.tag} is not supported")
            raise _Failed
        if isinstance(node, SequenceNode):
            item = Any if shape.item is None else shape.item
            values = []
            for index, child in enumerate(node.value):
                try:
                    values.append(self._convert(child, item, f"{key}[{index}]", (*loc, index), failed, depth + 1))
                except _Failed:
                    failed.add((*loc, index))
            return values
        found = nodes.entries(node, key, self.faults)  # type: ignore[arg-type, unused-ignore]
        if shape.models:
            return self._fields(shape.models, found, key, loc, failed)
        value = Any if shape.value is None else shape.value
        data = {}
        for name, entry in found.items():
            try:
                data[name] = self._convert(entry.value, value, join(key, name), (*loc, name), failed, depth + 1)
            except _Failed:
                failed.add((*loc, name))
        return data

    def _scalar(self, node: ScalarNode, shape: Shape, key: str) -> Any:
        text = self._expand(node, key)
        if shape.secret:
            if not text.strip():
                self.faults.add(node, key, "is empty")
                raise _Failed
            self.secrets.add(text)
            if not refers(node.value):
                self.literal_secrets.append((node, key))
            return text
        if shape.path and not shape.text:
            return str(self.path(text))
        return nodes.native(node, text) if shape.ambiguous else text

    def _secret_file(self, node: Node, key: str) -> str:
        """The secret in a file: trailing line ends are stripped. Every problem with the file is a fault."""
        written = self.text(node, key)
        if written is None:
            raise _Failed
        path = self.path(written)
        try:
            kind = path.stat().st_mode
            if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
                self._fault(node, key, f"the secret's file {path} is not a regular file: pipes and devices are not read")
            # not blocking: what was a file a moment ago may be a pipe now
            with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
                raw = file.read(_SECRET_FILE_BYTES + 1) or b""
        except OSError as error:
            if self._absent is Absent.LEFT_OUT:
                self._leave_out(node, key, f"cannot read the secret's file {path}: {error.strerror or error}")
            self._fault(node, key, f"cannot read the secret's file {path}: {error.strerror or error}")
        try:
            text = raw.decode("utf-8-sig").rstrip("\r\n")
        except UnicodeDecodeError:
            self._fault(node, key, f"the secret's file {path} is not UTF-8 text")
        if len(raw) > _SECRET_FILE_BYTES:
            self._fault(node, key, f"the secret's file {path} is larger than {_SECRET_FILE_BYTES // 1024} KiB")
        if not text.strip():
            self._fault(node, key, f"the secret's file {path} is empty")
        if "\x00" in text:
            self._fault(node, key, f"the secret's file {path} is not text")
        self.secrets.add(text)
        self._saw(text)
        if mode & stat.S_IROTH:
            self.faults.warn(node, key, f"the secret's file {path} is readable by everyone", hint=f"chmod 600 {path}")
        return text

    def _fault(self, node: Node, key: str, why: str) -> Any:
        self.faults.add(node, key, why)
        raise _Failed

    # -- pydantic's errors --------------------------------------------------------------------------------------------------

    def _report(self, error: ValidationError, model: type[BaseModel], found: Entries, at: Node, key: str, failed: set[Loc]) -> None:
        for item in error.errors(include_url=False, include_input=False):
            place = _Place(found, at, key)
            loc = place.walk(item["loc"])
            if any(loc[: len(one)] == one for one in failed) or (not loc and failed and item["type"] == "value_error"):
                continue
            written = ""
            if isinstance(place.value, ScalarNode) and not place.in_file and not shape_of(place.annotation((model,))).secret:
                written = _LOGIN.sub(r"\1***@", place.value.value)
            why, hint = explain(item, written)
            if written and refers(written):  # a validator may quote what it was given: show the reference instead
                why = why.replace(expand(written, self._environ)[0], written)
            if item["type"] == "missing":
                name = str(item["loc"][-1])
                if name in secret_keys(place.models((model,))):
                    hint = f"give {name}: or {name}_file:"
                self.faults.add(place.key_node, place.key, f"{name} is missing", hint=hint)
            else:
                self.faults.add(
                    place.value if place.value is not None else place.key_node, place.key, why, value=written, hint=hint
                )


class _Place:
    """Follows a pydantic error location through the YAML nodes, as far as they go."""

    def __init__(self, found: Entries, at: Node, key: str) -> None:
        self._found: Entries | None = found
        self.key_node: Node = at
        self.value: Node | None = None
        self.key = key
        self.in_file = False
        """Whether the value came from a `<key>_file`."""
        self._steps: list[str | int] = []

    def walk(self, loc: Sequence[str | int]) -> Loc:
        """Follow the location; returns the part of it that exists in the file, and a missing key."""
        for position, step in enumerate(loc):
            if isinstance(step, int):
                if isinstance(self.value, SequenceNode) and step < len(self.value.value):
                    self.value = self.value.value[step]
                    self.key_node = self.value
                    self.key += f"[{step}]"
                    self._enter(step)
            elif self._found is not None and step in self._found:
                entry = self._found[step]
                self.key_node, self.value, self.key = entry.key, entry.value, join(self.key, step)
                self._enter(step)
            elif self._found is not None and f"{step}_file" in self._found:
                entry = self._found[f"{step}_file"]
                self.key_node, self.value, self.key, self.in_file = entry.key, entry.value, join(self.key, f"{step}_file"), True
                self._enter(step)
            elif position == len(loc) - 1 and self._found is not None:
                return (*self._steps, step)  # a missing key; other steps are pydantic's own (the member of a union)
        return tuple(self._steps)

    def _enter(self, step: str | int) -> None:
        self._steps.append(step)
        self._found = nodes.entries(self.value, self.key, Faults("")) if isinstance(self.value, MappingNode) else None

    def annotation(self, models: tuple[type[BaseModel], ...]) -> Any:
        """The annotation of the place, from the model at the top."""
        annotation: Any = None
        shape = Shape(models=models)
        for step in self._steps:
            if isinstance(step, int):
                annotation = shape.item
            else:
                annotation = fields_of(shape.models).get(step, shape.value)
            shape = shape_of(annotation)
        return annotation

    def models(self, models: tuple[type[BaseModel], ...]) -> tuple[type[BaseModel], ...]:
        """The models of the mapping in which the walk ended."""
        return shape_of(self.annotation(models)).models if self._steps else models
