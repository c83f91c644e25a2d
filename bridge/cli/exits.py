"""Exit codes, after sysexits.h where it has one. Documented in docs/cli.md."""

from __future__ import annotations

EX_OK = 0
EX_FAILED = 1
"""The command ran and found problems, or could not do all that was asked."""
EX_USAGE = 2
"""Wrong options or arguments."""
EX_UNAVAILABLE = 69
"""The journal cannot be used (missing, corrupt, or of a newer version)."""
EX_BUG = 70
EX_TEMPFAIL = 75
"""A platform could not be reached: the same command may succeed later."""
EX_CONFIG = 78
"""bridge.yaml has faults."""
EX_INTERRUPTED = 130
