"""Measurements. ``make bench`` prints one table; a figure counts only beside the one it is compared with."""
