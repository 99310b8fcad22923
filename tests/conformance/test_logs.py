"""Logs with pyvmomi and plain GET: host logs by line, VM logs as files, and the entries of a failed start."""

import re

import pytest
from pyVmomi import vim, vmodl

END = 2**31 - 1
KEEPALIVE = "failed to read stream keepalive: Connection closed by remote host, possibly due to timeout"
VMX_PREFIX = {
    "5.0": r"\S+Z\| vcpu-0\| ",
    "6.7": r"\S+Z\| vcpu-0\| W115: ",
    "8.0": r"\S+Z Wa\(03\) vcpu-0 - ",
}
KERNEL_PREFIX = {
    "5.0": r"\S+Z cpu\d+:\d+\)WARNING: ",
    "6.7": r"\S+Z cpu\d+:\d+\)WARNING: ",
    "8.0": r"\S+Z Wa\(180\) vmkernel: cpu\d+:\d+\)WARNING: ",
}


def hosts(client):
    return sorted(client.all(vim.HostSystem), key=lambda host: host.name)


def fail(running, client, personality):
    """Produces the article's failed start. 8.0 has no such failure, so the log lines are only written."""
    vm = client.vm()
    if personality == "5.0":
        client.allow_replay(vm)
    client.run(vm.CreateSecondaryVM_Task())
    if personality == "8.0":
        running.set("vm-63", broken_stream=True)


@pytest.mark.parametrize("personality", VMX_PREFIX)
def test_a_failed_start_is_in_every_relevant_log(simulator, connect, personality):
    running = simulator(personality=personality, scenario="article")
    client = connect(running)
    fail(running, client, personality)
    log = client.get("/folder/inner/vmware.log").text
    first, second, third = [line for line in log.splitlines() if "closed by remote host" in line]
    prefix = VMX_PREFIX[personality]
    migration = r"\[vob.vmotion.stream.keepalive.read.fail\] vMotion migration \[ac1e0050:(\d{16})\] "
    found = re.fullmatch(prefix + migration + KEEPALIVE, first)
    assert found, first
    closed = "Connection closed by remote host, possibly due to timeout"
    assert re.match(prefix + re.escape("[msg.checkpoint.precopyfailure] Migration to host <> failed"), second)
    assert second.endswith(f"{closed} (0xbad003f).")
    assert re.fullmatch(prefix + re.escape(f"Migrate: secondary failure during migration: error {closed}."), third)
    # The secondary of SMP-FT has its own directory, with its own log.
    twin = client.get("/folder/inner_1/vmware.log")
    assert (twin.status, KEEPALIVE in twin.text) == ((404, False) if personality == "5.0" else (200, True))
    manager = client.content.diagnosticManager
    for host, side in zip(hosts(client), "SD", strict=True):
        lines = list(manager.BrowseDiagnosticLog(host, "vmkernel").lineText)
        told = [line for line in lines if found[1] in line]
        assert len(lines) > len(told) == 4, lines
        pattern = KERNEL_PREFIX[personality] + rf"VMotion: 3680: {found[1]} {side}: {KEEPALIVE}"
        assert [line for line in told if re.fullmatch(pattern, line)], told
        assert told[-1].endswith("It is most likely a timeout, but check the VMX log for the true error.")
        assert "src ip = <172.30.0.80> dest ip = <172.30.1.80>" in told[0]


@pytest.mark.parametrize("direct, most", [(False, 500), (True, 1000)])
def test_host_logs_are_read_by_lines(simulator, connect, direct, most):
    running = simulator(personality="6.7", direct=direct, log_lines=2000)
    client = connect(running)
    manager = client.content.diagnosticManager
    host = None if direct else hosts(client)[0]
    logs = {log.key: log for log in manager.QueryDescriptions(host)}
    assert list(logs) == ["hostd", "vmkernel", "vpxa"]
    log = logs["vmkernel"]
    assert (log.fileName, log.creator, log.format) == ("/var/log/vmkernel.log", "vmkernel", "plain")
    last = manager.BrowseDiagnosticLog(host, "vmkernel", start=END).lineEnd
    assert last == 2010
    cases = [
        ({}, (1, most)),
        ({"start": 1, "lines": 5}, (1, 5)),
        ({"start": 2, "lines": 1}, (2, 2)),
        ({"start": 1, "lines": 5000}, (1, most)),
        ({"start": last, "lines": 10}, (last, last)),
        ({"start": last - 2}, (last - 2, last)),
        ({"start": END}, (last + 1, last)),
    ]
    for arguments, (first, end) in cases:
        header = manager.BrowseDiagnosticLog(host, "vmkernel", **arguments)
        assert (header.lineStart, header.lineEnd, len(header.lineText)) == (first, end, end - first + 1), arguments
    with pytest.raises(vmodl.fault.InvalidArgument):
        manager.BrowseDiagnosticLog(host, "nonsense")


def test_other_logs(simulator, connect):
    running = simulator(personality="5.0")
    client = connect(running)
    manager = client.content.diagnosticManager
    assert [log.key for log in manager.QueryDescriptions()] == ["vpxd:vpxd.log"]
    first, second = hosts(client)
    running.set("host-20", vmkernel_key="messages", vmkernel_log=["one", "two"])
    assert [log.key for log in manager.QueryDescriptions(first)] == ["hostd", "messages", "vpxa"]
    assert list(manager.BrowseDiagnosticLog(first, "messages").lineText) == ["one", "two"]
    with pytest.raises(vmodl.fault.InvalidArgument):
        manager.BrowseDiagnosticLog(first, "vmkernel")
    running.set("host-30", connection="notResponding")
    with pytest.raises(vmodl.fault.HostNotConnected):
        manager.BrowseDiagnosticLog(second, "vmkernel")


def test_files_need_a_session(simulator, connect):
    running = simulator(scenario="article")
    client = connect(running)
    path = "/folder/inner/vmware.log"
    assert client.get(path, cookie=False).status == 401
    cases = [
        (path, {}, 200),
        (path, {"dcPath": "/Lab/"}, 200),
        (path, {"dcPath": "Other"}, 404),
        (path, {"dsName": "local"}, 404),
        (path, {"dcPath": None}, 404),
        (path, {"dsName": None}, 404),
        ("/folder/inner/vmware-9.log", {}, 404),
        ("/folder/nobody/vmware.log", {}, 404),
        ("/folder/inner/inner.vmx", {}, 200),
    ]
    for where, query, status in cases:
        assert client.get(where, **query).status == status, (where, query)
    running.inject(method="GET", object=path, fault="NoPermission")
    assert [client.get(path).status for _ in range(2)] == [403, 200]
    seen = [(line["object"], line["status"]) for line in running.log() if line["method"] == "GET"]
    assert seen[:2] == [(path, "401"), (path, "200")]


def test_directories_are_listed(simulator, connect):
    running = simulator(personality="8.0", scenario="healthy")
    client = connect(running)

    def names(path, **query):
        return re.findall(r">([^<>]+)</a>", client.get(path, **query).text)

    assert names("/folder", dcPath=None, dsName=None) == ["Lab"]
    assert names("/folder", dsName=None) == ["shared01"]
    assert names("/folder") == ["inner/", "other/", "template01/"]
    for path in ("/folder/inner", "/folder/inner/"):
        assert names(path) == ["inner.vmx", "vmware-1.log", "vmware.log"]
    link = re.findall(r'href="([^"?]+)\?', client.get("/folder/inner").text)[-1]
    assert client.get(link).status == 200
    client.run(client.vm().CreateSecondaryVM_Task())
    assert "inner_1/" in names("/folder") and names("/folder/inner_1") == ["inner.vmx", "vmware.log"]


def test_ranges_of_a_file(simulator, connect):
    client = connect(simulator(personality="6.7", log_lines=3000))
    path = "/folder/inner/vmware.log"
    text = client.get(path).text
    size = len(text)
    assert len(text.splitlines()) > 3000
    cases = [
        ("bytes=-20", 206, text[-20:], f"bytes {size - 20}-{size - 1}/{size}"),
        (f"bytes=-{size + 5}", 206, text, f"bytes 0-{size - 1}/{size}"),
        ("bytes=5-9", 206, text[5:10], f"bytes 5-9/{size}"),
        (f"bytes={size - 3}-{size + 50}", 206, text[-3:], f"bytes {size - 3}-{size - 1}/{size}"),
        ("bytes=100-", 206, text[100:], f"bytes 100-{size - 1}/{size}"),
        (f"bytes={size}-", 416, "", f"bytes */{size}"),
        ("bytes=-0", 416, "", f"bytes */{size}"),
        ("bytes=9-5", 200, text, None),
    ]
    for asked, status, part, said in cases:
        answer = client.get(path, Range=asked)
        assert (answer.status, answer.text, answer.headers["Content-Range"]) == (status, part, said), asked


def test_a_power_cycle_rotates_vmware_log(simulator, connect):
    running = simulator(scenario="article")
    client = connect(running)
    fail(running, client, "5.0")
    vm = client.vm()
    client.run(vm.TurnOffFaultToleranceForVM_Task())
    client.run(vm.PowerOffVM_Task())
    assert KEEPALIVE in client.get("/folder/inner/vmware.log").text
    client.run(vm.PowerOnVM_Task())
    now = client.get("/folder/inner/vmware.log").text
    assert "Log for VMware ESX" in now and KEEPALIVE not in now
    # Setting the options rotated one more, and one existed from the start.
    assert KEEPALIVE in client.get("/folder/inner/vmware-3.log").text
    assert KEEPALIVE not in client.get("/folder/inner/vmware-2.log").text
    # The virtual machine lists all of them with their sizes.
    files = {file.name: file for file in vm.layoutEx.file}
    logs = {name: file for name, file in files.items() if file.type == "log"}
    assert set(logs) == {f"[shared01] inner/vmware{number}.log" for number in ("", "-1", "-2", "-3")}
    for name, file in logs.items():
        assert file.size == len(client.get(f"/folder/{name.removeprefix('[shared01] ')}").text.encode())
    assert files["[shared01] inner/inner.vmx"].type == "config"
    assert len({file.key for file in files.values()}) == len(files)


def test_tests_can_set_the_logs(simulator, connect):
    running = simulator(personality="8.0")
    client = connect(running)
    running.set("vm-63", vmware_log=["a", "b"], rotated_logs={"4": ["old"]})
    running.set("vm-63", log_lines=10)
    assert client.get("/folder/inner/vmware.log").text.startswith("a\nb\n2")
    assert client.get("/folder/inner/vmware-4.log").text == "old\n"
    running.set("host-20", log_lines=7)
    assert client.content.diagnosticManager.BrowseDiagnosticLog(hosts(client)[0], "vmkernel", start=END).lineEnd == 17
