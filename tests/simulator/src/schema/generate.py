#!/usr/bin/env python3
"""Writes types.txt, the simulator's table of the API, from the type registry of pyvmomi.

Run it with the Python that the tests use: target/env/pytest/bin/python tests/simulator/src/schema/generate.py

The table holds the managed objects, the served methods, the types of all requests and replies, and all faults.
"""

import pathlib
import re
import sys

from pyVmomi import VmomiSupport

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))
from conformance.typejudge import reflect  # noqa: E402, F401
HEAD = """\
# Types of the official API. generate.py wrote this file from the type registry of pyvmomi (Apache License 2.0): do not edit it.
# NAME[@VERSION] < BASE | FIELD:TYPE[[]][?][@VERSION] ...   an object's own fields in order; ? is optional
# NAME = WORD ...                                           an enumeration
# METHOD[@VERSION] ( OBJECT | PARAMETER:TYPE ...            a method
"""
# Managed objects whose properties are served. Of all others the table holds just the name.
SERVED = """ManagedEntity VirtualMachine HostSystem ComputeResource ClusterComputeResource Folder Datacenter Datastore Network
    ResourcePool Task ServiceInstance SessionManager PropertyCollector PropertyFilter ViewManager View ManagedObjectView
    ContainerView OptionManager TaskManager SearchIndex EventManager HistoryCollector EventHistoryCollector
    DiagnosticManager HostVirtualNicManager
    HostDatastoreBrowser EnvironmentBrowser StoragePod VirtualApp DistributedVirtualSwitch ExtensibleManagedObject
    VirtualMachineSnapshot""".split()
LINK, OPTIONAL = 1, 4
PRIMITIVES = {
    "vmodl.DateTime": "dateTime",
    "vmodl.URI": "anyURI",
    "vmodl.Binary": "base64Binary",
    "vmodl.TypeName": "string",
    "vmodl.MethodName": "string",
    "vmodl.PropertyPath": "string",
    "PropPath": "string",
    "TypeName": "string",
    "MethodName": "string",
}

DATA = {entry[0]: entry for entry in VmomiSupport._dataDefMap.values()}
ENUMS = {entry[0]: entry for entry in VmomiSupport._enumDefMap.values()}
MANAGED = {entry[0]: entry for entry in VmomiSupport._managedDefMap.values()}
FIRST = "2.0"
VERSIONS = {"vim.version.version1": FIRST} | {
    version: name.split("/")[1]
    for name, version in sorted(VmomiSupport.versionMap.items(), key=lambda item: [len(item[0].split(".")[0]), item[0]])
    if re.match(r"vim25/\d", name)
}
CHILDREN = {}
for entry in DATA.values():
    CHILDREN.setdefault(entry[2], []).append(entry[0])


def since(version):
    """The version mark; what was there from the beginning has none. VMODL's own versions came with one of the API's."""
    if not version.startswith("vim.version."):
        version = next((own for own in VERSIONS if version in VmomiSupport.parentMap[own]), version)
    number = VERSIONS.get(version, FIRST)
    return "" if number == FIRST else f"@{number}"


def wsdl(name):
    """The name of a type in the WSDL."""
    for registry in (DATA, ENUMS, MANAGED):
        if name in registry:
            return registry[name][1]
    return PRIMITIVES.get(name, name.removeprefix("vmodl."))


def is_fault(name):
    """True if the type is a fault, which travels inside a LocalizedMethodFault."""
    while name in DATA:
        if name == "vmodl.MethodFault":
            return True
        name = DATA[name][2]
    return False


def field(owner, name, kind, version, flags):
    """One field or parameter."""
    base, array = kind.removesuffix("[]"), kind.endswith("[]")
    if flags & LINK:
        base = "string"
    elif is_fault(base) and owner != "LocalizedMethodFault":
        base = "LocalizedMethodFault"
    else:
        base = wsdl(base)
    return f"{name}:{base}{'[]' if array else ''}{'?' if flags & OPTIONAL else ''}{since(version)}"


def closure(names, subtypes):
    """These types, all that their fields hold, and the subtypes of every one if asked for."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop().removesuffix("[]")
        if name in found or name not in DATA and name not in ENUMS:
            continue
        found.add(name)
        if name in DATA:
            todo += [DATA[name][2] or "", *(entry[1] for entry in DATA[name][4] or [])]
            if subtypes and name not in ("DataObject", "vmodl.DataObject", "vmodl.DynamicData", "vmodl.MethodFault"):
                todo += CHILDREN.get(name, [])
    return found


def faults():
    """All faults."""
    found, todo = [], ["vmodl.MethodFault"]
    while todo:
        found.append(todo.pop())
        todo += CHILDREN.get(found[-1], [])
    return found


def methods():
    """The methods that methods/mod.rs serves, with the objects they belong to."""
    served = re.findall(r"^        (\w+) =>", (HERE.parent / "methods" / "mod.rs").read_text(), re.M)
    return [(entry[1], method) for entry in MANAGED.values() for method in entry[5] or [] if method[1] in served]


def table():
    """The whole table."""
    lines = []
    for name, base, properties, version in ((e[1], e[2], e[4], e[3]) for e in MANAGED.values()):
        own = [field(name, *entry[:4]) for entry in properties or []] if name in SERVED else []
        lines.append(" ".join([f"{name}{since(version)} < {wsdl(base) if base else '-'} |", *own]))
    for owner, method in methods():
        own = [field("", *entry[:4]) for entry in method[3]]
        lines.append(" ".join([f"{method[1]}{since(method[2])} ( {owner} |", *own]))
    params = [entry[1] for _, method in methods() for entry in method[3]]
    written = set(re.findall(r'"([A-Z]\w+)"', "".join(path.read_text() for path in HERE.parent.rglob("*.rs"))))
    named = [entry[0] for entry in DATA.values() if entry[1] in written]
    held = [entry[1] for e in MANAGED.values() if e[1] in SERVED for entry in e[4] or []]
    results = [method[4][2] for _, method in methods()]
    for name in closure(params, True) | closure([*held, *results, *faults(), *named], False):
        if name in ENUMS:
            lines.append(" ".join([f"{ENUMS[name][1]} =", *ENUMS[name][3]]))
        else:
            _, short, base, version, fields = DATA[name]
            # On the wire a fault has no `msg`, and what wraps it is none itself.
            own = [field(short, *entry[:4]) for entry in fields or [] if entry[0] != "msg" or short != "MethodFault"]
            base = "vmodl.DynamicData" if short == "LocalizedMethodFault" else base
            lines.append(" ".join([f"{short}{since(version)} < {wsdl(base) if base else '-'} |", *own]))
    return HEAD + "".join(line + "\n" for line in sorted(set(lines)))


if __name__ == "__main__":
    (HERE / "types.txt").write_text(table())
