"""What ``gengfu serve`` shows: the very pages that residents get, and beside them what only officers may see.

A page is made as for the public; when it is asked for, it gets the problems at the words that they are about
(:mod:`gengfu_site.preview.marks`) and a panel: what residents see of it by now, what is to be mended, its look in chat
groups and on paper. An article that has no page yet, because its time has not come or because it cannot be read as
one, is shown all the same: as it will be, or as its file with the problems at their lines.

    /.preview/problems        every problem of the station
    /.preview/panel/ADDRESS   the panel of the page at ADDRESS
    /.preview/paper/ADDRESS   that page on sheets of A4
    /.preview/file/PATH       an article's file
"""

from __future__ import annotations

from gengfu_site.preview.changes import Changes
from gengfu_site.preview.desk import Desk, Looks, Shown
from gengfu_site.preview.server import Answer, CannotListen, Server

__all__ = ["Answer", "CannotListen", "Changes", "Desk", "Looks", "Server", "Shown"]
