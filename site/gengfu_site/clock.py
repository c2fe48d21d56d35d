"""The moment a build is made for. Everything else in this half takes time as an argument."""

from __future__ import annotations

import os
from datetime import UTC, datetime


def now() -> datetime:
    """Now, or ``SOURCE_DATE_EPOCH`` (https://reproducible-builds.org/specs/source-date-epoch/)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
