"""What of a page need not be worked out for each page: the words of its language, and parts that many have in common.

Without these two, most of what rendering costs would go into what stands on every page: its head, its foot, contact
cards. https://jinja.palletsprojects.com/en/stable/extensions/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, InternationalizationExtension
from jinja2.lexer import Token, TokenStream
from jinja2.parser import Parser

from gengfu_templates.i18n import translations


class Wording(InternationalizationExtension):
    """Jinja's, but ``{% trans %}`` and ``_("…")`` become their translation as soon as a template is read.

    The environment has a ``language``, and its templates are of that one.
    """

    def _make_node(
        self,
        singular: str,
        plural: str | None,
        context: str | None,
        variables: dict[str, nodes.Expr],
        *others: Any,
    ) -> nodes.Output:
        """The translation around its variables."""
        if plural is not None or context is not None:
            return super()._make_node(singular, plural, context, variables, *others)
        text = translations(self.environment.language).gettext(singular)  # type: ignore[attr-defined]
        return nodes.Output(
            [
                nodes.TemplateData(words.replace("%%", "%")) if words else variables[name]
                for words, name in _PART.findall(text)
            ]
        )

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        wording = translations(self.environment.language)  # type: ignore[attr-defined]
        tokens = list(stream)
        at = 0
        while at < len(tokens):
            for shape, words in _PLAIN.items():
                found = tokens[at : at + len(shape)]
                if len(found) == len(shape) and all(map(Token.test, found, shape)):
                    text = found[words]
                    yield Token(text.lineno, text.type, wording.gettext(text.value))
                    at += len(shape)
                    break
            else:
                yield tokens[at]
                at += 1


_PART = re.compile(r"((?:[^%]|%%|%(?!\(\w+\)s))+)|%\((\w+)\)s")
"""Words, in which Jinja writes each % twice, or the name of a variable."""
_PLAIN = {
    ("block_begin", "name:trans", "block_end", "data", "block_begin", "name:endtrans", "block_end"): 3,
    ("name:_", "lparen", "string", "rparen"): 2,
}
"""How words alone are written, and where among the tokens they are."""


class Once(Extension):
    """``{% once KEY %}…{% endonce %}`` is made when KEY is first met, and is the same wherever it is met again.

    KEY names all that the part depends on. An extension holds the parts of one environment.
    """

    tags = {"once"}  # noqa: RUF012 - as the base class has it

    def __init__(self, environment: jinja2.Environment) -> None:
        super().__init__(environment)
        self.made: dict[Hashable, str] = {}

    def parse(self, parser: Parser) -> nodes.Node:
        """What was made is looked up in place: a call would cost more than most parts."""
        line = next(parser.stream).lineno
        part = parser.free_identifier()
        key = nodes.Tuple([nodes.Const(f"{parser.name}:{part.name}"), parser.parse_tuple()], "load")
        body = parser.parse_statements(("name:endonce",), drop_needle=True)
        made = self.attr("made")
        known = nodes.Compare(part, [nodes.Operand("in", made)])
        again = nodes.Output([nodes.Getitem(made, part, "load")])
        first = nodes.CallBlock(self.call_method("_make", [part]), [], [], body)
        return nodes.With([part], [key], [nodes.If(known, [again], [], [first])]).set_lineno(line)

    def _make(self, part: Hashable, caller: Callable[[], str]) -> str:
        self.made[part] = caller()
        return self.made[part]
