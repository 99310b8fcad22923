"""Checks what requests and replies of the property collector mean: types, property paths, selections by name."""

from __future__ import annotations

from pyVmomi import vmodl

from .document import Node
from .registry import XSI, Unknown, is_reference, item, wire_name
from .values import Checker, assignable

query = vmodl.query.PropertyCollector
# What each reply has for an object: the field with its properties.
REPORTS = {query.ObjectContent: "propSet", query.ObjectUpdate: "changeSet"}


def is_traversal(node: Node) -> bool:
    """True for a selection that says where to go, rather than the name of another one."""
    return node.attributes.get((XSI, "type"), "").rpartition(":")[2] == "TraversalSpec"


class Properties:
    """Visits the data objects of a message, and collects its property paths with the releases that brought them."""

    def __init__(self):
        self.used: dict[tuple[str, str], str] = {}
        self.checker: Checker

    def visit(self, node: Node, kind) -> None:
        """Checks an object that names properties."""
        if kind is query.FilterSpec:
            self._filter(node)
        elif kind in REPORTS:
            self._report(node, REPORTS[kind])

    def _managed(self, name: str, where: str):
        try:
            return self.checker.version.managed(name)
        except Unknown as unknown:
            self.checker.problem(where, unknown)
            return None

    def _path(self, managed, path: str, where: str):
        """The type at the end of a path, or None after a problem."""
        try:
            kind, since = self.checker.version.path(managed, path)
        except Unknown as unknown:
            self.checker.problem(where, unknown)
            return None
        self.used[wire_name(managed), path] = since
        return kind

    def _filter(self, node: Node) -> None:
        for spec in node.every("propSet"):
            managed = self._managed(spec.get("type"), "propSet.type")
            if managed is None:
                continue
            paths = [path.text for path in spec.every("pathSet")]
            for path in paths:
                self._path(managed, path, "propSet.pathSet")
            for path in {path for path in paths if paths.count(path) > 1}:
                self.checker.problem("propSet.pathSet", f"{path} is asked for twice")
        defined: dict[str, Node] = {}
        for start in node.every("objectSet"):
            self._define(start, defined)
        for start in node.every("objectSet"):
            self._select(start, defined)

    def _define(self, node: Node, defined: dict[str, Node]) -> None:
        """Collects the traversals that have a name, at any depth."""
        for spec in filter(is_traversal, node.every("selectSet")):
            name = spec.get("name")
            if name and defined.setdefault(name, spec) != spec:
                self.checker.problem("selectSet", f"{name} is defined twice, and differently")
            self._define(spec, defined)

    def _select(self, node: Node, defined: dict[str, Node]) -> None:
        """Checks the traversals below `node`, and that every other selection names one of them."""
        for spec in node.every("selectSet"):
            if not is_traversal(spec):
                if spec.get("name") not in defined:
                    self.checker.problem("selectSet", f"{spec.get('name')!r} refers to no TraversalSpec of the filter")
                continue
            managed = self._managed(spec.get("type"), "TraversalSpec.type")
            end = managed and self._path(managed, spec.get("path"), "TraversalSpec.path")
            if end and not is_reference(item(end)):
                self.checker.problem("TraversalSpec.path", f"{spec.get('path')} leads to no managed object")
            self._select(spec, defined)

    def _report(self, node: Node, field: str) -> None:
        obj = node.child("obj")
        managed = self._managed(obj.attributes.get(("", "type"), ""), "obj") if obj else None
        if managed is None:
            return
        for change in node.every(field):
            path, value = change.get("name"), change.child("val")
            declared = self._path(managed, path, f"{wire_name(managed)}.{path}")
            if declared is None or value is None:
                continue
            named = value.attributes.get((XSI, "type"), "")
            prefix, _, local = named.rpartition(":")
            try:
                actual = self.checker.version.kind(value.prefixes.get(prefix, ""), local)
            except Unknown:
                # Reported where the value itself was checked.
                continue
            if is_reference(actual) and is_reference(declared):
                actual = self._managed(value.attributes.get(("", "type"), ""), path) or declared
                fits = issubclass(actual, declared)
            else:
                fits = assignable(actual, declared)
            if not fits:
                where = f"{wire_name(managed)}.{path}"
                self.checker.problem(where, f"xsi:type {named} does not fit {wire_name(declared)}")


