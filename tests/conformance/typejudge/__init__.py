"""Judges SOAP requests and replies by the types in pyvmomi's registry, in the API version spoken."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyVmomi import VmomiSupport, vmodl

from .document import Node, parse
from .filters import Properties
from .registry import VIM, XSI, MethodFault, Unknown, Version, is_array, item, since, wire_name
from .values import Checker

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@dataclass
class Verdict:
    """What the judge finds in a message."""

    problems: list[str]
    method: str = ""
    # The method's type and the release that brought it.
    owner: str = ""
    since: str = ""
    # Property paths by managed type, with the release that brought them.
    properties: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass
class _This:
    """The parameter `_this`, which every method has and the registry does not list."""

    type: type
    name: str = "_this"
    version: str = VmomiSupport.BASE_VERSION
    flags: int = 0


def _body(xml: str | bytes) -> Node:
    """The one element in the body of a SOAP envelope."""
    envelope = parse(xml)
    if (envelope.namespace, envelope.name) != (SOAP, "Envelope"):
        raise ValueError(f"the document is {envelope.name}, not a SOAP envelope")
    names = [(child.namespace, child.name) for child in envelope.children]
    if names not in ([(SOAP, "Body")], [(SOAP, "Header"), (SOAP, "Body")]):
        raise ValueError(f"the envelope holds {[name for _, name in names]}")
    body = envelope.children[-1]
    if len(body.children) != 1 or body.text.strip() or envelope.text.strip():
        raise ValueError("the body does not hold exactly one element")
    return body.children[0]


def judge_request(action: str, xml: str | bytes) -> Verdict:
    """Judges a request with this `SOAPAction`, such as `urn:vim25/6.7`."""
    try:
        version, call = Version(action), _body(xml)
        info = version.method(call.name)
    except (Unknown, ValueError) as problem:
        return Verdict([str(problem)])
    properties = Properties()
    checker = properties.checker = Checker(version, properties.visit, empty_arrays=False)
    if call.namespace != VIM:
        checker.problem(call.name, f"namespace is {call.namespace!r}, not {VIM}")
    if call.text.strip():
        checker.problem(call.name, f"text {call.text.strip()[:40]!r} between its parameters")
    known = {"_this": _This(info.type)} | {param.name: param for param in info.params}
    checker.fields(call, known, call.name, call.name)
    return Verdict(checker.problems, call.name, wire_name(info.type), since(info.version), properties.used)


def judge_reply(action: str, method: str, xml: str | bytes) -> Verdict:
    """Judges the reply to this method."""
    try:
        version, answer = Version(action), _body(xml)
    except (Unknown, ValueError) as problem:
        return Verdict([str(problem)], method)
    properties = Properties()
    checker = properties.checker = Checker(version, properties.visit, empty_arrays=True)
    if (answer.namespace, answer.name) == (SOAP, "Fault"):
        _fault(checker, method, answer)
    else:
        _returned(checker, method, answer)
    return Verdict(checker.problems, method)


def _returned(checker: Checker, method: str, answer: Node) -> None:
    where = f"{method}Response"
    if (answer.namespace, answer.name) != (VIM, where):
        checker.problem(answer.name, f"is not {where} of {VIM}")
    try:
        info = checker.version.method(method)
    except Unknown as unknown:
        checker.problem(where, unknown)
        return
    nothing = info.result is VmomiSupport.NoneType
    for child in answer.children:
        if nothing or (child.namespace, child.name) != (VIM, "returnval"):
            checker.problem(where, f"holds an unexpected {child.name}")
            return
        checker.value(child, item(info.result), f"{method}.returnval")
    if len(answer.children) > 1 and not is_array(info.result):
        checker.problem(where, "holds more than one returnval")
    if not (answer.children or info.resultFlags & VmomiSupport.F_OPTIONAL or is_array(info.result) or nothing):
        checker.problem(where, "lacks its returnval")


def _fault(checker: Checker, method: str, answer: Node) -> None:
    names = [child.name for child in answer.children]
    if names not in (["faultcode", "faultstring"], ["faultcode", "faultstring", "detail"]):
        checker.problem("Fault", f"holds {names}")
    for child in answer.children:
        if child.namespace:
            checker.problem(f"Fault.{child.name}", f"has the namespace {child.namespace}")
    detail = answer.child("detail")
    if detail is None:
        return
    if len(detail.children) != 1 or detail.text.strip():
        checker.problem("Fault.detail", "does not hold exactly one fault")
        return
    (fault,) = detail.children
    where = f"Fault.{fault.name}"
    if (XSI, "type") not in fault.attributes:
        checker.problem(where, "needs an xsi:type")
        return
    kind = checker.value(fault, MethodFault, where, bare_fault=True)
    if kind is None:
        return
    if (fault.namespace, fault.name) != (VIM, f"{wire_name(kind)}Fault"):
        checker.problem(where, f"is not called {wire_name(kind)}Fault")
    try:
        declared = [VmomiSupport.GetVmodlType(name) for name in checker.version.method(method).faults]
    except Unknown:
        return
    if not issubclass(kind, (vmodl.RuntimeFault, *declared)):
        checker.problem(where, f"{method} declares no such fault")
