"""Invalid requests: the simulator rejects what a real server rejects, with a fault.

The texts are those of real servers where public issues quote them: see tests/simulator/src/soap/check.rs.
"""

import http.client
import pathlib
import re
import runpy
import types

import lab
import pytest
from pyVmomi import vim

ENVELOPE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">{header}<e:Body>{body}</e:Body></e:Envelope>"""
VM = '<_this type="VirtualMachine">vm-63</_this>'
OPTIONS = '<_this type="OptionManager">EsxHostAdvSettings-20</_this>'
COLLECTOR = '<_this type="PropertyCollector">propertyCollector</_this>'
CLUSTER = '<_this type="ClusterComputeResource">domain-c7</_this>'


def call(method, arguments):
    """Returns a method's element."""
    return f'<{method} xmlns="urn:vim25">{arguments}</{method}>'


def reconfigure(spec, attributes=""):
    return call("ReconfigVM_Task", f"{VM}<spec{attributes}>{spec}</spec>")


def update(option):
    return call("UpdateOptions", f"{OPTIONS}<changedValue>{option}</changedValue>")


def retrieve(prop, objects, options="<options/>"):
    spec = f"<specSet><propSet>{prop}</propSet><objectSet>{objects}</objectSet></specSet>"
    return call("RetrievePropertiesEx", f"{COLLECTOR}{spec}{options}")


def cluster(spec, kind="ClusterConfigSpecEx"):
    return call("ReconfigureComputeResource_Task", f'{CLUSTER}<spec xsi:type="{kind}">{spec}</spec><modify>1</modify>')


NAME = "<type>VirtualMachine</type><pathSet>name</pathSet>"
INNER = '<obj type="VirtualMachine">vm-63</obj>'
ROOT = '<obj type="Folder">group-d1</obj>'
CHILDREN = "<name>children</name><type>Folder</type><path>childEntity</path>"
INT = '<key>Migrate.NetTimeout</key><value xsi:type="xsd:long">{}</value>'
EXTRA = '<extraConfig><key>guestinfo.x</key><value xsi:type="xsd:string">{}</value></extraConfig>'


class Raw:
    """Posts bodies unchanged."""

    def __init__(self, simulator):
        self.lab = simulator
        self.cookie = None
        login = f"<userName>{simulator.facts['username']}</userName><password>{simulator.facts['password']}</password>"
        login = call("Login", f'<_this type="SessionManager">SessionManager</_this>{login}')
        answer = self.post(login)
        assert answer.status == 200, answer.text
        self.cookie = answer.cookie

    def post(self, body, action="urn:vim25/5.0", envelope=ENVELOPE, header=""):
        """Posts a body. Returns status, fault type, fault text and cookie of the answer."""
        if isinstance(body, str):
            body = envelope.format(body=body, header=header).encode()
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        if action is not None:
            headers["SOAPAction"] = action
        if self.cookie:
            headers["Cookie"] = self.cookie
        connection = http.client.HTTPConnection(self.lab.facts["hostname"], self.lab.facts["port"], timeout=30)
        try:
            connection.request("POST", "/sdk", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        kind = re.search(r'<detail><\w+ xmlns="urn:vim25" xsi:type="(\w+)"', text)
        fault = re.search("<faultcode>(.*?)</faultcode><faultstring>(.*?)</faultstring>", text, re.DOTALL)
        return types.SimpleNamespace(
            status=answer.status,
            kind=kind and kind[1],
            code=fault and fault[1],
            said=fault and fault[2].replace("&quot;", '"').replace("&lt;", "<").replace("&gt;", ">"),
            cookie=(answer.getheader("Set-Cookie") or "").partition(";")[0],
            text=text,
        )


@pytest.fixture
def raw(simulator):
    """Returns the raw client of a lab: raw("8.0")."""
    return lambda personality="5.0": Raw(simulator(personality=personality, http=True))


INVALID_TYPE = ("InvalidType", "The request refers to an unexpected or unknown type.")
NONSENSE = {
    # Invalid XML.
    "an illegal character": (reconfigure(EXTRA.format("a\x01b")), "expat parser: not well-formed (invalid token)"),
    "a noncharacter": (reconfigure(EXTRA.format("\ufffe")), "expat parser: not well-formed (invalid token)"),
    "an illegal reference": (reconfigure(EXTRA.format("&#8;")), "reference to invalid character number"),
    "an illegal reference in an attribute": (
        reconfigure("", ' xsi:type="VirtualMachineConfigSpec&#1;"'),
        "reference to invalid character number",
    ),
    "an unknown entity": (reconfigure(EXTRA.format("&nbsp;")), "expat parser: undefined entity"),
    "an undeclared prefix of an element": (reconfigure("<x:name>a</x:name>"), "expat parser: unbound prefix"),
    "an undeclared prefix of an attribute": (reconfigure("", ' y:type="a"'), "expat parser: unbound prefix"),
    "an undeclared prefix of a type": (reconfigure("", ' xsi:type="q:VirtualMachineConfigSpec"'), "unbound prefix"),
    "mismatched tags": (reconfigure("<name>a</nam>"), "expat parser: mismatched tag"),
    "an attribute twice": (reconfigure("", ' a="1" a="2"'), "expat parser: duplicate attribute"),
    "nothing": (b"", "expat parser: no element found"),
    "half a document": (ENVELOPE.partition("{header}")[0].encode(), "expat parser: no element found"),
    "not UTF-8": (ENVELOPE.format(body=reconfigure("<name>\xe4</name>"), header="").encode("latin-1"), "not well-formed"),
    # Invalid calls.
    "no method": ("", "The SOAP body holds no method"),
    "two methods": (reconfigure("") + reconfigure(""), "The SOAP body holds no method, or more than one"),
    "an unknown method": (call("PowerOn", VM), "Unable to resolve WSDL method name PowerOn for namespace name urn:vim25"),
    "another namespace": (
        f'<PowerOnVM_Task xmlns="urn:vim2">{VM}</PowerOnVM_Task>',
        'Unsupported namespace "urn:vim2" in content of SOAP body',
    ),
    "no object": (call("ReconfigVM_Task", "<spec/>"), "Got <spec> tag when expecting <_this> tag"),
    "an object that comes late": (call("ReconfigVM_Task", f"<spec/>{VM}"), "Got <spec> tag when expecting <_this> tag"),
    # Invalid elements.
    "an unknown parameter": (call("PowerOnVM_Task", f"{VM}<nonsense/>"), 'Unexpected element tag "nonsense" seen'),
    "a missing parameter": (call("ReconfigVM_Task", VM), "Required parameter spec is missing"),
    "a missing parameter behind another": (
        retrieve(NAME, INNER, options=""),
        "Required parameter options is missing",
    ),
    "parameters out of order": (
        call("RetrievePropertiesEx", f"{COLLECTOR}<options/><specSet><propSet>{NAME}</propSet></specSet>"),
        'Unexpected element tag "options" seen',
    ),
    "a parameter twice": (reconfigure("</spec><spec>"), 'Unexpected element tag "spec" seen'),
    "an unknown element": (reconfigure("<nonsense/>"), 'Unexpected element tag "nonsense" seen'),
    "an element of another namespace": (reconfigure('<name xmlns="urn:x">a</name>'), 'Unexpected element tag "name" seen'),
    "an element of a later version": (
        reconfigure("<nestedHVEnabled>true</nestedHVEnabled>"),
        'Unexpected element tag "nestedHVEnabled" seen',
    ),
    "elements out of order": (
        reconfigure("<name>a</name><changeVersion>1</changeVersion>"),
        'Unexpected element tag "changeVersion" seen',
    ),
    "elements out of order deep inside": (
        reconfigure("<flags><recordReplayEnabled>true</recordReplayEnabled><enableLogging>true</enableLogging></flags>"),
        'Unexpected element tag "enableLogging" seen',
    ),
    "an element twice": (reconfigure("<name>a</name><name>b</name>"), 'Unexpected element tag "name" seen'),
    "an array interrupted": (
        reconfigure(EXTRA.format(1) + "<firmware>bios</firmware>" + EXTRA.format(2)),
        'Unexpected element tag "extraConfig" seen',
    ),
    "OptionValue out of order": (
        update('<value xsi:type="xsd:long">30</value><key>Migrate.NetTimeout</key>'),
        'Unexpected element tag "value" seen',
    ),
    "OptionValue without a key": (
        update('<value xsi:type="xsd:long">30</value>'),
        'Unexpected element tag "value" seen',
    ),
    "TraversalSpec out of order": (
        retrieve(
            NAME,
            f"{ROOT}<selectSet xsi:type='TraversalSpec'><type>Folder</type><path>childEntity</path><name>c</name></selectSet>",
        ),
        'Unexpected element tag "name" seen',
    ),
    "TraversalSpec that does not say so": (
        retrieve(NAME, f"{ROOT}<selectSet>{CHILDREN}</selectSet>"),
        'Unexpected element tag "type" seen',
    ),
    "TraversalSpec without a path": (
        retrieve(NAME, f"{ROOT}<selectSet xsi:type='TraversalSpec'><name>c</name><type>Folder</type></selectSet>"),
        "Required property path is missing from data object of type TraversalSpec",
    ),
    "PropertySpec out of order": (
        retrieve("<pathSet>name</pathSet><type>VirtualMachine</type>", INNER),
        'Unexpected element tag "pathSet" seen',
    ),
    "text among elements": (reconfigure("<name>a</name>text"), 'Unexpected text "text" seen'),
    "an element inside a string": (reconfigure("<name><b>a</b></name>"), 'Unexpected element tag "b" seen'),
    # Invalid types.
    "an unknown type": (reconfigure("", ' xsi:type="Nonsense"'), *INVALID_TYPE),
    "a type of another namespace": (
        reconfigure("", ' xmlns:n="urn:x" xsi:type="n:VirtualMachineConfigSpec"'),
        *INVALID_TYPE,
    ),
    "an unfitting type": (reconfigure("", ' xsi:type="OptionValue"'), *INVALID_TYPE),
    "a base type": (cluster("", "DynamicData"), *INVALID_TYPE),
    "a type of a later version": (
        reconfigure('<deviceChange><device xsi:type="VirtualNVMEController"><key>1</key></device></deviceChange>'),
        *INVALID_TYPE,
    ),
    "an unfitting type of a primitive": (reconfigure('<name xsi:type="xsd:int">1</name>'), *INVALID_TYPE),
    "an unknown primitive": (update('<key>Migrate.NetTimeout</key><value xsi:type="xsd:number">1</value>'), *INVALID_TYPE),
    "a reference to an unknown type": (
        call("PowerOnVM_Task", f'{VM}<host type="Nonsense">host-20</host>'),
        *INVALID_TYPE,
    ),
    "a reference to an unfitting type": (
        call("PowerOnVM_Task", f'{VM}<host type="Datastore">host-20</host>'),
        *INVALID_TYPE,
    ),
    # Invalid values.
    "a word for a number": (update(INT.format("many")), 'Cannot parse "many" as a long value'),
    "a number out of range": (reconfigure("<numCPUs>99999999999</numCPUs>"), 'Cannot parse "99999999999" as an int value'),
    "a fraction": (reconfigure("<memoryMB>1.5</memoryMB>"), 'Cannot parse "1.5" as a long value'),
    "a word for a boolean": (
        call("CreateSnapshot_Task", f"{VM}<name>a</name><memory>yes</memory><quiesce>false</quiesce>"),
        'Cannot parse "yes" as a boolean value',
    ),
    "an empty number": (reconfigure("<numCPUs/>"), 'Cannot parse "" as an int value'),
    "a word that an enumeration lacks": (
        cluster("<drsConfig><defaultVmBehavior>lazy</defaultVmBehavior></drsConfig>"),
        'Cannot parse "lazy" as a DrsBehavior value',
    ),
}


def test_the_table_of_types_is_current():
    schema = lab.ROOT / "tests" / "simulator" / "src" / "schema"
    assert runpy.run_path(str(schema / "generate.py"))["table"]() == (schema / "types.txt").read_text(), "run generate.py"


@pytest.mark.parametrize("what", NONSENSE)
def test_invalid_requests_are_rejected(raw, what):
    raw = raw()
    body, *kind, words = NONSENSE[what]
    before = raw.lab.state()
    answer = raw.post(body)
    assert (answer.status, answer.kind, answer.code) == (500, *(kind or ["InvalidRequest"]), "ServerFaultCode"), answer.text
    assert words in answer.said
    after = raw.lab.state()
    assert after == before


def test_the_fault_names_its_place(raw):
    answer = raw().post(reconfigure(f"<name>a</name>{EXTRA.format(1)}<nonsense/>"))
    trail = [part.replace("\n", " ") for part in answer.said.split("\n\n")]
    assert trail[0] == 'Unexpected element tag "nonsense" seen'
    assert trail[1].startswith("while parsing serialized DataObject of type VirtualMachineConfigSpec at line 3, column ")
    assert trail[2].startswith("while parsing call information for method ReconfigVM_Task at line 3, column ")
    assert trail[3].startswith("while parsing SOAP body at line 3, column ")
    assert trail[4] == "while parsing SOAP envelope at line 2, column 0"
    assert trail[5] == (
        "while parsing HTTP request for method ReconfigVM_Task on object of type VirtualMachine at line 1, column 0"
    )


@pytest.mark.parametrize(
    "personality, action, right",
    [
        ("5.0", '"urn:vim25/5.0"', True),
        ("5.0", "urn:vim25/4.1", True),
        ("5.0", "urn:vim25", True),
        ("5.0", "", True),
        ("5.0", None, True),
        ("5.0", "urn:vim25/5.1", False),
        ("5.0", "urn:vim25/9.1.0.0", False),
        ("5.0", "urn:vim25/", False),
        ("5.0", "urn:vim25/five", False),
        ("5.0", "urn:pbm/5.0", False),
        ("6.7", "urn:vim25/6.7.3", True),
        ("6.7", "urn:vim25/6.7.4", False),
        ("6.7", "urn:vim25/7.0.0.0", False),
        ("8.0", "urn:vim25/8.0.2.0", True),
        ("8.0", "urn:vim25/uA046D008", True),
        ("8.0", "urn:vim25/8.0.3.0", False),
    ],
)
def test_unsupported_versions_are_rejected(raw, personality, action, right):
    answer = raw(personality).post(
        call("CurrentTime", '<_this type="ServiceInstance">ServiceInstance</_this>'), action=action
    )
    if right:
        assert answer.status == 200, answer.text
    else:
        assert (answer.status, answer.code, answer.kind) == (500, "VersionMismatchFaultCode", "InvalidRequest")
        assert answer.said == f'Unsupported version URI "{action}"'


@pytest.mark.parametrize(
    "body",
    [
        reconfigure("", ' xsi:type="VirtualMachineConfigSpec"'),
        reconfigure("", ' xmlns:v="urn:vim25" xsi:type="v:VirtualMachineConfigSpec"'),
        reconfigure(EXTRA.format("<![CDATA[<&>]]> &#9;&amp;&#x20AC;") + EXTRA.format(2)),
        reconfigure("<!-- a comment -->\n <name>inner</name>\n"),
        update(INT.format(" 30 ")),
        retrieve(
            NAME, f"{ROOT}<selectSet xsi:type='TraversalSpec'>{CHILDREN}<selectSet><name>children</name></selectSet></selectSet>"
        ),
        retrieve("<type>ManagedEntity</type><all>1</all>", INNER, "<options><maxObjects> +5 </maxObjects></options>"),
    ],
)
def test_valid_requests_are_accepted(raw, body):
    answer = raw().post(body, header="<e:Header><operationID>x</operationID></e:Header>")
    assert answer.status == 200, answer.text


@pytest.mark.parametrize("personality, early", [("5.0", True), ("6.7", False), ("8.0", False)])
def test_the_cookie_has_the_format_of_the_release(raw, personality, early):
    content = call("RetrieveServiceContent", '<_this type="ServiceInstance">ServiceInstance</_this>')
    time = call("CurrentTime", '<_this type="ServiceInstance">ServiceInstance</_this>')
    one = raw(personality)
    login = f"<userName>{one.lab.facts['username']}</userName><password>{{}}</password>"
    login = call("Login", f'<_this type="SessionManager">SessionManager</_this>{login}')
    right, wrong = login.format(one.lab.facts["password"]), login.format("wrong")

    one.cookie = None
    first = one.post(content)
    assert bool(first.cookie) == early
    one.cookie = first.cookie or None
    assert one.post(wrong).kind == "InvalidLogin"
    second = one.post(right)
    assert second.status == 200
    assert bool(second.cookie) != early
    one.cookie = second.cookie or first.cookie
    assert one.post(time).status == 200 and not one.post(time).cookie
    # A cookie that the server did not set opens no session under that name.
    one.cookie = 'vmware_soap_session="made-up"'
    third = one.post(right)
    assert third.status == 200 and third.cookie and third.cookie != one.cookie


def test_an_injected_fault_has_the_required_fields(raw):
    one = raw()
    one.lab.inject(method="CreateSecondaryVM_Task", fault="PowerOnFtSecondaryFailed")
    answer = one.post(call("CreateSecondaryVM_Task", VM))
    assert '<vm type="VirtualMachine">vm-63</vm><vmName></vmName>' in answer.text


def test_the_cost_grows_linearly_with_the_inventory(simulator, connect):
    def ran(one):
        # Nanoseconds of CPU time of the simulator's only thread.
        return int(pathlib.Path(f"/proc/{one._process.pid}/schedstat").read_text().split()[0])

    def cost(hosts):
        one = simulator(hosts=hosts, http=True)
        start = ran(one)
        client = connect(one)
        names = [host.name for host in client.all(vim.HostSystem)]
        for moid in one.facts["host_moids"]:
            manager = vim.option.OptionManager(f"EsxHostAdvSettings-{moid.partition('-')[2]}", client.si._stub)
            assert manager.QueryOptions("Migrate.NetTimeout")
        assert len(names) == hosts
        return ran(one) - start

    few, many = cost(400), cost(1600)
    # With a cost that grows quadratically, it would be sixteen times.
    assert many < 10 * few, f"four times the hosts cost {many / few:.1f} times the work"
