"""vmknics and vSphere HA with pyvmomi."""

import time

import pytest
from pyVmomi import vim, vmodl

from modules import connection, run_module

FT_LOGGING = "faultToleranceLogging"


def hosts(client):
    return sorted(client.all(vim.HostSystem), key=lambda host: host.name)


def selected(host, service):
    config = host.configManager.virtualNicManager.QueryNetConfig(service)
    return [nic.device for nic in config.candidateVnic if nic.key in config.selectedVnic]


def test_vmknics_carry_services(simulator, connect):
    client = connect(simulator())
    host = hosts(client)[0]
    manager = host.configManager.virtualNicManager
    assert selected(host, FT_LOGGING) == ["vmk1"] and selected(host, "vmotion") == ["vmk0"]
    manager.SelectVnicForNicType(FT_LOGGING, "vmk0")
    assert selected(host, FT_LOGGING) == ["vmk0"]
    manager.SelectVnicForNicType("vmotion", "vmk1")
    assert selected(host, "vmotion") == ["vmk0", "vmk1"]
    assert {config.nicType for config in manager.info.netConfig} == {
        config.nicType for config in host.config.virtualNicManagerInfo.netConfig
    }
    for call in (
        lambda: manager.QueryNetConfig("nonsense"),
        lambda: manager.SelectVnicForNicType("vmotion", "vmk9"),
        lambda: manager.SelectVnicForNicType("vmotion", "vmk3"),
        lambda: manager.DeselectVnicForNicType("vmotion", "vmk3"),
        lambda: manager.SelectVnicForNicType("management", "vmk2"),
    ):
        with pytest.raises(vmodl.fault.InvalidArgument):
            call()


@pytest.mark.parametrize(
    "personality, service, multiple, candidates",
    [
        ("5.0", FT_LOGGING, False, ["vmk0", "vmk1", "vmk2"]),
        ("8.0", FT_LOGGING, True, ["vmk0", "vmk1", "vmk2"]),
        ("8.0", "vmotion", True, ["vmk0", "vmk1", "vmk2"]),
        ("8.0", "management", True, ["vmk0", "vmk1"]),
    ],
)
def test_vmknics_are_selected_by_key(simulator, connect, personality, service, multiple, candidates):
    client = connect(simulator(personality=personality))
    for place, host in enumerate(hosts(client)):
        config = host.configManager.virtualNicManager.QueryNetConfig(service)
        assert config.multiSelectAllowed is multiple
        assert [nic.device for nic in config.candidateVnic] == candidates
        assert len({nic.portgroup for nic in config.candidateVnic}) == len(candidates)
        keys = [f"{service}.key-vim.host.VirtualNic-{device}" for device in candidates]
        assert [nic.key for nic in config.candidateVnic] == keys
        assert len(config.selectedVnic) == 1 and config.selectedVnic[0] in keys
        assert config.candidateVnic[0].spec.ip.ipAddress == f"172.30.{place}.80"


def test_config_can_lag_behind_the_selection_of_vmknics(simulator, connect):
    lab = simulator(personality="8.0")
    host = hosts(connect(lab))[0]
    lab.set(host._moId, nic_lag=600_000)
    manager = host.configManager.virtualNicManager
    manager.SelectVnicForNicType(FT_LOGGING, "vmk2")

    def chosen(configs):
        return [sorted(config.selectedVnic) for config in configs if config.nicType == FT_LOGGING][0]

    new = [f"{FT_LOGGING}.key-vim.host.VirtualNic-{device}" for device in ("vmk1", "vmk2")]
    assert chosen(host.config.virtualNicManagerInfo.netConfig) == new[:1]
    assert chosen([manager.QueryNetConfig(FT_LOGGING)]) == chosen(manager.info.netConfig) == new
    # The next change makes it catch up.
    lab.set(host._moId, nic_lag=1)
    manager.SelectVnicForNicType(FT_LOGGING, "vmk2")
    deadline = time.monotonic() + 10
    while chosen(host.config.virtualNicManagerInfo.netConfig) != new:
        assert time.monotonic() < deadline, "config never caught up"


def test_ft_needs_its_vmknics(simulator, connect):
    client = connect(simulator(personality="6.7", scenario="healthy"))
    vm = client.vm()
    for place, fault in ((0, vim.fault.VmFaultToleranceConfigIssue), (1, vim.fault.NoHostSuitableForFtSecondary)):
        host = hosts(client)[place]
        manager = host.configManager.virtualNicManager
        manager.DeselectVnicForNicType(FT_LOGGING, "vmk1")
        assert not host.summary.config.faultToleranceEnabled and not host.capability.smpFtSupported
        assert list(host.capability.smpFtCompatibilityIssues) == ["missingFTLoggingNic"]
        with pytest.raises(fault):
            client.run(vm.CreateSecondaryVMEx_Task())
        manager.SelectVnicForNicType(FT_LOGGING, "vmk1")
    client.run(vm.CreateSecondaryVMEx_Task())
    client.wait(vm, "running")


def cluster(client):
    return client.all(vim.ClusterComputeResource)[0]


def reconfigure(client, modify=True, **das):
    spec = vim.cluster.ConfigSpecEx(dasConfig=vim.cluster.DasConfigInfo(**das))
    client.run(cluster(client).ReconfigureComputeResource_Task(spec, modify))


def ha(client):
    das = cluster(client).configurationEx.dasConfig
    options = {option.key: option.value for option in das.option}
    return das.enabled, das.admissionControlEnabled, das.hostMonitoring, options


def agents(client):
    return [host.runtime.dasHostState and host.runtime.dasHostState.state for host in hosts(client)]


def settled(client, states):
    """Waits until the HA agents of the hosts have these states."""
    deadline = time.monotonic() + 10
    while (now := agents(client)) != states:
        assert time.monotonic() < deadline, now
        time.sleep(0.01)


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_ha_is_turned_off_and_on(simulator, connect, personality):
    running = simulator(personality=personality, scenario="ha-off")
    client = connect(running)
    assert ha(client) == (False, True, "enabled", {}) and agents(client) == [None, None]
    running.set("host-30", agent="initializationError")
    reconfigure(client, enabled=True, admissionControlEnabled=False)
    assert ha(client) == (True, False, "enabled", {})
    settled(client, ["master", "initializationError"])
    running.set("host-30", agent=None)
    settled(client, ["master", "connectedToMaster"])
    vm = client.vm()
    if personality == "5.0":
        client.allow_replay(vm)
    client.run(vm.CreateSecondaryVM_Task())
    client.wait(vm, "running")
    # Without HA the pair keeps running, but no operation on it works.
    reconfigure(client, enabled=False)
    assert agents(client) == [None, None] and vm.runtime.faultToleranceState == "running"
    with pytest.raises(vmodl.fault.NotSupported):
        vm.MakePrimaryVM_Task(vm.config.ftInfo.secondaries[0])


def test_modify_changes_only_named_settings(simulator, connect):
    running = simulator(personality="8.0")
    client = connect(running)
    running.set(
        cluster(client)._moId,
        das_options={"das.maxftvmsperhost": "4"},
        admission_control=False,
        host_monitoring="disabled",
    )
    everything = {"das.maxftvmsperhost": "4"}
    assert ha(client) == (True, False, "disabled", everything)
    reconfigure(client, hostMonitoring="enabled")
    assert ha(client) == (True, False, "enabled", everything)
    option = vim.option.OptionValue(key="das.maxftvmsperhost", value="0")
    reconfigure(client, option=[option])
    assert ha(client) == (True, False, "enabled", {"das.maxftvmsperhost": "0"})
    drs = cluster(client).configurationEx.drsConfig
    assert drs.enabled and drs.defaultVmBehavior == "fullyAutomated"
    reconfigure(client, modify=False, enabled=True)
    assert ha(client) == (True, True, "enabled", {})
    assert not cluster(client).configurationEx.drsConfig.enabled
    running.set(cluster(client)._moId, ha_untold=True)
    assert ha(client)[0] is None
    with pytest.raises(vmodl.fault.InvalidArgument):
        reconfigure(client, hostMonitoring="sometimes")
    fault = "InsufficientFailoverResourcesFault"
    running.inject(method="ReconfigureComputeResource_Task", how="task-error", fault=fault)
    with pytest.raises(vim.fault.InsufficientFailoverResourcesFault):
        reconfigure(client, enabled=True)


def test_a_standalone_host_has_no_ha(simulator, connect):
    client = connect(simulator(personality="6.7", direct=True))
    (host,) = hosts(client)
    assert host.runtime.dasHostState is None
    assert list(host.capability.smpFtCompatibilityIssues) == ["haAgentIssue"]


def override(client, operation, vm, priority=None):
    """Adds, edits or removes the override of a VM's restart priority."""
    spec = vim.cluster.DasVmConfigSpec(operation=operation)
    if operation == "remove":
        spec.removeKey = vm
    else:
        settings = vim.cluster.DasVmSettings(restartPriority=priority)
        spec.info = vim.cluster.DasVmConfigInfo(key=vm, dasSettings=settings)
    client.run(cluster(client).ReconfigureEx(vim.cluster.ConfigSpecEx(dasVmConfigSpec=[spec]), True))


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_a_virtual_machine_overrides_its_restart_priority(personality, simulator, connect):
    lab = simulator(personality=personality, scenario="healthy")
    client = connect(lab)
    (vm,) = [vm for vm in client.all(vim.VirtualMachine) if vm.name == "inner"]

    def priorities():
        return [(one.key, one.dasSettings.restartPriority) for one in cluster(client).configurationEx.dasVmConfig]

    assert priorities() == []
    override(client, "add", vm, "disabled")
    assert priorities() == [(vm, "disabled")]
    with pytest.raises(vmodl.fault.InvalidArgument):
        override(client, "add", vm, "low")
    # The module edits an override that another client made.
    result = run_module(
        "cluster_ha", connection(lab.facts) | {"cluster_name": "Cluster", "vm_restart_priority": {"inner": "cluster"}}
    )
    assert result.changed and result.json["vm_restart_priority"][0]["before"] == "disabled"
    assert priorities() == [(vm, "clusterRestartPriority")]
    override(client, "remove", vm)
    assert priorities() == []
