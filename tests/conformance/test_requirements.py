"""What ft_readiness reads: pyvmomi reads the same values, and every request fits the version that is spoken."""

import json

import pytest
from conformance.typejudge import judge_reply, judge_request
from modules import connection, run_module
from pyVmomi import vim
from relay import relay

# Everything that tests can change and that ft_readiness reads, for the virtual machine, the second host and the cluster.
VM = {
    "npiv": True,
    "reserved": 100,
    "added_devices": ["VirtualTPM"],
    "cdrom": "iso",
    "cdrom_store": "local01",
    "cdrom_connected": True,
    "disk_store": "vsan01",
    "disk": {"size": 3 << 30, "linked": True, "filters": ["VMW_spm_1.0.0"], "more": 2},
}
HOST = {
    "memory": 4096,
    "used_memory": 2000,
    "link_speed": 1000,
    "mtus": {"vmk0": 9000},
    "stacks": {"vmk0": "vmotion"},
    "addresses": {"vmk1": "10.1.2.3"},
}
CLUSTER = {"vm_overrides": {"vm-63": "disabled"}, "pool_memory": 3000}


def change(lab):
    lab.set(lab.facts["vm_moid"], **VM)
    lab.set(lab.facts["host_moids"][1], **HOST)
    lab.set(lab.facts["cluster_moid"], **CLUSTER)


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_pyvmomi_reads_what_the_requirements_are_about(personality, simulator, connect):
    lab = simulator(personality=personality)
    client = connect(lab)
    first, second = sorted(client.all(vim.HostSystem), key=lambda host: host.name)
    cluster, vm = client.all(vim.ClusterComputeResource)[0], client.vm()
    assert list(cluster.configurationEx.dasVmConfig) == [] and vm.config.npivNodeWorldWideName == []
    (uplink,) = first.config.network.pnic
    assert uplink.linkSpeed.speedMb == (1000 if personality == "5.0" else 10_000)
    assert first.summary.hardware.memorySize == 8 << 30
    assert vm.resourcePool.runtime.memory.unreservedForVm == 16 << 30
    change(lab)

    (override,) = cluster.configurationEx.dasVmConfig
    assert override.key == vm and override.dasSettings.restartPriority == "disabled"
    assert vm.resourcePool.runtime.memory.unreservedForVm == 3000 << 20

    network = second.config.network
    (switch,), (uplink,) = network.vswitch, network.pnic
    assert switch.pnic == [uplink.key] and uplink.linkSpeed.speedMb == 1000
    nics = {nic.device: nic for nic in network.vnic}
    assert f"key-vim.host.PortGroup-{nics['vmk1'].portgroup}" in switch.portgroup
    assert nics["vmk0"].spec.mtu == 9000 and nics["vmk1"].spec.ip.ipAddress == "10.1.2.3"
    assert nics["vmk0"].spec.netStackInstanceKey == (None if personality == "5.0" else "vmotion")
    assert second.summary.hardware.memorySize == 4 << 30 and second.summary.quickStats.overallMemoryUsage == 2000

    config = vm.config
    assert config.npivNodeWorldWideName and config.npivPortWorldWideName
    assert config.memoryAllocation.reservation == 100
    disks = [device for device in config.hardware.device if isinstance(device, vim.vm.device.VirtualDisk)]
    assert [disk.capacityInKB for disk in disks] == [3 << 30] * 3
    assert all(disk.backing.parent and disk.backing.datastore.name == "vsan01" for disk in disks)
    assert all(disk.iofilter == ([] if personality == "5.0" else ["VMW_spm_1.0.0"]) for disk in disks)
    (drive,) = [device for device in config.hardware.device if isinstance(device, vim.vm.device.VirtualCdrom)]
    assert drive.connectable.connected and drive.backing.datastore.name == "local01"
    assert {store.name for store in vm.datastore} == {"shared01", "vsan01", "local01"}
    if personality == "8.0":
        assert any(isinstance(device, vim.vm.device.VirtualTPM) for device in config.hardware.device)


# The version that the server claims, which the modules then speak, and later ones that have all it has.
SPOKEN = [
    ("4.1", ["4.1"]),
    ("5.0", ["5.0"]),
    ("5.1", ["5.1"]),
    ("5.5", ["5.5"]),
    ("6.0", ["6.0"]),
    ("6.5", ["6.5"]),
    ("6.7", ["6.7"]),
    ("7.0.0.0", ["7.0.0.0", "7.0.3.0"]),
    ("8.0.0.0", ["8.0.0.0", "8.0.3.0", "9.0.0.0"]),
]


@pytest.mark.parametrize("spoken, judges", SPOKEN, ids=[spoken for spoken, _ in SPOKEN])
def test_every_property_exists_in_the_version_that_is_spoken(spoken, judges, simulator, tmp_path, monkeypatch):
    monkeypatch.setenv("SIM_RECORD", str(tmp_path))
    lab = simulator(personality="8.0", http=True)
    change(lab)
    if spoken < "6.7":
        # A real server makes the base type of it.
        lab.set(lab.facts["vm_moid"], added_devices=[])
    product = ".".join(spoken.split(".")[:2])
    names = [(b"<apiVersion>8.0.2.0<", f"<apiVersion>{spoken}<".encode()), (b"<version>8.0.2<", f"<version>{product}.0<".encode())]

    def rewrite(text):
        for old, new in names:
            text = text.replace(old, new)
        return text

    with relay(lab.facts["port"], rewrite=rewrite) as (port, _):
        for target in ({"name": lab.facts["vm"]}, {"cluster_name": lab.facts["cluster"]}):
            result = run_module("ft_readiness", connection(lab.facts) | {"port": port} | target)
            assert not result.json["failed"], result.msg
    lines = [json.loads(line) for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
    reads = [line for line in lines if "RetrievePropertiesEx" in line["request"]]
    assert {line["action"].strip('"').rpartition("/")[2] for line in reads} == {spoken}
    for line in reads:
        for version in judges:
            assert judge_request(f"urn:vim25/{version}", line["request"]).problems == []
        assert judge_reply(line["action"].strip('"'), "RetrievePropertiesEx", line["reply"]).problems == []
