"""ntfy's case for the bridge's conformance suite."""

from adapters.common.conformance import Codec, ConformanceCase, Lacks
from bridge.model.rich_text import plain, text_of

CASE = ConformanceCase(
    codecs={"ntfy": Codec(encode=text_of, decode=plain, decode_raw=plain)},
    absent_chat="a-topic-of-others",
    lacks={Lacks.REPLIES: "ntfy has no replies", Lacks.FORMATTING: "ntfy's text is plain text"},
)
