"""The type judge itself: it accepts valid requests and replies, and rejects each kind of invalid one."""

import pytest

from conformance.typejudge import judge_reply, judge_request

OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body>'
)
CLOSE = "</e:Body></e:Envelope>"
LOGIN = (
    '<Login xmlns="urn:vim25"><_this type="SessionManager">SessionManager</_this>'
    "<userName>someone</userName><password>any</password></Login>"
)
FIND = (
    '<RetrievePropertiesEx xmlns="urn:vim25"><_this type="PropertyCollector">pc</_this><specSet>'
    "<propSet><type>VirtualMachine</type><pathSet>name</pathSet><pathSet>config.extraConfig</pathSet>"
    '<pathSet>config.extraConfig["guestinfo.a"].value</pathSet></propSet>'
    '<objectSet><obj type="Folder">group-d1</obj><skip>true</skip>'
    '<selectSet xsi:type="TraversalSpec"><name>children</name><type>Folder</type><path>childEntity</path>'
    "<selectSet><name>children</name></selectSet>"
    '<selectSet xsi:type="TraversalSpec"><type>Datacenter</type><path>vmFolder</path>'
    "<selectSet><name>children</name></selectSet></selectSet></selectSet></objectSet>"
    "</specSet><options><maxObjects>100</maxObjects></options></RetrievePropertiesEx>"
)
RECONFIGURE = (
    '<ReconfigVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">vm-1</_this><spec><changeVersion>1</changeVersion>'
    '<extraConfig><key>a</key><value xsi:type="xsd:string">b</value></extraConfig></spec></ReconfigVM_Task>'
)
OPTIONS = (
    '<UpdateOptions xmlns="urn:vim25"><_this type="OptionManager">options-1</_this><changedValue><key>a</key>'
    '<value xsi:type="xsd:long">1</value></changedValue></UpdateOptions>'
)
CLUSTER = (
    '<ReconfigureComputeResource_Task xmlns="urn:vim25"><_this type="ClusterComputeResource">domain-c7</_this>'
    '<spec xsi:type="ClusterConfigSpecEx"><dasConfig><enabled>true</enabled>'
    "<vmMonitoring>vmMonitoringDisabled</vmMonitoring><failoverLevel>1</failoverLevel></dasConfig></spec>"
    "<modify>true</modify></ReconfigureComputeResource_Task>"
)
LOG = (
    '<BrowseDiagnosticLog xmlns="urn:vim25"><_this type="DiagnosticManager">DiagMgr</_this>'
    '<host type="HostSystem">host-1</host><key>vmkernel</key><start>1</start></BrowseDiagnosticLog>'
)
EVENTS = (
    '<QueryEvents xmlns="urn:vim25"><_this type="EventManager">EventManager</_this><filter><time>'
    "<beginTime>2024-02-29T10:00:00.5Z</beginTime></time></filter></QueryEvents>"
)
MIGRATE = (
    '<MigrateVM_Task xmlns="urn:vim25"><_this type="VirtualMachine">vm-1</_this><host type="HostSystem">host-1</host>'
    "<priority>defaultPriority</priority></MigrateVM_Task>"
)
SECONDARY = (
    '<CreateSecondaryVMEx_Task xmlns="urn:vim25"><_this type="VirtualMachine">vm-1</_this></CreateSecondaryVMEx_Task>'
)


@pytest.mark.parametrize("call", [LOGIN, FIND, RECONFIGURE, OPTIONS, CLUSTER, LOG, EVENTS, MIGRATE, SECONDARY])
def test_valid_requests_are_accepted(call):
    assert judge_request("urn:vim25/8.0.2.0", OPEN + call + CLOSE).problems == []


def test_a_request_reports_what_it_uses_and_since_which_version():
    verdict = judge_request("urn:vim25/4.1", OPEN + FIND + CLOSE)
    assert (verdict.owner, verdict.method, verdict.since) == ("PropertyCollector", "RetrievePropertiesEx", "4.1")
    assert verdict.properties["VirtualMachine", "config.extraConfig"] == "2.5"
    assert verdict.properties["Folder", "childEntity"] == "2.5"


# A name, the request to change, the change, the judge's message, and the version if it matters.
WRONG = [
    ("version", LOGIN, "", "", "version urn:vim25/6.6 does not exist", "urn:vim25/6.6"),
    ("namespace of the action", LOGIN, "", "", "does not exist", "urn:vim26/6.7"),
    (
        "element order",
        LOGIN,
        "</_this><userName>someone</userName><password>any</password>",
        "</_this><password>any</password><userName>someone</userName>",
        "must come before password",
    ),
    ("unknown method", LOGIN, "Login", "LogIn", "method LogIn does not exist"),
    ("method newer than the version", SECONDARY, "", "", "CreateSecondaryVMEx_Task came with 6.0", "urn:vim25/5.5"),
    ("unknown parameter", LOGIN, "</Login>", "<realm>x</realm></Login>", "Login has no realm"),
    ("missing parameter", LOGIN, "<password>any</password>", "", "Login lacks password"),
    ("method of another type", SECONDARY, '"VirtualMachine"', '"HostSystem"', "a reference to HostSystem"),
    ("unknown field", RECONFIGURE, "changeVersion>", "changeversion>", "VirtualMachineConfigSpec has no changeversion"),
    (
        "field newer than the version",
        RECONFIGURE,
        "<changeVersion>1</changeVersion>",
        "<nestedHVEnabled>true</nestedHVEnabled>",
        "came with 5.1",
        "urn:vim25/5.0",
    ),
    ("missing field", RECONFIGURE, "<key>a</key>", "", "OptionValue lacks key"),
    (
        "order in an OptionValue",
        RECONFIGURE,
        '<key>a</key><value xsi:type="xsd:string">b</value>',
        '<value xsi:type="xsd:string">b</value><key>a</key>',
        "must come before value",
    ),
    (
        "order in a TraversalSpec",
        FIND,
        "<type>Folder</type><path>childEntity</path>",
        "<path>childEntity</path><type>Folder</type>",
        "must come before path",
    ),
    (
        "parts of an array apart",
        FIND,
        "</propSet><objectSet>",
        '</propSet><objectSet><obj type="Folder">g</obj></objectSet><propSet><type>Folder</type></propSet><objectSet>',
        "must come before objectSet",
    ),
    (
        "field twice",
        RECONFIGURE,
        "<changeVersion>1</changeVersion>",
        "<changeVersion>1</changeVersion><changeVersion>2</changeVersion>",
        "occurs more than once",
    ),
    (
        "wrong enumeration value",
        MIGRATE,
        "defaultPriority",
        "topPriority",
        "'topPriority' is no VirtualMachineMovePriority",
    ),
    (
        "xsi:type that does not exist",
        CLUSTER,
        "ClusterConfigSpecEx",
        "ClusterConfigSpecEx2",
        "type ClusterConfigSpecEx2 does not exist",
    ),
    (
        "xsi:type that does not fit",
        CLUSTER,
        "ClusterConfigSpecEx",
        "VirtualMachineConfigSpec",
        "does not fit ComputeResourceConfigSpec",
    ),
    (
        "xsi:type newer than the version",
        OPTIONS,
        '"xsd:long"',
        '"ClusterInfraUpdateHaConfigInfo"',
        "came with 6.5",
        "urn:vim25/5.0",
    ),
    ("xsi:type with an undeclared prefix", OPTIONS, "xsd:long", "xs:long", "undeclared prefix"),
    ("missing xsi:type", OPTIONS, ' xsi:type="xsd:long"', "", "needs an xsi:type"),
    ("unknown property", FIND, "<pathSet>name<", "<pathSet>nam<", "VirtualMachine has no nam"),
    (
        "unknown nested property",
        FIND,
        "config.extraConfig<",
        "config.extraconfig<",
        "VirtualMachineConfigInfo has no extraconfig",
    ),
    (
        "property newer than the version",
        FIND,
        "config.extraConfig<",
        "config.nestedHVEnabled<",
        "nestedHVEnabled came with 5.1",
        "urn:vim25/5.0",
    ),
    ("path into an array without a key", FIND, '["guestinfo.a"]', "", "is an array and needs a key"),
    ("path through a reference", FIND, "<pathSet>name<", "<pathSet>runtime.host.name<", "runtime.host has no fields"),
    ("malformed path", FIND, "<pathSet>name<", "<pathSet>config..files<", "is malformed"),
    ("empty path", FIND, "<pathSet>name<", "<pathSet><", "is malformed"),
    ("path twice", FIND, "<pathSet>config.extraConfig<", "<pathSet>name<", "name is asked for twice"),
    (
        "unknown type in a PropertySpec",
        FIND,
        "<type>VirtualMachine<",
        "<type>Virtualmachine<",
        "managed type Virtualmachine does not exist",
    ),
    ("data type in a PropertySpec", FIND, "<type>VirtualMachine<", "<type>AboutInfo<", "AboutInfo is no managed type"),
    (
        "unknown type in a TraversalSpec",
        FIND,
        "<type>Folder<",
        "<type>Directory<",
        "managed type Directory does not exist",
    ),
    ("unknown path in a TraversalSpec", FIND, "childEntity", "childEntities", "Folder has no childEntities"),
    ("traversal that leads to no object", FIND, "childEntity", "childType", "leads to no managed object"),
    (
        "undefined selection",
        FIND,
        "<selectSet><name>children</name>",
        "<selectSet><name>kids</name>",
        "'kids' refers to no TraversalSpec",
    ),
    (
        "selection defined twice",
        FIND,
        '"TraversalSpec"><type>Datacenter',
        '"TraversalSpec"><name>children</name><type>Datacenter',
        "children is defined twice",
    ),
    ("int that is no number", FIND, ">100<", ">many<", "'many' is no int"),
    ("int out of range", FIND, ">100<", ">2147483648<", "is no int"),
    ("bad boolean", CLUSTER, "<modify>true", "<modify>yes", "'yes' is no boolean"),
    ("bad dateTime", EVENTS, "2024-02-29T", "2023-02-29T", "is no dateTime"),
    (
        "reference to another type",
        LOG,
        'host type="HostSystem"',
        'host type="VirtualMachine"',
        "where HostSystem is needed",
    ),
    ("reference without a type", LOG, 'host type="HostSystem"', "host", "managed type  does not exist"),
    ("reference without an id", LOG, ">host-1<", "><", "needs the id of an object"),
    (
        "field in a simple value",
        LOG,
        "<key>vmkernel</key>",
        "<key><b>vmkernel</b></key>",
        "a simple value with a field b",
    ),
    ("text in a data object", RECONFIGURE, "<spec>", "<spec>now", "text 'now' between its fields"),
    ("text between parameters", LOGIN, "<password>", "x<password>", "text 'x' between its parameters"),
    ("unexpected attribute", RECONFIGURE, "<spec>", '<spec id="1">', "unexpected attribute id"),
    ("namespace of a field", LOGIN, "<password>", '<password xmlns="urn:other">', "namespace is 'urn:other'"),
    ("namespace of a call", LOGIN, "urn:vim25", "urn:vim26", "namespace is 'urn:vim26'"),
    ("undeclared prefix", LOGIN, "<password>any</password>", "<v:password>any</v:password>", "unbound prefix"),
    ("illegal character", LOGIN, "any", "a\x01ny", "not well-formed"),
    ("reference to an illegal character", LOGIN, "any", "a&#1;ny", "not well-formed"),
    ("reference to U+FFFE", LOGIN, "any", "a&#xFFFE;ny", "not well-formed"),
    ("DTD", LOGIN, "<e:Envelope", "<!DOCTYPE e><e:Envelope", "has no DTD"),
    ("two calls", LOGIN, "</Login>", '</Login><Logout xmlns="urn:vim25"/>', "exactly one element"),
]


@pytest.mark.parametrize("case", WRONG, ids=[case[0] for case in WRONG])
def test_invalid_requests_are_rejected(case):
    _, call, old, new, says, version = (*case, "urn:vim25/8.0.2.0")[:6]
    right = OPEN + call + CLOSE
    wrong = right.replace(old, new)
    assert old == new or wrong != right
    problems = judge_request(version, wrong).problems
    assert any(says in problem for problem in problems), problems


def found(path, value):
    """Returns a reply with this property of a virtual machine."""
    return (
        f'{OPEN}<RetrievePropertiesExResponse xmlns="urn:vim25"><returnval><objects>'
        f'<obj type="VirtualMachine">vm-1</obj><propSet><name>{path}</name>{value}</propSet></objects>'
        f"</returnval></RetrievePropertiesExResponse>{CLOSE}"
    )


def fault(kind, fields="", name=None):
    """Returns a reply with this fault."""
    name = name or f"{kind}Fault"
    return (
        f"{OPEN}<e:Fault><faultcode>ServerFaultCode</faultcode><faultstring>No.</faultstring><detail>"
        f'<{name} xmlns="urn:vim25" xsi:type="{kind}">{fields}</{name}></detail></e:Fault>{CLOSE}'
    )


STRING = '<val xsi:type="xsd:string">a</val>'
READ = "RetrievePropertiesEx"
REPLIES = [
    (READ, found("name", STRING), None),
    (READ, found("datastore", '<val xsi:type="ArrayOfManagedObjectReference"/>'), None),
    (READ, found("runtime.host", '<val type="HostSystem" xsi:type="ManagedObjectReference">h</val>'), None),
    ("FindAllByUuid", f'{OPEN}<FindAllByUuidResponse xmlns="urn:vim25"/>{CLOSE}', None),
    ("Logout", f'{OPEN}<LogoutResponse xmlns="urn:vim25"/>{CLOSE}', None),
    ("Logout", fault("NotAuthenticated", '<object type="Folder">g</object><privilegeId>x</privilegeId>'), None),
    (READ, found("name", '<val xsi:type="xsd:int">1</val>'), "does not fit string"),
    (READ, found("runtime.host", '<val type="Folder" xsi:type="ManagedObjectReference">h</val>'), "not fit HostSystem"),
    (READ, found("datastore", '<val xsi:type="ArrayOfString"/>'), "does not fit ArrayOfDatastore"),
    (READ, found("runtime.hosts", STRING), "VirtualMachineRuntimeInfo has no hosts"),
    (READ, found("name", "<val>a</val>"), "needs an xsi:type"),
    ("Logout", f'{OPEN}<LoginResponse xmlns="urn:vim25"/>{CLOSE}', "is not LogoutResponse"),
    ("Logout", f'{OPEN}<LogoutResponse xmlns="urn:vim25"><returnval/></LogoutResponse>{CLOSE}', "unexpected returnval"),
    ("Login", f'{OPEN}<LoginResponse xmlns="urn:vim25"/>{CLOSE}', "lacks its returnval"),
    ("Logout", fault("SystemError"), "SystemError lacks reason"),
    ("Logout", fault("InvalidLogin"), "Logout declares no such fault"),
    ("Login", fault("InvalidLogin", name="LoginFault"), "is not called InvalidLoginFault"),
    ("Login", fault("NoSuchFault"), "type NoSuchFault does not exist"),
    ("Login", "Internal Server Error", "not well-formed"),
]


@pytest.mark.parametrize("method, reply, says", REPLIES)
def test_replies_are_judged(method, reply, says):
    problems = judge_reply("urn:vim25/6.7", method, reply).problems
    assert any(says in problem for problem in problems) if says else not problems, problems
