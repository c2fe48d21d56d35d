"""Groups that are only shown on the screen: for trying things out."""

from __future__ import annotations

import sys
from typing import TextIO

from gengfu_scheduler.channels.channel import LocalChannel
from gengfu_scheduler.channels.text import Templates
from gengfu_scheduler.message import Group, Message, Outcome, Sent


class Console(LocalChannel):
    """Prints to ``stream``; to standard output, as it is at that time, if none is given."""

    name = "console"

    def __init__(self, templates: Templates, stream: TextIO | None = None) -> None:
        self._templates = templates
        self._stream = stream

    def deliver(self, message: Message, group: Group) -> Outcome:
        stream = self._stream or sys.stdout
        stream.write(
            self._templates.render("console.txt", message.language, message=message, group=group) + "\n"
        )
        stream.flush()
        return Sent(confirmed=True)
