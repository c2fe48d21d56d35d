"""A guide that is followed word for word: what it says to type is typed, what it says is seen must be seen.

In the guide, a block of ``sh`` is typed, the block of ``text`` after it is what the screen then shows, answers
included; ``……`` on a line of its own stands for any lines. A block of ``markdown PATH`` is what that file is made to
say below its front matter. Numbers, ids and folders may be others than in the guide; a day that is typed is tomorrow.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

PATIENCE = 120
"""Seconds after which nothing more is expected of a command."""
LASTING = {"sandbox", "serve", "run"}
"""Commands that go on until somebody ends them."""
ELLIPSIS = "……"

ASIDES = {"仍然现在就发？": "y"}
"""What is asked at some hours only, and what the guide says to answer."""

_BLOCK = re.compile(r"^( *)```(\w+)(?: (\S+))?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_ID = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{5}\b", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_VARYING = (
    (re.compile(r"http://127\.0\.0\.1:\d+/?"), "<url>"),
    (re.compile(r"\S*[/\\]我的站点\S*"), "<path>"),
    (re.compile(r"\b[0-9a-f]{12,64}\b", re.ASCII), "<hash>"),
    (_ID, "<id>"),
    (re.compile(r"\d+"), "0"),
    (re.compile(r"[━─]+"), "<bar>"),
)
"""What differs from one who follows the guide to the next."""


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A command, and what the screen shows of it."""

    line: int
    command: str
    shown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """What a file says below its front matter from now on."""

    line: int
    path: str
    text: str


def steps(guide: str) -> Iterator[Typed | Written]:
    blocks = [
        (
            guide.count("\n", 0, found.start()) + 1,
            found[2],
            found[3],
            re.sub(rf"(?m)^{found[1]}", "", found[4]),
        )
        for found in _BLOCK.finditer(guide)
    ]
    for (line, language, path, text), after in zip(blocks, [*blocks[1:], (0, "", "", "")], strict=True):
        match language:
            case "sh":
                assert text.count("\n") == 1, f"line {line}: one command a block"
                shown = after[3].splitlines() if after[1] == "text" else [ELLIPSIS]
                yield Typed(line=line, command=text.strip(), shown=tuple(filter(str.strip, shown)))
            case "markdown":
                assert path, f"line {line}: which file?"
                yield Written(line=line, path=path, text=text)


@dataclass(kw_only=True)
class Reader:
    """Somebody who follows the guide in a terminal of their own."""

    folder: Path
    bin: Path
    environ: Mapping[str, str]
    pins: Mapping[str, str]
    at_hand: Mapping[str, bytes]
    """Files that are put where a command names them."""
    ports: Mapping[str, int]
    """By lasting command: the port that it takes instead of its own."""
    _ids: dict[str, str] = field(default_factory=dict)
    """By the guide's: those of this station."""
    _windows: list[Window] = field(default_factory=list)

    def follow(self, step: Typed | Written) -> None:
        try:
            if isinstance(step, Written):
                self._write(step)
            else:
                self._type(step)
        except AssertionError as error:
            raise AssertionError(f"line {step.line} of the guide: {error}") from error

    def leave(self) -> None:
        """Ctrl+C in every window that is still open."""
        for window in self._windows:
            window.end()

    def _write(self, step: Written) -> None:
        file = self.folder / step.path
        _none, front, _body = file.read_text("utf-8").split("---\n", 2)
        file.write_text(f"---\n{front}---\n\n{step.text}", "utf-8")

    def _type(self, step: Typed) -> None:
        program, *words = shlex.split(self._in_this_station(step.command))
        if program == "cd":
            self.folder /= words[0]
            return
        for word in words:
            if word in self.at_hand:
                (self.folder / word).write_bytes(self.at_hand[word])
        lasting = words[0] in LASTING
        port = ["--port", str(self.ports[words[0]])] if lasting else []
        window = Window([str(self.bin / program), *words, *port], self.folder, self.environ)
        self._windows.append(window)
        if lasting:
            window.read_until(lambda lines: not missing([*step.shown, ELLIPSIS], lines))
            return
        ignored = self._talk(window, step.shown)
        lines = window.lines[ignored:]
        wrong = missing(step.shown, lines)
        assert not wrong, f"{step.command}: not seen: {wrong}\n" + "\n".join(lines)
        self._learn(step.shown, lines)

    def _talk(self, window: Window, shown: Sequence[str]) -> int:
        """Answer what is asked; how many lines, those of an aside, the guide does not show."""
        ignored, given = 0, ""
        for question in window.questions():
            aside = next((answer for words, answer in ASIDES.items() if question.startswith(words)), "")
            if aside:
                ignored = len(window.lines)
            given = aside or self._answer(question, shown, given)
            window.type(given)
        return ignored

    def _answer(self, question: str, shown: Sequence[str], before: str) -> str:
        """What the guide types at ``question``; a PIN, which no screen shows, by whose it is."""
        for name, pin in self.pins.items():
            if question in (f"{name}的 PIN: ", f"{name}的新 PIN: "):
                return pin
        if question == "再输一遍: ":
            return before
        for line in shown:
            if line.startswith(question.rstrip()):
                return _DAY.sub(f"{date.today() + timedelta(days=1)}", line[len(question) :])  # noqa: DTZ011
        raise AssertionError(f"the guide does not say what to answer to {question!r}")

    def _in_this_station(self, text: str) -> str:
        return _ID.sub(lambda found: self._ids.get(found[0], found[0]), text)

    def _learn(self, shown: Sequence[str], lines: Sequence[str]) -> None:
        """Take note of ids that the guide names for the first time."""
        for line in filter(_ID.search, shown):
            same = next(found for found in lines if masked(found) == masked(line))
            for told, here in zip(_ID.findall(line), _ID.findall(same), strict=True):
                self._ids.setdefault(told, here)


def missing(shown: Sequence[str], lines: Sequence[str]) -> str:
    """The first line of the guide that is not on the screen where it should be; empty if all are."""
    rest = [masked(line) for line in lines]
    skipping = False
    for line in shown:
        if line.strip() == ELLIPSIS:
            skipping = True
            continue
        wanted = masked(line)
        if wanted not in (rest if skipping else rest[:1]):
            return line
        rest = rest[rest.index(wanted) + 1 :]
        skipping = False
    return f"nothing more, but {rest[0]}" if rest and not skipping else ""


def masked(line: str) -> str:
    """``line`` without what varies."""
    for pattern, name in _VARYING:
        line = pattern.sub(name, line)
    return line.rstrip()


class Window:
    """A program in a terminal."""

    def __init__(self, command: list[str], folder: Path, environ: Mapping[str, str]) -> None:
        self._here, there = pty.openpty()
        self._program = subprocess.Popen(
            command,
            cwd=folder,
            env={**environ, "TERM": "dumb", "COLUMNS": "80"},
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
            # Whatever runs the tests: what a shell starts in the background hears no Ctrl+C, nor does what that starts.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(there)
        self._said = b""

    @property
    def lines(self) -> list[str]:
        """What it said, without empty lines."""
        text = _COLOUR.sub("", self._said.decode("utf-8", "ignore")).replace("\r\n", "\n")
        return [line.rpartition("\r")[2].rstrip() for line in text.split("\n") if line.strip()]

    def questions(self) -> Iterator[str]:
        """Each that it asks, until it has ended."""
        seen = 0
        while self._read():
            open_line = _COLOUR.sub("", self._said[seen:].decode("utf-8", "ignore")).rpartition("\n")[2]
            if open_line.endswith(": ") and open_line.strip():
                seen = len(self._said)
                yield open_line

    def read_until(self, enough: Callable[[list[str]], bool]) -> None:
        while not enough(self.lines):
            assert self._read(), "it ended:\n" + "\n".join(self.lines)

    def type(self, text: str) -> None:
        os.write(self._here, text.encode() + b"\n")

    def end(self) -> None:
        if self._program.poll() is None:
            os.killpg(self._program.pid, signal.SIGINT)
        while self._read():
            pass
        self._program.wait(PATIENCE)
        os.close(self._here)

    def _read(self) -> bool:
        """Take in what comes; whether more may come."""
        ready, _write, _error = select.select([self._here], [], [], PATIENCE)
        assert ready, "nothing came after\n" + "\n".join(self.lines)
        try:
            more = os.read(self._here, 65536)
        except OSError:  # as Linux says that nobody writes to a terminal any more
            return False
        self._said += more
        return bool(more)
