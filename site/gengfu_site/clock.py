"""The moment a build is made for. Everything else in this half takes time as an argument."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from gengfu_site.problems import GengfuError
from gengfu_templates.i18n import _


class WrongEpoch(GengfuError):
    """``SOURCE_DATE_EPOCH`` is no number of seconds."""


def now() -> datetime:
    """Now, or ``SOURCE_DATE_EPOCH`` (https://reproducible-builds.org/specs/source-date-epoch/)."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC)
    try:
        return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        raise WrongEpoch(
            _("SOURCE_DATE_EPOCH 应是 1970 年以来的秒数，见到的是“{epoch}”。改正或清除这个环境变量。").format(
                epoch=epoch
            )
        ) from None
