"""The program ``gengfu``. Reading in the command takes a moment, on a slow disk seconds: who stops it by then is not
answered with Python's own words.
"""

from __future__ import annotations

import gc
import signal
import sys


def program() -> None:
    """Run :func:`gengfu_scheduler.cli.program`; ended by Ctrl+C, with a shell's code for that
    (https://www.gnu.org/software/bash/manual/html_node/Exit-Status.html)."""
    raises = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if raises:  # within an import the exception may get lost, or a library stumble over it: by then the system ends us
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    gc.disable()  # what is imported stays: to look through it again and again would be a tenth of this
    from gengfu_scheduler.cli import program as run

    gc.freeze()
    gc.enable()
    try:
        if raises:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        run()
    except KeyboardInterrupt:
        sys.exit(130)
