"""Whether an SVG is only a picture. Opened by its own address it is a document, and may run what it holds.

By https://www.w3.org/TR/SVG2/: no script, no foreign content, no event attribute, no link out of the file. It
is parsed as a browser would, so another namespace prefix or encoding hides nothing.
"""

from __future__ import annotations

from xml.parsers import expat

_ACTIVE = frozenset(("script", "foreignobject", "handler", "listener", "iframe", "audio", "video"))


class _NotAPicture(Exception):
    pass


def is_only_a_picture(data: bytes) -> bool:
    """False for what may run, leads out, or cannot be parsed."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = _check_element
    parser.StartDoctypeDeclHandler = _refuse
    parser.ProcessingInstructionHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, _NotAPicture, ValueError):
        return False
    return True


def _check_element(name: str, attributes: dict[str, str]) -> None:
    if name.rpartition(":")[2].lower() in _ACTIVE:
        raise _NotAPicture
    for attribute, value in attributes.items():
        local = attribute.rpartition(":")[2].lower()
        leads_out = local == "href" and not value.strip().startswith(("#", "data:image/"))
        # What is animated to an address or a handler comes to the same.
        animates = local == "attributename" and value.rpartition(":")[2].lower().startswith(("on", "href"))
        if local.startswith("on") or leads_out or animates:
            raise _NotAPicture


def _refuse(*_declaration: object) -> None:
    raise _NotAPicture
