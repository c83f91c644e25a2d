"""Does what is installed beside this Python say one thing about each importable file?

`python scripts/environment.py` prints what is wrong and ends with 1; `--broken` prints the distributions to install anew, one a
line, and ends with 0. Two kinds of fault are looked for:

- two distributions bring one file with different contents, so that whichever was unpacked last wins (nextcord and py-cord bring
  packages named `discord`, which is what discord.py is imported as);
- a file is not the one its distribution brought (overwritten, cut short, gone).

`scripts/setup.sh` runs this before anything is used and `make test` runs it first. Only the standard library is used: nothing that
is installed can be relied upon yet.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

IMPORTABLE = frozenset({".py", ".pyi", ".so", ".pyd", ".typed"})
SHOWN_FILES = 3
"""Of the files of one fault, as examples."""
INSTALLERS = frozenset({"pip", "setuptools", "wheel"})
"""They are not uninstalled by what they run."""
WRITTEN_HERE = "__editable__"
"""How the files begin that point to this clone: they change when it is moved."""


@dataclass(frozen=True, slots=True)
class Owned:
    """One importable file as its distribution's RECORD has it; an empty digest where RECORD has none."""

    distribution: str
    path: str
    digest: str


def recorded(site: Path) -> Iterator[Owned]:
    for record in sorted(site.glob("*.dist-info/RECORD")):
        distribution = record.parent.name.removesuffix(".dist-info").rsplit("-", 1)[0]
        with record.open(encoding="utf-8", newline="") as rows:
            for row in csv.reader(rows):
                path = PurePosixPath(row[0])
                inside = not path.is_absolute() and ".." not in path.parts
                if inside and path.suffix in IMPORTABLE and not path.name.startswith(WRITTEN_HERE):
                    yield Owned(distribution, str(path), row[1] if len(row) > 1 else "")


def contested(files: list[Owned]) -> dict[tuple[str, ...], list[str]]:
    """Owners -> the files of which each of them brings another content."""
    owners: dict[str, list[Owned]] = defaultdict(list)
    for file in files:
        owners[file.path].append(file)
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path, claims in owners.items():
        names = sorted({claim.distribution for claim in claims})
        if len(names) > 1 and len({claim.digest for claim in claims}) > 1:
            found[tuple(names)].append(path)
    return dict(found)


def changed(site: Path, files: list[Owned]) -> dict[str, list[str]]:
    """Distribution -> its files that are not, or no longer, what it brought."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if not holds(site / file.path, file.digest):
            found[file.distribution].append(file.path)
    return dict(found)


def holds(path: Path, digest: str) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    kind, _, wanted = digest.partition("=")
    if not wanted or kind not in hashlib.algorithms_available:
        return True
    return base64.urlsafe_b64encode(hashlib.new(kind, content).digest()).rstrip(b"=").decode() == wanted


def faults(site: Path) -> tuple[list[str], list[str]]:
    """What to tell a human, and the names of the distributions to install anew."""
    files = list(recorded(site))
    told, broken = [], set()
    for owners, paths in contested(files).items():
        told.append(f"{' and '.join(owners)} bring the same files with different contents: {examples(paths)}")
        broken.update(owners)
    for distribution, paths in changed(site, files).items():
        if distribution not in broken:
            told.append(f"{distribution}: files are not what it brought: {examples(paths)}")
        broken.add(distribution)
    return told, sorted(broken - INSTALLERS)


def examples(paths: list[str]) -> str:
    more = len(paths) - SHOWN_FILES
    return ", ".join(sorted(paths)[:SHOWN_FILES]) + (f" and {more} more" if more > 0 else "")


def main() -> int:
    site = Path(sysconfig.get_path("purelib"))
    told, broken = faults(site)
    if sys.argv[1:] == ["--broken"]:
        print("\n".join(broken))
        return 0
    for line in told:
        print(f"{site}: {line}", file=sys.stderr)
    if told:
        print(
            "The bridge may import another library than the one it was written for. scripts/setup.sh mends what it installed; "
            "a distribution that brings files of another belongs into an environment of its own.",
            file=sys.stderr,
        )
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
