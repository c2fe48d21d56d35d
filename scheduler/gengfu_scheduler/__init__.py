"""Catalogue, groups and timetable in; digests and alerts in the residents' chat groups out."""
