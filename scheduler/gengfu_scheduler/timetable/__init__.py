"""When the station speaks: ``timetable.yml`` (:mod:`~gengfu_scheduler.timetable.reading`) and the instants that follow
from it (:mod:`~gengfu_scheduler.timetable.slots`)."""

from gengfu_scheduler.timetable.reading import catalogue_address, read_timetable
from gengfu_scheduler.timetable.slots import (
    FILE,
    MOST_ITEMS,
    Blackout,
    Campaign,
    Occurrence,
    Pick,
    Place,
    Slot,
    Target,
    Timetable,
    next_after,
    occurrences,
    place,
    times,
    unknown_years,
)

__all__ = [
    "FILE",
    "MOST_ITEMS",
    "Blackout",
    "Campaign",
    "Occurrence",
    "Pick",
    "Place",
    "Slot",
    "Target",
    "Timetable",
    "catalogue_address",
    "next_after",
    "occurrences",
    "place",
    "read_timetable",
    "times",
    "unknown_years",
]
