"""Trial of a dialect against a server, operation by operation, with the adapter's own encoder, client and transport.

`steps` has the order of the operations and their requirements, `reading` what was read from an answer and what to correct,
`exchanges` the calls as they were made, live or from a recording, `recording` takes secrets and personal data out of them. For
people at a terminal only: the daemon imports none of it.
"""
