"""The dialect engine: a server's wire format as data.

`model` defines a dialect file, `load` reads one and reports every fault with its place. Its entries are in two small languages,
Jinja2 templates and JMESPath. No I/O but reading the file; the bridge's events are the matter of `encode` and `decode`. `model` and
`load` need pydantic and YAML: they are used when bridge.yaml is read, and a running daemon has only their results.
"""
