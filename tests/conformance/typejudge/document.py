"""Reads XML with what xml.etree drops: the prefixes in scope, which `xsi:type` needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat


@dataclass
class Node:
    """An element."""

    namespace: str
    name: str
    attributes: dict[tuple[str, str], str]
    prefixes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    # The text between its children, joined.
    text: str = ""

    def child(self, name: str) -> Node | None:
        """The first child of this name."""
        return next(self.every(name), None)

    def every(self, name: str):
        """The children of this name."""
        return (child for child in self.children if child.name == name)

    def get(self, name: str) -> str:
        """The text of the first child of this name, or an empty one."""
        found = self.child(name)
        return found.text if found else ""


def _split(name: str) -> tuple[str, str]:
    namespace, _, local = name.rpartition(" ")
    return namespace, local


def parse(xml: str | bytes) -> Node:
    """Parses a document; raises ValueError if it is not well-formed or has a DTD, which SOAP forbids."""
    root, stack, prefixes = Node("", "", {}, {}), [], {}
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")

    def declare(prefix, uri):
        prefixes[prefix or ""] = uri or ""

    def start(name, attributes):
        above = stack[-1] if stack else root
        found = {_split(key): value for key, value in attributes.items()}
        node = Node(*_split(name), found, above.prefixes | prefixes if prefixes else above.prefixes)
        prefixes.clear()
        above.children.append(node)
        stack.append(node)

    def text(data):
        stack[-1].text += data

    def doctype(*_):
        raise ValueError("a SOAP message has no DTD")

    parser.StartNamespaceDeclHandler = declare
    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(xml.encode() if isinstance(xml, str) else xml, True)
    except expat.ExpatError as error:
        raise ValueError(f"not well-formed: {error}") from None
    return root.children[0]
