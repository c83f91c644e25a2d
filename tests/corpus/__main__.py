"""`python -m tests.corpus [NAME ...]` plays cases (all, or those with one of the words in their name) and writes what came of them.

Read what it wrote before it is committed: `git diff tests/corpus`. The test compares with what is written.
"""

from __future__ import annotations

import asyncio
import sys

from tests.corpus.case import cases, written
from tests.corpus.stages import Stages


async def main(words: list[str]) -> int:
    every = cases()
    chosen = [case for case in every if any(word in case.name for word in words) or not words]
    stages, failed = Stages(every), 0
    for case in chosen:
        try:
            text = written(case.about, await stages.play(case))
        except AssertionError as error:
            failed += 1
            print(f"{case.name}: not written: {error}", file=sys.stderr)
            continue
        is_new = not case.expectation.exists() or case.expectation.read_text(encoding="utf-8") != text
        case.expectation.write_text(text, encoding="utf-8")
        print(f"{case.name}: {'written: ' + case.expectation.name if is_new else 'as it was'}")
    await stages.close()
    if not chosen:
        print("no case has such a name", file=sys.stderr)
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
