"""Catalogue, groups and timetable in; digests and alerts in the residents' chat groups out.

The house, from the street down; each floor imports only those below it (``pyproject.toml`` holds it):

===========================  =====================================================================
program                      the one command as a program, which may be stopped at any moment
cli                          the one command, a module for each thing an officer does
backup, bundle, deploy       a station as one file; the program for no network; nginx's and systemd's files
demo, duty                   the station on a sandbox; the duty officer's alert, end and correction
push, desk, preview          telling now; owners' task pages; every platform's form before it goes
runner                       the round: what is due is planned, what is planned is delivered
confirm, deliver             asking owners on their platform; claim, post, settle
explain, forecast            why a group got an article; what will be told
month, report                what was told: a month, a broadcast, a group
alerts, draft, digest        who is told what: an alert and what follows it, a slot's digests
roster, coverage, importing  the admin's files read together; how groups are reached; their spreadsheet
outbox                       the ledger: every delivery a row before it is a request
channels                     one file a platform; ``transport`` is the only way out
timetable, groups, state     slots and instants; groups and credentials; the lock and the folder ``.gengfu``
sandbox                      the stand-in for all platforms: it imports nothing of the above
message, words, days, notes  the values that flow, and how they are written
===========================  =====================================================================

Begin with :func:`gengfu_scheduler.runner.Runner.tick` and follow a message down to ``channels/wecom.py``.
"""
