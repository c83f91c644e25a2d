"""What one target is sent does not depend on the others, whatever the options of each: a whole message, encoded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.webhook.capabilities import STANDARD
from adapters.webhook.outbound.encode_markdown import encode_markdown
from bridge.identity.names import Names
from bridge.model.capabilities import Capabilities, Limits
from bridge.model.events import Attachment, AttachmentKind, Content, Forward, Location, Poll, PollOption, ReplyTo
from bridge.model.refs import AccountName
from bridge.model.rich_text import RichText
from bridge.policy.routing import RelayOptions
from bridge.render.message import FetchResult, Target, render
from tests.oracles.features import FEATURES
from tests.oracles.targets import TARGETS
from tests.support.budget import examples
from tests.support.patience import PATIENCE_S
from tests.support.programs import ROOT
from tests.support.rendering import PEOPLE
from tests.support.strategies import ANNA, ORIGIN, created, fetched, plain_measure, rich_texts

WEBHOOK = Capabilities(features=STANDARD, limits=Limits(text_length=4000, caption_length=4000, upload_bytes=0))
ENDS: Mapping[str, tuple[Capabilities, Callable[[RichText], Any]]] = {
    **{name: (target.capabilities, target.encode) for name, target in TARGETS.items()},
    "webhook": (WEBHOOK, encode_markdown),
}

OPTIONS = st.builds(
    RelayOptions,
    sender=st.sampled_from(["{name}", "{name} via {platform}", "{% if known %}*{% endif %}{{ name }}"]),
    previews=st.booleans(),
    files=st.booleans(),
    mass_mentions=st.sampled_from([(), ("U1",)]),
    max_file_mb=st.sampled_from([None, 0.0001]),
    long_text_parts=st.integers(1, 3),
    map_url=st.sampled_from(["https://example.org/{lat}/{lon}", "https://maps.example/?q={lat},{lon}"]),
)
FILE = Attachment(kind=AttachmentKind.PHOTO, file_id="f", name="p.jpg", mime="image/jpeg", size_bytes=1000, alt_text="a word")
CONTENTS = st.builds(
    Content,
    text=rich_texts,
    attachments=st.sampled_from([(), (FILE,), (FILE, FILE)]),
    reply_to=st.none() | st.just(ReplyTo(message_id="5", author_name="Ann", excerpt="so")),
    forwarded_from=st.none() | st.just(Forward(author_name="Ann")),
    poll=st.none() | st.just(Poll(question="q", options=(PollOption(text="a"), PollOption(text="b")))),
    location=st.none() | st.just(Location(latitude=1.5, longitude=2.5)),
)


def sent(content: Content, name: str, options: RelayOptions) -> str:
    """Everything that goes to this end, in one text."""
    capabilities, encode = ENDS[name]
    end = Target(account=AccountName(name), platform=name, capabilities=capabilities, measure=plain_measure, options=options)
    files: list[FetchResult] = [fetched(each) for each in content.attachments]
    made = render(
        created(content, ANNA), origin=ORIGIN, target=end, fetched=files, reply=None, people=PEOPLE, names=Names((), PEOPLE)
    )
    return repr([(part, encode(part.text)) for part in made.parts]) + repr(made.losses)


@given(content=CONTENTS, order=st.permutations(sorted(ENDS)), options=st.fixed_dictionaries(dict.fromkeys(ENDS, OPTIONS)))
@settings(max_examples=examples(100), deadline=None)
def test_what_one_target_gets_does_not_depend_on_the_others(
    content: Content, order: list[str], options: dict[str, RelayOptions]
) -> None:
    event = msgspec.json.encode(content)
    alone = {name: sent(msgspec.json.decode(event, type=Content), name, options[name]) for name in sorted(ENDS)}
    for name in (*order, *reversed(order)):
        assert sent(content, name, options[name]) == alone[name]
    assert msgspec.json.encode(content) == event, "nobody has changed what was said"


def sent_of_all(name: str) -> list[str]:
    """Everything that this end gets of each sample, with each set of options. Also called in a process of its own."""
    sets = (RelayOptions(), RelayOptions(sender="{name} via {platform}", previews=False, files=False, long_text_parts=1))
    contents = [Content(text=text, attachments=(FILE,)) for text in FEATURES.values()]
    return [sent(content, name, options) for content in contents for options in sets]


_ALONE = (
    "import json, sys; from tests.conformance.test_independence import sent_of_all; print(json.dumps(sent_of_all(sys.argv[1])))"
)


def test_nothing_that_lasts_is_shared_by_targets() -> None:
    """What a process sends that serves one end alone is what one sends that serves all."""
    children = {
        name: subprocess.Popen([sys.executable, "-c", _ALONE, name], cwd=ROOT, stdout=subprocess.PIPE, text=True) for name in ENDS
    }
    together: dict[str, list[str]] = {}
    for name in (*ENDS, *sorted(ENDS)):
        together[name] = sent_of_all(name)
    alone = {name: json.loads(child.communicate(timeout=PATIENCE_S)[0]) for name, child in children.items()}
    assert alone == together
