"""Looks up what pyvmomi's type registry knows: versions, types, fields, methods and property paths."""

from __future__ import annotations

import functools
import re

from pyVmomi import VmomiSupport, vmodl

from . import reflect  # noqa: F401

XSD, XSI, VIM = VmomiSupport.XMLNS_XSD, VmomiSupport.XMLNS_XSI, VmomiSupport.XMLNS_VMODL_BASE
MethodFault, LocalizedMethodFault = vmodl.MethodFault, vmodl.LocalizedMethodFault
# One part of a property path: a name, and the key of an array's element.
STEP = re.compile(r'(\w+)(\[(?:"[^"]*"|[^"\]]*)\])?(?:\.(?=.)|$)')
# Fields that pyvmomi's Python objects have and no server sends.
DYNAMIC, FAULTS_OWN = {"dynamicType", "dynamicProperty"}, {"msg"}


class Unknown(Exception):
    """The registry has no such thing, or has it only in a later version."""


def _number(name: str) -> list[int]:
    return [int(part) for part in name.split(".")]


def _released() -> dict[str, str]:
    """The registry's versions by their numbers, oldest first."""
    named = {key.removeprefix("vim25/"): version for key, version in VmomiSupport.versionMap.items()}
    numbers = [number for number in named if number.replace(".", "").isdigit()]
    return {number: named[number] for number in sorted(numbers, key=_number)}


RELEASED = _released()
ORDER = {number: order for order, number in enumerate(RELEASED)}


def is_array(kind) -> bool:
    """True for a list of objects or values."""
    return issubclass(kind, VmomiSupport.Array)


def is_data(kind) -> bool:
    """True for a data object, faults included."""
    return issubclass(kind, VmomiSupport.DataObject)


def is_reference(kind) -> bool:
    """True for a managed object, which goes over the wire as a reference."""
    return issubclass(kind, VmomiSupport.ManagedObject)


def is_optional(info) -> bool:
    """True if a field, a parameter or a result may be missing."""
    return bool(getattr(info, "flags", 0) & VmomiSupport.F_OPTIONAL)


def item(kind):
    """The type of an array's elements; any other type is its own."""
    return kind.Item if is_array(kind) else kind


def wire_name(kind) -> str:
    """The name of a type in XML."""
    return "ArrayOf" + wire_name(kind.Item) if is_array(kind) else VmomiSupport.GetWsdlName(kind)


@functools.cache
def since(version: str) -> str:
    """The number of the first release that has what came with this version of the registry."""
    found = (number for number, name in RELEASED.items() if version in VmomiSupport.parentMap[name])
    return next(found, version)


@functools.cache
def _children() -> dict[str, list[str]]:
    children: dict[str, list[str]] = {}
    for name, definition in VmomiSupport._dataDefMap.items():
        children.setdefault(definition[2], []).append(name)
    return children


@functools.cache
def subtypes(kind) -> list:
    """Every data type that extends this one."""
    below = [VmomiSupport.GetVmodlType(name) for name in _children().get(VmomiSupport.GetVmodlName(kind), [])]
    return below + [further for one in below for further in subtypes(one)]


@functools.cache
def fields(kind) -> dict:
    """The fields of a data type, or the properties of a managed one, by name and in order."""
    if is_reference(kind):
        # From the definitions: pyvmomi as a client changes the types of the properties that it reads.
        names = [VmomiSupport.GetVmodlName(one) for one in reversed(kind.__mro__) if one is not object]
        found = [row[:4] for name in names for row in VmomiSupport._managedDefMap.get(name, [None] * 5)[4] or []]
        keys = ("name", "typeName", "version", "flags")
        return {row[0]: VmomiSupport.LazyObject(**dict(zip(keys, row))) for row in found}
    # pyvmomi derives LocalizedMethodFault from MethodFault; in the API it is a type of its own.
    found = kind._GetPropertyList(includeBaseClassProps=kind is not LocalizedMethodFault)
    local = DYNAMIC | FAULTS_OWN if issubclass(kind, MethodFault) else DYNAMIC
    return {info.name: info for info in found if info.name not in local}


class Version:
    """The registry as one version of the API has it, by the `SOAPAction` that asks for it."""

    def __init__(self, action: str):
        namespace, _, number = action.strip('"').partition("/")
        if namespace != VIM or (number and f"vim25/{number}" not in VmomiSupport.versionMap):
            raise Unknown(f"API version {action} does not exist")
        self.number = number or "2.5"
        self._has = VmomiSupport.parentMap[VmomiSupport.versionMap[f"vim25/{self.number}"]]

    def has(self, version: str) -> bool:
        """True if what came with this version of the registry is part of this version of the API."""
        return version in self._has

    def check(self, what: str, version: str) -> None:
        """Raises if something came later."""
        if not self.has(version):
            raise Unknown(f"{what} came with {since(version)}, after {self.number}")

    def kind(self, namespace: str, name: str):
        """The type that `xsi:type` names. ManagedObject stands for a reference to any object."""
        if (namespace, name) == (VIM, "ManagedObjectReference"):
            return VmomiSupport.ManagedObject
        if (namespace, name) == (VIM, "ArrayOfManagedObjectReference"):
            return VmomiSupport.ManagedObject.Array
        try:
            kind = VmomiSupport.GetWsdlType(namespace, name)
        except KeyError:
            raise Unknown(f"type {name} does not exist") from None
        if is_reference(item(kind)):
            raise Unknown(f"type {name} is a managed object, which XML holds as a ManagedObjectReference")
        self.check(f"type {name}", getattr(item(kind), "_version", VmomiSupport.BASE_VERSION))
        return kind

    def managed(self, name: str):
        """The managed type of this name."""
        try:
            kind = VmomiSupport.GetWsdlType(VIM, name)
        except KeyError:
            raise Unknown(f"managed type {name} does not exist") from None
        if not (isinstance(kind, type) and is_reference(kind)):
            raise Unknown(f"{name} is no managed type")
        self.check(f"managed type {name}", kind._version)
        return kind

    def method(self, name: str):
        """The definition of the method of this name."""
        try:
            info = VmomiSupport.GetWsdlMethod(VIM, name).info
        except KeyError:
            raise Unknown(f"method {name} does not exist") from None
        self.check(f"method {name}", info.version)
        return info

    def path(self, managed, path: str):
        """The type at the end of a property path that starts at this managed type, and the release that brought it."""
        kind, newest, end = managed, since(managed._version), 0
        while end < len(path) or not path:
            step = STEP.match(path, end)
            if not step:
                raise Unknown(f"property path {path!r} is malformed")
            if end and is_array(kind):
                raise Unknown(f"property path {path}: {path[: end - 1]} is an array and needs a key")
            if end and not is_data(kind):
                raise Unknown(f"property path {path}: {path[: end - 1]} has no fields")
            info = self._step(kind, step[1], f"property path {path}")
            kind = info.type
            newest = max(newest, since(info.version), key=ORDER.get)
            if step[2]:
                if not is_array(kind):
                    raise Unknown(f"property path {path}: {step[1]} is no array")
                kind = kind.Item
            end = step.end()
        return kind, newest

    def _step(self, kind, name: str, where: str):
        """The field of this name, which the type or one that extends it defines."""
        found = [fields(one)[name] for one in [kind, *(subtypes(kind) if is_data(kind) else [])] if name in fields(one)]
        if not found:
            raise Unknown(f"{where}: {wire_name(kind)} has no {name}")
        known = [info for info in found if self.has(info.version)]
        if not known:
            raise Unknown(f"{where}: {name} came with {since(found[0].version)}, after {self.number}")
        return known[0]
