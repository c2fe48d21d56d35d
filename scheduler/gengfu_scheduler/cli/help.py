"""How the command explains itself: in sections by what somebody wants to do, in an officer's words and columns.

click (https://click.palletsprojects.com/en/stable/documentation/) counts characters and ends lines at blanks;
Chinese has no blanks, and each of its characters takes two columns of a terminal
(https://www.unicode.org/reports/tr11/). What click says by itself, ``i18n.speak`` translates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import click
from rich.cells import cell_len

from gengfu_templates.i18n import _, speak

_OPENING = "（“‘《【"
_CLOSING = "，。、；：？！）”’》】…·"
_CHINESE = "\u2e80-\u9fff\uff00-\uffef"
_PIECE = rf" +|[{_OPENING}]*(?:[{_CHINESE}]|[^ {_CHINESE}{_OPENING}{_CLOSING}]+)?[{_CLOSING}]*"
"""What no line ends within: a Chinese character or a word of letters, with the punctuation that clings to it."""
_GIST = re.compile(r".*?(?=[。；;]|\. |\.?$)")
"""The first sentence, or what stands before its semicolon."""


class Formatter(click.HelpFormatter):
    """click's, for text of which a line may end almost anywhere."""

    def write_heading(self, heading: str) -> None:
        self.write(" " * self.current_indent + _("{heading}：").format(heading=heading) + "\n")

    def write_text(self, text: str) -> None:
        for line in folded(text, self.width - self.current_indent):
            self.write(" " * self.current_indent + line + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        term_width = min(max(cell_len(term) for term, _meaning in rows), col_max)
        indent = " " * self.current_indent
        hanging = indent + " " * (term_width + col_spacing)
        for term, meaning in rows:
            room = len(hanging) - len(indent) - cell_len(term)
            begun = indent + term + (" " * room if room >= col_spacing else "\n" + hanging)
            lines = folded(meaning, self.width - len(hanging))
            self.write(begun.rstrip(" ") + "\n" if not lines else begun + f"\n{hanging}".join(lines) + "\n")


def folded(text: str, columns: int) -> list[str]:
    """``text`` in lines of at most ``columns``, none beginning with a comma; a longer word stands alone."""
    lines, line = [], ""
    for piece in filter(None, re.findall(_PIECE, " ".join(text.split("\n")))):
        if line.strip() and cell_len(line + piece.rstrip()) > columns:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return [*lines, line.rstrip()] if line.strip() else lines


class Sections(click.Group):
    """A group whose help lists commands by what they are for, and which imports none but the one that is run."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._sections: Mapping[str, Mapping[str, str]] = {}
        self._places: Mapping[str, str] = {}

    def main(self, *args: Any, **settings: Any) -> Any:
        speak()
        return super().main(*args, **settings)

    def hold(self, sections: Mapping[str, Mapping[str, str]]) -> None:
        """Take in commands: by the heading under which each stands and by its name, ``module:function``."""
        self._sections = sections
        self._places = {name: place for section in sections.values() for name, place in section.items()}
        for name in self._places:
            self.add_command(click.Command(name))  # only the name, for lists and for what is misspelt
        _in_words(self)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands"""
        if cmd_name not in self._places:
            return None
        module, _colon, function = self._places[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), function)
        _in_words(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, names in self._sections.items():
            commands = [(name, self.get_command(ctx, name)) for name in names]
            with formatter.section(heading):
                formatter.write_dl(
                    [(name, command.get_short_help_str()) for name, command in commands if command]
                )


def _in_words(command: click.Command) -> None:
    """Name in the officer's language what click names ``OPTIONS`` and ``TEXT``, in ``command`` and all beneath it.

    In a list, a command's first sentence stands for it: click would cut it where it finds a blank.
    """
    if gist := _GIST.match(command.help or ""):
        command.short_help = gist.group()
    command.options_metavar = _("[选项]")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.is_flag and not parameter.metavar:
            parameter.metavar = _value(parameter.type)
    if isinstance(command, click.Group):
        command.subcommand_metavar = _("命令 ...")
        for below in command.commands.values():
            _in_words(below)


def _value(kind: click.ParamType[Any]) -> str | None:
    """What an option's value is; None where click lists what it may be."""
    match kind:
        case click.Path(file_okay=False):
            return _("文件夹")
        case click.Path():
            return _("文件")
        case click.types.IntParamType():
            return _("数")
        case click.types.StringParamType():
            return _("文字")
    return None
