"""The chat groups, as the admin keeps them: ``groups.csv`` from a spreadsheet, or ``groups.yml`` for a few.

Webhook addresses are credentials. They come from the environment (``env:NAME`` in the group's line) or from
``webhooks.csv``, which must be private to its owner (mode 0600) and unknown to git; an address in the
groups' own file is a problem, and no problem ever quotes a cell that may hold one. A webhook group whose
address is not known on this machine is no problem of the file: it is read without one, and said to be so
wherever something would be sent to it.
"""

from __future__ import annotations

from gengfu_scheduler.groups.alike import Alike, sorted_out
from gengfu_scheduler.groups.credentials import WEBHOOKS, address_mark, is_address
from gengfu_scheduler.groups.reading import COLUMNS, CSV, SINCE_EVER, YAML, group_files, read_groups

__all__ = [
    "COLUMNS",
    "CSV",
    "SINCE_EVER",
    "WEBHOOKS",
    "YAML",
    "Alike",
    "address_mark",
    "group_files",
    "is_address",
    "read_groups",
    "sorted_out",
]
