"""Servers that send too much, too slowly or without end. A run must stay small, end in time and say what happened.

modules/lib/vsphere/README.md lists the limits.
"""

from __future__ import annotations

import functools
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from hostile import fault, http, serve, soap
from modules import Result, binary, environment, judge

TIMEOUT = 5
# After the deadline, a run has five seconds to find out how far it got. The rest is slack for a busy machine.
SECONDS = TIMEOUT + 5 + 2
PEAK_MB = 300
LINE = 100_000
MB = 1_000_000


def page(method: str, objects: str, token: object = "") -> bytes:
    """Returns a page of results. With a token, more pages follow."""
    return soap(method, f"<returnval><token>{token}</token>{objects}</returnval>")


def vm(number: object, properties: str = "", name: str = "vm") -> str:
    named = f'<propSet><name>name</name><val xsi:type="xsd:string">{name}</val></propSet>'
    return f'<objects><obj type="VirtualMachine">vm-{number}</obj>{named}{properties}</objects>'


def once(make: Callable[[], bytes]):
    """Answers always the same. The answer is created on first use."""
    made = functools.cache(make)
    return lambda _method, _count: made()


def inside(make: Callable[[], str]):
    """Returns one large page."""
    return once(lambda: page("RetrievePropertiesEx", make()))


def many_pages(method, count):
    return page(method, "".join(vm(f"{count}-{number}") for number in range(1000)), count)


def growing_object(method, count):
    return page(method, vm(1, f"<propSet><name>p{count}</name><val>{'x' * 900_000}</val></propSet>"), count)


def slow_pages(method, count):
    time.sleep(2)
    return page(method, "", count)


def trickle(method, _count):
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    while True:
        yield b" "
        time.sleep(0.05)


def endless_chunks(_method, _count):
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield from itertools.repeat(b"1\r\n \r\n" * 1000)


def endless_headers(_method, _count):
    yield b"HTTP/1.1 200 OK\r\n"
    yield from itertools.repeat(b"X-More: " + b"x" * 1000 + b"\r\n")


def endless_hints(_method, _count):
    yield from itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 100)


def fault_of(part: str, count: int):
    start = '<faultstring>No.</faultstring><detail><NoPermissionFault xsi:type="NoPermission">'
    return once(lambda: fault(start + part * count + "</NoPermissionFault></detail>"))


MISSING = '<missingSet><path>p</path><fault><fault xsi:type="NoPermission"/></fault></missingSet>'
CAUSE = '<cause><fault xsi:type="NotFound"><a>1</a></fault><localizedMessage>x</localizedMessage></cause>'
LONG_MESSAGE = f"<faultMessage><key>k</key><message>{'é' * 100_000}</message></faultMessage>"
PRIVILEGE = "<privilegeId>Some.Privilege</privilegeId>"
REDIRECT = f"HTTP/1.1 302 Found\r\nLocation: https://{'x.' * 30_000}example/\r\nContent-Length: 0\r\n\r\n".encode()
READ = "RetrievePropertiesEx"

def long_paths(method, count):
    missing = MISSING.replace("<path>p", f"<path>{'p' * MB}"[:-1])
    return page(method, f'<objects><obj type="VirtualMachine">vm-1</obj>{missing * 25}</objects>', str(count))


def long_ids(method, count):
    tail = "x" * (MB - 100)
    objects = (f'<objects><obj type="VirtualMachine">vm-{count}-{n}{tail}</obj></objects>' for n in range(25))
    return page(method, "".join(objects), str(count))


# The server's answer to a read, the error kind (if several are correct, all of them), and a part of the message.
CASES = {
    "pages without end": (many_pages, "connection timeout", READ),
    "an object that grows": (growing_object, "connection", "larger than 64 MiB"),
    "pages of missing properties with long paths": (long_paths, "connection", "larger than 64 MiB"),
    "pages of objects with long ids": (long_ids, "connection", "larger than 64 MiB"),
    "the same page again": (lambda method, _: page(method, vm(1), "same"), "connection", "same page token"),
    "empty pages, each after 2 s": (slow_pages, "timeout", READ),
    "empty pages at once": (lambda method, count: page(method, "", count), "connection timeout", READ),
    "63 MB of empty elements": (inside(lambda: "<a/>" * 16_500_000), "connection", "larger than 64 MiB"),
    "63 MB of small elements": (inside(lambda: "<a>1</a>" * 8_250_000), "connection", "larger than 64 MiB"),
    "63 MB of nested pairs": (inside(lambda: "<a><b/></a>" * 6_000_000), "connection", "larger than 64 MiB"),
    "63 MB of names": (inside(lambda: "".join(f"<a{n:x}/>" for n in range(6_500_000))), "connection", "larger than 64 MiB"),
    "60 MB of text": (inside(lambda: "<a>" + "x" * 60 * MB + "</a>"), "connection", "text of more than 1 MiB"),
    "60 MB of escaped text": (inside(lambda: "<a>" + "&lt;" * 15 * MB + "</a>"), "connection", "text of more than 1 MiB"),
    "60 MB of long names": (inside(lambda: "".join(vm(n, name="x" * 900_000) for n in range(66))), "not_found", "inner"),
    "60 MB of virtual machines": (inside(lambda: "".join(map(vm, range(360_000)))), "connection", "larger than 64 MiB"),
    "60 MB of missing properties": (inside(lambda: vm(1, MISSING * 680_000)), "connection", "larger than 64 MiB"),
    "60 MB in one attribute": (inside(lambda: f'<a b="{"x" * 60 * MB}"/>'), "not_found", "inner"),
    "60 MB of attributes": (
        inside(lambda: "<a " + " ".join(f'b{n}=""' for n in range(5_000_000)) + "/>"),
        "connection",
        "too many attributes",
    ),
    "60 MB of nesting": (inside(lambda: "<a>" * 20_000_000), "connection", "nested too deeply"),
    "60 MB that are no text": (once(lambda: http(b"\xff" * 60 * MB)), "connection", "not one of the vSphere API"),
    "65 MB": (once(lambda: http(b" " * 68 * MB)), "connection", "larger than 64 MiB"),
    "a fault of 30 MB text": (once(lambda: fault(f"<faultstring>{'x' * 30 * MB}</faultstring>")), "connection", "500"),
    "a fault of long texts": (fault_of(LONG_MESSAGE, 150), "permission", "NoPermission"),
    "a fault of many fields": (fault_of(PRIVILEGE, 500_000), "permission", "NoPermission"),
    "a fault of many causes": (fault_of(CAUSE, 100_000), "permission", "NoPermission"),
    "the answer to another method": (once(lambda: soap("Login", "<returnval/>")), "connection", "`LoginResponse`"),
    "a body that trickles": (trickle, "timeout", READ),
    "tiny chunks without end": (endless_chunks, "connection timeout", ""),
    "headers without end": (endless_headers, "connection", ""),
    "hints without end": (endless_hints, "connection timeout", ""),
    "a redirect to a long name": (once(lambda: REDIRECT), "connection", "redirect"),
}

# Runs between this process and a module: a child's peak memory begins with its parent's, which is large here.
MEASURE = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(child.pid, 0)
print(usage.ru_maxrss // 1024, usage.ru_utime + usage.ru_stime, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""


def run(name: str, args: dict) -> tuple[Result, float, int]:
    """Runs a module. Returns its result, the duration in seconds and the peak memory in MB."""
    start = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", MEASURE, binary(name)],
        input=json.dumps(args).encode(),
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    seconds = time.monotonic() - start
    peak, processor = ended.stderr.split()[-2:]
    print(f"{seconds:.1f} s, {float(processor):.1f} s of the processor, {int(peak)} MB, {len(ended.stdout)} bytes")
    return judge(name, args, ended.returncode, ended.stdout, b"", "stdin"), seconds, int(peak)


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_server(case):
    answer, kinds, says = CASES[case]
    with serve(answer) as (connection, methods):
        args = connection | {"name": "inner", "state": "powered_on", "timeout": TIMEOUT}
        result, seconds, peak = run("vm_power", args)
    assert result.kind in kinds.split() and says in result.msg, result.msg
    assert not result.changed and len(result.stdout) < LINE
    assert peak <= PEAK_MB
    assert seconds <= SECONDS
    assert methods[-1] == "Logout"


def test_a_server_that_takes_four_seconds_for_every_answer():
    with serve(lambda method, _: page(method, vm(1)), delay=4) as (connection, methods):
        args = connection | {"name": "inner", "state": "powered_on", "timeout": TIMEOUT}
        result, seconds, _ = run("vm_power", args)
    assert result.kind == "timeout" and not result.changed
    assert seconds <= SECONDS


def test_sixteen_large_answers_at_once():
    """The limit applies to the answers to all requests of a run together."""
    hosts = [f"esxi{number:02}" for number in range(16)]
    manager = '<propSet><name>configManager.advancedOption</name><val type="OptionManager">o</val></propSet>'
    known = "".join(
        f'<objects><obj type="HostSystem">{name}</obj><propSet><name>name</name><val>{name}</val></propSet>{manager}</objects>'
        for name in hosts
    )
    option = "<returnval><key>Some.Option</key><value>1</value></returnval>"
    large = soap("QueryOptions", option * 600_000)
    with serve(lambda method, _: large if method == "QueryOptions" else page(method, known)) as (connection, _):
        args = connection | {"esxi_hostname": hosts, "options": {"Some.Option": 1}, "timeout": 30}
        result, _, peak = run("host_option", args)
    assert result.kind == "connection" and "larger than 64 MiB" in result.msg
    assert peak <= PEAK_MB


HOST = '<objects><obj type="HostSystem">host-{0}</obj><propSet><name>name</name><val>esxi{0}</val></propSet>{1}</objects>'
CLUSTER = '<objects><obj type="ClusterComputeResource">c1</obj><propSet><name>name</name><val>lab</val></propSet></objects>'
HIDDEN = "".join(
    f'<missingSet><path>{path}</path><fault><fault xsi:type="NoPermission"><privilegeId>{"y" * 1000}</privilegeId></fault>'
    "</fault></missingSet>"
    for path in ("runtime.connectionState", "runtime.inMaintenanceMode", "runtime.powerState", "capability", "summary.config")
)


@pytest.mark.parametrize(
    ("count", "properties", "says"),
    [(60_000, "", "the cluster has 60000 hosts"), (2_000, HIDDEN, "")],
    ids=["a cluster of 60,000 hosts", "hosts that hide everything for long reasons"],
)
def test_a_large_cluster(count, properties, says):
    cluster = CLUSTER + "".join(HOST.format(number, properties) for number in range(count))
    with serve(inside(lambda: cluster)) as (connection, _):
        result, _, peak = run("ft_readiness", connection | {"cluster_name": "lab", "timeout": 30})
    assert says in result.msg
    assert peak <= PEAK_MB


def test_the_memory_of_ft_readiness_grows_slowly_with_the_cluster(simulator):
    """A page of hosts is held at a time, and the report is written without a copy in memory."""
    peaks = []
    for hosts in (100, 1100):
        lab = simulator(personality="6.7", scenario="healthy", hosts=hosts)
        args = {key: lab.facts[key] for key in ("hostname", "port", "username", "password", "thumbprint")}
        result, _, peak = run("ft_readiness", args | {"cluster_name": lab.facts["cluster"]})
        assert len(result.json["checks"]) > 6 * hosts
        peaks.append(peak)
    assert peaks[1] - peaks[0] <= 20, peaks
