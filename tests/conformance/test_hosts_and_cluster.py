"""vmknics, logs and vSphere HA with pyvmomi."""

import pytest
from pyVmomi import vim, vmodl

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
    for call in (lambda: manager.QueryNetConfig("nonsense"), lambda: manager.SelectVnicForNicType("vmotion", "vmk9")):
        with pytest.raises(vmodl.fault.InvalidArgument):
            call()


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


def test_ha_is_switched(simulator, connect):
    client = connect(simulator(personality="6.7", scenario="ha-off"))
    cluster = client.all(vim.ClusterComputeResource)[0]
    assert cluster.configurationEx.dasConfig.enabled is False
    spec = vim.cluster.ConfigSpecEx(dasConfig=vim.cluster.DasConfigInfo(enabled=True))
    client.run(cluster.ReconfigureComputeResource_Task(spec, True))
    assert cluster.configurationEx.dasConfig.enabled is True
    vm = client.vm()
    client.run(vm.CreateSecondaryVMEx_Task())
