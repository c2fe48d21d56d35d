"""The outbox as it was before its versions were counted apart: eight kinds of tables, all of 2026-11-21.

Nothing makes this one any more; it is what revision 2 starts from.
"""

from __future__ import annotations

revision = "1"
down_revision = None
