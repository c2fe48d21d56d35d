"""The sandbox: a strict stand-in, on this machine, for the chat platforms we post to.

It enforces each platform's shapes, sizes, rates and answers, keeps every message it was sent, draws the
group wall and can be told to fail in every documented way. Tests, demo and preview all use it. It is a
second reading of the same contract sheet: it imports nothing from the channels, nor they from it, else
both would share one misreading.

Its robots' keys are made up and appear in its answers and store. It must never be given a real one.
"""

from __future__ import annotations

from gengfu_scheduler.sandbox.contract import Received, Robot
from gengfu_scheduler.sandbox.exchange import NothingToConfirm, UnknownFault
from gengfu_scheduler.sandbox.server import PortTaken, Sandbox
from gengfu_scheduler.sandbox.store import StoreUnusable
from gengfu_scheduler.sandbox.wall import describe

__all__ = [
    "NothingToConfirm",
    "PortTaken",
    "Received",
    "Robot",
    "Sandbox",
    "StoreUnusable",
    "UnknownFault",
    "describe",
]
