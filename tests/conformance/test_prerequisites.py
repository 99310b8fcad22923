"""The requirements of FT with pyvmomi: each missing one has its symptom, and FT turns on after it is fixed."""

import subprocess

import lab
import pytest
from pyVmomi import vim, vmodl

FT_LOGGING = "faultToleranceLogging"


def hosts(client):
    return sorted(client.all(vim.HostSystem), key=lambda host: host.name)


def cluster(client):
    return client.all(vim.ClusterComputeResource)[0]


def select(host, service, device):
    host.configManager.virtualNicManager.SelectVnicForNicType(service, device)


def turn_on(client, vm):
    """Turns FT on. Returns the reason or the fault's name if that fails, or else None."""
    new = hasattr(vm, "CreateSecondaryVMEx_Task") and client.content.about.apiVersion != "5.0"
    try:
        client.run(vm.CreateSecondaryVMEx_Task() if new else vm.CreateSecondaryVM_Task())
    except vim.fault.VmFaultToleranceConfigIssue as fault:
        return fault.reason
    except vmodl.MethodFault as fault:
        return type(fault).__name__.rsplit(".", 1)[-1]
    return None


def issues(client, vm):
    """Returns the reasons that the VM itself reports."""
    new = client.content.about.apiVersion != "5.0"
    found = vm.QueryFaultToleranceCompatibilityEx() if new else vm.QueryFaultToleranceCompatibility()
    return [issue.reason for issue in found]


def enable_ha(client, **das):
    spec = vim.cluster.ConfigSpecEx(dasConfig=vim.cluster.DasConfigInfo(enabled=True, **das))
    client.run(cluster(client).ReconfigureComputeResource_Task(spec, True))


def switch(vm, client, power):
    client.run(vm.PowerOnVM_Task() if power else vm.PowerOffVM_Task())


def mend_no_ft_nic(client, vm):
    select(hosts(client)[1], FT_LOGGING, "vmk1")


def mend_thin_disk(client, vm):
    switch(vm, client, False)


def mend_nested_hv(client, vm):
    with pytest.raises(vim.fault.InvalidPowerState):
        vm.ReconfigVM_Task(vim.vm.ConfigSpec(nestedHVEnabled=False))
    switch(vm, client, False)
    client.run(vm.ReconfigVM_Task(vim.vm.ConfigSpec(nestedHVEnabled=False)))
    switch(vm, client, True)


def mend_snapshot(client, vm):
    client.run(vm.RemoveAllSnapshots_Task())
    assert vm.snapshot is None


@pytest.mark.parametrize(
    "personality, scenario, problem, query, mend",
    [
        ("5.0", "no-ft-nic", "NoHostSuitableForFtSecondary", [], mend_no_ft_nic),
        ("6.7", "no-ft-nic", "NoHostSuitableForFtSecondary", [], mend_no_ft_nic),
        ("5.0", "thin-disk", "thinDisk", ["thinDisk"], mend_thin_disk),
        ("6.7", "nested-hv", "hasNestedHVConfiguration", ["hasNestedHVConfiguration"], mend_nested_hv),
        ("8.0", "nested-hv", "hasNestedHVConfiguration", ["hasNestedHVConfiguration"], mend_nested_hv),
        ("5.0", "snapshot", "hasSnapshots", ["hasSnapshots"], mend_snapshot),
        ("8.0", "snapshot", "hasSnapshots", ["hasSnapshots"], mend_snapshot),
    ],
)
def test_one_missing_requirement(simulator, connect, personality, scenario, problem, query, mend):
    client = connect(simulator(personality=personality, scenario=scenario))
    vm = client.vm()
    if personality == "5.0":
        client.allow_replay(vm)
    assert issues(client, vm) == query
    assert turn_on(client, vm) == problem and vm.runtime.faultToleranceState == "notConfigured"
    mend(client, vm)
    assert issues(client, vm) == [] and turn_on(client, vm) is None
    if vm.runtime.powerState == "poweredOff":
        switch(vm, client, True)
    client.wait(vm, "running")


def kind_of_disk(vm):
    (disk,) = (device for device in vm.config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk))
    return disk.backing.thinProvisioned, disk.backing.eagerlyScrub


def test_only_5_0_converts_a_thin_disk(simulator, connect):
    for personality, after in (("5.0", (False, True)), ("6.7", (True, False))):
        client = connect(simulator(personality=personality, scenario="thin-disk"))
        vm = client.vm()
        assert kind_of_disk(vm) == (True, False)
        if personality == "5.0":
            switch(vm, client, False)
            client.allow_replay(vm)
        assert turn_on(client, vm) is None
        assert kind_of_disk(vm) == after


def test_5_0_has_no_scenario_nested_hv():
    done = subprocess.run(
        [lab.binary(), "--personality", "5.0", "--scenario", "nested-hv"], capture_output=True, text=True, timeout=10
    )
    assert done.returncode == 2 and "nested-hv" in done.stderr and not done.stdout


def test_from_a_bare_cluster_to_a_protected_vm(simulator, connect):
    client = connect(simulator(personality="5.0", scenario="bare"))
    vm = client.vm()
    for host in hosts(client):
        words = list(host.capability.ftCompatibilityIssues)
        assert words == ["haAgentIssue", "missingVMotionNic", "missingFTLoggingNic"]
        assert not host.capability.ftSupported and host.runtime.dasHostState is None
        assert not host.summary.config.vmotionEnabled and not host.summary.config.faultToleranceEnabled
    walk = [
        ("NotSupported", lambda: enable_ha(client)),
        ("recordReplayNotSupported", lambda: client.allow_replay(vm)),
        ("missingVMotionNic", lambda: [select(host, "vmotion", "vmk2") for host in hosts(client)]),
        ("missingFTLoggingNic", lambda: [select(host, FT_LOGGING, "vmk2") for host in hosts(client)]),
    ]
    for problem, mend in walk:
        assert turn_on(client, vm) == problem
        mend()
    assert all(host.capability.ftSupported for host in hosts(client))
    # The only remaining problem is the article's failure.
    assert turn_on(client, vm) is None and vm.runtime.faultToleranceState == "needSecondary"
    client.disable_streams(0, 1)
    client.wait(vm, "running")


@pytest.mark.parametrize("personality", ["6.7", "8.0"])
def test_a_current_bare_cluster(simulator, connect, personality):
    client = connect(simulator(personality=personality, scenario="bare"))
    vm = client.vm()
    capability = hosts(client)[0].capability
    missing = ["missingVMotionNic", "missingFTLoggingNic"]
    assert list(capability.smpFtCompatibilityIssues) == ["haAgentIssue", *missing] and not capability.smpFtSupported
    assert list(capability.ftCompatibilityIssues) == ["haAgentIssue", "incompatibleProduct", *missing]
    assert not capability.ftSupported and capability.replayUnsupportedReason == "incompatibleProduct"
    enable_ha(client)
    for host in hosts(client):
        select(host, "vmotion", "vmk0")
        select(host, FT_LOGGING, "vmk1")
    if personality == "6.7":
        client.disable_streams(0, 1)
    assert turn_on(client, vm) is None
    client.wait(vm, "running")
    # The old flag stays false on every modern host.
    assert hosts(client)[0].capability.smpFtSupported and not hosts(client)[0].capability.ftSupported


@pytest.mark.parametrize(
    "personality, target, state, problem",
    [
        ("8.0", "host-20", {"agent": "initializationError"}, "haAgentIssue"),
        ("8.0", "host-30", {"agent": "initializationError"}, "NoHostSuitableForFtSecondary"),
        ("8.0", "host-20", {"issues": ["incompatibleProduct2030"]}, "incompatibleProduct2030"),
        ("8.0", "host-30", {"feature_version": "7.0.0"}, "NoHostSuitableForFtSecondary"),
        ("8.0", "host-30", {"maintenance": True}, "NoHostSuitableForFtSecondary"),
        ("8.0", "host-30", {"connection": "disconnected"}, "NoHostSuitableForFtSecondary"),
        ("8.0", "host-30", {"build": "1"}, None),
        ("8.0", "vm-63", {"cpus": 9}, "tooManyVCPUs"),
        ("8.0", "vm-63", {"memory": 131073}, "tooMuchMemory"),
        ("8.0", "vm-63", {"vbs": True}, "hasNestedHVConfiguration"),
        ("8.0", "vm-63", {"firmware": "efi"}, None),
        ("8.0", "vm-63", {"removed_devices": [3000], "added_devices": ["VirtualUSBController"]}, None),
        ("8.0", "datastore-11", {"shared": False}, "hasLocalDisk"),
        ("5.0", "vm-63", {"cpus": 2}, "multipleVCPU"),
        ("5.0", "vm-63", {"firmware": "efi"}, "hasEFIFirmware"),
    ],
)
def test_the_state_that_tests_can_set(simulator, connect, personality, target, state, problem):
    running = simulator(personality=personality, scenario="healthy")
    client = connect(running)
    vm = client.vm()
    if personality == "5.0":
        client.allow_replay(vm)
    running.set(target, **state)
    assert turn_on(client, vm) == problem


def test_the_properties_of_a_vm(simulator, connect):
    for personality, version, card in (
        ("5.0", "vmx-08", vim.vm.device.VirtualE1000),
        ("6.7", "vmx-14", vim.vm.device.VirtualVmxnet3),
        ("8.0", "vmx-20", vim.vm.device.VirtualVmxnet3),
    ):
        running = simulator(personality=personality, scenario="healthy")
        client = connect(running)
        vm = client.vm()
        config = vm.config
        assert (config.hardware.numCPU, config.hardware.memoryMB) == (1, 512)
        assert (config.version, config.firmware) == (version, "bios")
        assert config.nestedHVEnabled is (None if personality == "5.0" else False)
        assert config.flags.vbsEnabled is (None if personality == "5.0" else False)
        files = config.files
        assert (files.vmPathName, files.logDirectory) == ("[shared01] inner/inner.vmx", "[shared01] inner/")
        devices = {device.key: device for device in config.hardware.device}
        disk = devices[2000].backing
        assert isinstance(disk, vim.vm.device.VirtualDisk.FlatVer2BackingInfo) and disk.diskMode == "persistent"
        assert (disk.fileName, disk.datastore.name) == ("[shared01] inner/inner.vmdk", "shared01")
        assert devices[2000].controllerKey == 1000 and list(devices[1000].device) == [2000]
        assert isinstance(devices[4000], card) and devices[4000].backing.network.name == "VM Network"
        assert isinstance(devices[3000].backing, vim.vm.device.VirtualCdrom.RemotePassthroughBackingInfo)
        assert [store.name for store in vm.datastore] == ["shared01"] and vm.network[0].name == "VM Network"
        assert vm.snapshot is None and vm.runtime.dasVmProtection.dasProtected
        assert vm.resourceConfig.memoryAllocation.reservation == 0
        running.set("vm-63", cdrom="iso", disk={"rdm": "physicalMode"}, added_devices=["VirtualUSB"])
        devices = {device.key: device for device in vm.config.hardware.device}
        assert devices[3000].backing.fileName == "[shared01] iso/linux.iso"
        assert devices[2000].backing.compatibilityMode == "physicalMode"
        assert isinstance(devices[7000], vim.vm.device.VirtualUSB)
        running.set("vm-63", cdrom="physical", snapshots=["one", "two"], removed_devices=[4000])
        devices = {device.key: device for device in vm.config.hardware.device}
        assert isinstance(devices[3000].backing, vim.vm.device.VirtualCdrom.AtapiBackingInfo) and 4000 not in devices
        (root,) = vm.snapshot.rootSnapshotList
        assert (root.name, root.childSnapshotList[0].name) == ("one", "two")
        assert vm.snapshot.currentSnapshot == root.childSnapshotList[0].snapshot


def test_ft_reserves_all_memory(simulator, connect):
    client = connect(simulator(personality="8.0", scenario="healthy"))
    vm = client.vm()
    assert turn_on(client, vm) is None
    assert vm.resourceConfig.memoryAllocation.reservation == 512


@pytest.mark.parametrize("personality, limits", [("5.0", None), ("6.7", (8, 131072)), ("8.0", (8, 131072))])
def test_the_capabilities_of_a_host(simulator, connect, personality, limits):
    running = simulator(personality=personality, scenario="healthy")
    client = connect(running)
    host = hosts(client)[1]
    capability = host.capability
    if limits:
        assert (capability.maxVcpusPerFtVm, capability.maxMemMBPerFtVm) == limits
        assert capability.smpFtSupported and not capability.smpFtCompatibilityIssues
    else:
        assert capability.ftSupported and not capability.ftCompatibilityIssues
        assert not capability.smpFtSupported and capability.maxVcpusPerFtVm is None
    (feature,) = host.summary.config.featureVersion
    assert feature.key == "faultTolerance" and feature.value == hosts(client)[0].summary.config.featureVersion[0].value
    assert [host.runtime.dasHostState.state for host in hosts(client)] == ["master", "connectedToMaster"]
    assert [nic.device for nic in host.config.network.vnic] == ["vmk0", "vmk1", "vmk2", "vmk3"]
    running.set("host-20", agent="initializationError", build="7")
    running.set("host-30", issues=["incompatibleProduct2030"])
    first, second = hosts(client)
    assert [host.runtime.dasHostState.state for host in (first, second)] == ["initializationError", "master"]
    assert first.summary.config.product.build == first.config.product.build == "7"
    assert second.summary.config.product.build != "7"
    name = "smpFtCompatibilityIssues" if limits else "ftCompatibilityIssues"
    listed = [list(getattr(host.capability, name)) for host in (first, second)]
    assert listed == [["haAgentIssue"], ["incompatibleProduct2030"]]


def test_the_hosts_of_a_datastore(simulator, connect):
    running = simulator(personality="6.7")
    client = connect(running)
    (store,) = client.all(vim.Datastore)
    summary = store.summary
    assert (summary.name, summary.type) == ("shared01", "VMFS")
    assert summary.accessible and summary.multipleHostAccess
    assert [mount.key for mount in store.host] == hosts(client)
    running.set("datastore-11", shared=False, accessible=False, type="NFS")
    summary = store.summary
    assert (summary.type, summary.accessible, summary.multipleHostAccess) == ("NFS", False, False)
    assert [mount.key for mount in store.host] == hosts(client)[:1]
