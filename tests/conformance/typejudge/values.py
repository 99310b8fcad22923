"""Holds one XML element against a type: fields, order, requirements, values, and what `xsi:type` may say."""

from __future__ import annotations

import base64
import binascii
import datetime
import re

from pyVmomi import VmomiSupport

from .document import Node
from .registry import (
    VIM,
    XSD,
    XSI,
    LocalizedMethodFault,
    MethodFault,
    Unknown,
    Version,
    fields,
    is_array,
    is_data,
    is_optional,
    is_reference,
    item,
    wire_name,
)

BITS = {VmomiSupport.byte: 8, VmomiSupport.short: 16, int: 32, VmomiSupport.long: 64}
# Types that have a name of their own in pyvmomi and are strings in XML.
TEXT = (str, VmomiSupport.Link, VmomiSupport.ManagedMethod)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")


def is_text(kind) -> bool:
    """True for a string that is no enumeration."""
    return kind is type or (issubclass(kind, TEXT) and not issubclass(kind, VmomiSupport.Enum))


def assignable(actual, declared) -> bool:
    """True if a value of one type may stand where the other one is declared."""
    if declared is object:
        return True
    if is_array(actual) or is_array(declared):
        return is_array(actual) and is_array(declared) and assignable(actual.Item, declared.Item)
    if is_reference(actual):
        # What it refers to is checked by the attribute `type`.
        return is_reference(declared)
    if is_text(declared):
        return is_text(actual) or issubclass(actual, VmomiSupport.Enum)
    if is_data(declared) or issubclass(declared, VmomiSupport.Enum):
        return issubclass(actual, declared)
    return actual is declared


def bad_value(kind, text: str) -> str | None:
    """Says what is wrong with the text of a simple value."""
    text = text.strip() if not is_text(kind) else text
    if kind is bool:
        good = text in ("true", "false", "1", "0")
    elif kind in BITS:
        limit = 1 << (BITS[kind] - 1)
        good = bool(re.fullmatch(r"[+-]?[0-9]+", text)) and -limit <= int(text) < limit
    elif issubclass(kind, float):
        good = bool(re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|-?INF|NaN", text))
    elif kind is datetime.datetime:
        good = bool(TIME.fullmatch(text))
        try:
            datetime.datetime.fromisoformat(text[:19])
        except ValueError:
            good = False
    elif kind is VmomiSupport.binary:
        try:
            good = base64.b64decode(text, validate=True) is not None
        except binascii.Error:
            good = False
    elif issubclass(kind, VmomiSupport.Enum):
        good = text in kind.values
    else:
        good = True
    return None if good else f"{text!r} is no {wire_name(kind)}"


class Checker:
    """Collects the problems of one message. `visit(node, kind)` is called for every data object."""

    def __init__(self, version: Version, visit, empty_arrays: bool):
        self.version = version
        # Servers leave out a required array that is empty.
        self._empty_arrays = empty_arrays
        self.problems: list[str] = []
        self._visit = visit

    def problem(self, where: str, what) -> None:
        """Notes a problem and where in the message it is."""
        self.problems.append(f"{where}: {what}")

    def actual(self, node: Node, declared, where: str):
        """The type that an element has: the declared one, or what `xsi:type` says. None if that cannot be."""
        named = node.attributes.get((XSI, "type"))
        if named is None:
            if declared is object:
                self.problem(where, "needs an xsi:type")
                return None
            return declared
        prefix, _, local = named.rpartition(":")
        if prefix and prefix not in node.prefixes:
            self.problem(where, f"xsi:type {named} has an undeclared prefix")
            return None
        try:
            kind = self.version.kind(node.prefixes.get(prefix, ""), local)
        except Unknown as unknown:
            self.problem(where, f"xsi:type {named}: {unknown}")
            return None
        if not assignable(kind, declared):
            self.problem(where, f"xsi:type {named} does not fit {wire_name(declared)}")
            return None
        return declared if is_reference(kind) and is_reference(declared) else kind

    def value(self, node: Node, declared, where: str, bare_fault: bool = False):
        """Checks an element of this declared type. Returns its actual type, or None after a problem with that."""
        if isinstance(declared, type) and issubclass(declared, MethodFault) and not bare_fault:
            return self._localized(node, declared, where)
        kind = self.actual(node, declared, where)
        if kind is None:
            return None
        allowed = {(XSI, "type")} | ({("", "type"), ("", "serverGuid")} if is_reference(kind) else set())
        for namespace, name in node.attributes.keys() - allowed:
            self.problem(where, f"unexpected attribute {name}" + (f" of {namespace}" if namespace else ""))
        if is_array(kind):
            self._complex(node, where)
            self._array(node, kind, where)
        elif is_data(kind):
            self._complex(node, where)
            self.fields(node, fields(kind), where, wire_name(kind), bare_fault=kind is LocalizedMethodFault)
            self._visit(node, kind)
        elif is_reference(kind):
            kind = self._reference(node, kind, where)
        else:
            self._simple(node, where)
            wrong = bad_value(kind, node.text)
            if wrong:
                self.problem(where, wrong)
        return kind

    def _localized(self, node: Node, declared, where: str):
        """A fault in a data object, which goes over the wire as a LocalizedMethodFault around it."""
        kind = self.actual(node, LocalizedMethodFault, where)
        if kind is None:
            return None
        self.fields(node, fields(kind), where, wire_name(kind), bare_fault=True)
        inner = node.child("fault")
        if inner is not None and declared is not LocalizedMethodFault:
            self.actual(inner, declared, f"{where}.fault")
        return declared

    def fields(self, node: Node, known: dict, where: str, owner: str, bare_fault: bool = False) -> None:
        """Checks the children of a data object or a method call against its fields or parameters."""
        order, last, seen = list(known), -1, set()
        for child in node.children:
            inner = f"{where}.{child.name}"
            if child.namespace != VIM:
                self.problem(inner, f"namespace is {child.namespace!r}, not {VIM}")
            info = known.get(child.name)
            if info is None:
                self.problem(inner, f"{owner} has no {child.name}")
                continue
            if not self.version.has(info.version):
                try:
                    self.version.check(f"{owner}.{child.name}", info.version)
                except Unknown as unknown:
                    self.problem(inner, unknown)
                continue
            place = order.index(child.name)
            if place < last:
                self.problem(inner, f"must come before {order[last]}")
            elif child.name in seen and not is_array(info.type):
                self.problem(inner, "occurs more than once")
            last = max(last, place)
            seen.add(child.name)
            self.value(child, item(info.type), inner, bare_fault)
        for info in known.values():
            if info.name in seen or is_optional(info) or not self.version.has(info.version):
                continue
            if not (self._empty_arrays and is_array(info.type)):
                self.problem(where, f"{owner} lacks {info.name}")

    def _array(self, node: Node, kind, where: str) -> None:
        name = "ManagedObjectReference" if is_reference(kind.Item) else wire_name(kind.Item)
        for child in node.children:
            if child.name != name:
                self.problem(f"{where}.{child.name}", f"an element of {wire_name(kind)} is called {name}")
            self.value(child, kind.Item, f"{where}.{child.name}")

    def _reference(self, node: Node, declared, where: str):
        self._simple(node, where)
        if not node.text.strip():
            self.problem(where, "a reference needs the id of an object")
        try:
            kind = self.version.managed(node.attributes.get(("", "type"), ""))
        except Unknown as unknown:
            self.problem(where, unknown)
            return declared
        if not issubclass(kind, declared):
            self.problem(where, f"a reference to {wire_name(kind)} where {wire_name(declared)} is needed")
        return kind

    def _complex(self, node: Node, where: str) -> None:
        if node.text.strip():
            self.problem(where, f"text {node.text.strip()[:40]!r} between its fields")

    def _simple(self, node: Node, where: str) -> None:
        if node.children:
            self.problem(where, f"a simple value with a field {node.children[0].name}")
