"""The dialect engine: a server's wire format as data.

`model` says what a dialect file holds, `load` reads one and reports every fault with its place, `template` and `query` are the two
small languages in it. No I/O but reading the file, and nothing of the bridge's events: `encode` and `decode` put the two together.
`model` and `load` need pydantic and YAML: they belong to reading bridge.yaml, and a running daemon has only what they made.
"""
