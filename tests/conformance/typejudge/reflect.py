"""Adds the reflection types that `esxcli` through the API needs, which pyvmomi's registry does not have.

VMware publishes no WSDL with them. The names, the order and the optional fields are those of govmomi 0.55 (`internal/types.go`) and
of the bindings that VMware shipped before (`vmodl.reflect`). Servers have the methods since 5.0, and read the requests in the
namespace of the API, as govmomi sends them.
"""

from __future__ import annotations

from pyVmomi import VmomiSupport

SINCE = "vim.version.version7"
OPTIONAL = VmomiSupport.F_OPTIONAL
EXECUTER, MANAGER = "vmodl.reflect.ManagedMethodExecuter", "vmodl.reflect.DynamicTypeManager"
ARGUMENT, FAULT, RESULT = (f"{EXECUTER}.{name}" for name in ("SoapArgument", "SoapFault", "SoapResult"))


def _method(name: str, wsdl_name: str, parameters: tuple, result: tuple) -> tuple:
    """One method, as pyvmomi defines them."""
    flags, kind = result
    return (name, wsdl_name, SINCE, parameters, (flags, kind, kind), None, None)


def _fields(**kinds: tuple[str, int]) -> list[tuple]:
    return [(name, kind, SINCE, flags) for name, (kind, flags) in kinds.items()]


def _define() -> None:
    text, maybe = ("string", 0), ("string", OPTIONAL)
    for name, fields in {
        ARGUMENT: _fields(name=text, val=text),
        FAULT: _fields(faultMsg=text, faultDetail=maybe),
        RESULT: _fields(response=maybe, fault=(FAULT, OPTIONAL)),
    }.items():
        short = "ReflectManagedMethodExecuter" + name.rpartition(".")[2]
        VmomiSupport.CreateDataType(name, short, "vmodl.DynamicData", SINCE, fields)
    words = [(name, "string", SINCE, 0, None) for name in ("moid", "version", "method")]
    parameters = (*words, ("argument", f"{ARGUMENT}[]", SINCE, OPTIONAL, None))
    execute = _method("executeSoap", "ExecuteSoap", parameters, (OPTIONAL, RESULT))
    VmomiSupport.CreateManagedType(EXECUTER, "ReflectManagedMethodExecuter", "vmodl.ManagedObject", SINCE, None, [execute])
    VmomiSupport.CreateManagedType(MANAGER, "InternalDynamicTypeManager", "vmodl.ManagedObject", SINCE, None, None)
    # pyvmomi registers the methods of a type when it loads the type, so these two come after that.
    VmomiSupport.GetVmodlType("vim.HostSystem")
    host = VmomiSupport._managedDefMap["vim.HostSystem"]
    for name, kind in (("retrieveManagedMethodExecuter", EXECUTER), ("retrieveDynamicTypeManager", MANAGER)):
        method = _method(name, VmomiSupport.Capitalize(name), (), (OPTIONAL, kind))
        host[5].append(method)
        flags, result, _ = method[4]
        info = VmomiSupport.LazyObject(
            name=VmomiSupport.Capitalize(name),
            typeName="vim.HostSystem",
            wsdlName=method[1],
            version=SINCE,
            params=(),
            isTask=False,
            resultFlags=flags,
            resultName=result,
            methodResultName=result,
            privId=None,
            faults=[],
        )
        VmomiSupport._SetWsdlMethod(VmomiSupport.XMLNS_VMODL_BASE, method[1], VmomiSupport.ManagedMethod(info))


_define()
