"""Exit codes; the table is in ``docs/exit-codes.md``."""

from __future__ import annotations

OK = 0
DIFFERENT = 1
INTERNAL = 70
INTERRUPTED = 130
