"""Fault Tolerance with pyvmomi: every method, its state transitions and its faults."""

import pytest
from modules import connection, run_module
from pyVmomi import vim, vmodl


def state(vm):
    return vm.runtime.faultToleranceState


def protected(simulator, connect, **flags):
    """A running pair in a lab where nothing fails: the client, the primary, the secondary."""
    flags.setdefault("scenario", "healthy")
    client = connect(simulator(**flags))
    vm = client.vm()
    client.allow_replay(vm)
    client.run(vm.CreateSecondaryVM_Task())
    client.wait(vm, "running")
    return client, vm, vm.config.ftInfo.secondaries[0]


def test_a_pair_is_two_vms_with_one_name(simulator, connect):
    client, primary, secondary = protected(simulator, connect)
    assert primary.name == secondary.name and primary._moId != secondary._moId
    assert primary.config.uuid == secondary.config.uuid
    first, second = primary.config.ftInfo, secondary.config.ftInfo
    assert isinstance(first, vim.vm.FaultTolerancePrimaryConfigInfo) and first.role == 1
    assert isinstance(second, vim.vm.FaultToleranceSecondaryConfigInfo) and second.role == 2
    assert second.primaryVM == primary
    uuids = [primary.config.instanceUuid, secondary.config.instanceUuid]
    assert list(first.instanceUuids) == list(second.instanceUuids) == uuids and len(set(uuids)) == 2
    assert (state(primary), state(secondary)) == ("running", "running")
    assert (primary.runtime.recordReplayState, secondary.runtime.recordReplayState) == ("recording", "replaying")
    assert primary.runtime.host != secondary.runtime.host
    assert client.vm() == primary


@pytest.mark.parametrize("personality, engine", [("6.7", "checkpointing"), ("8.0", "checkpointing")])
def test_smp_ft_needs_no_options(simulator, connect, personality, engine):
    client = connect(simulator(personality=personality, scenario="healthy"))
    vm = client.vm()
    result = client.run(vm.CreateSecondaryVMEx_Task())
    client.wait(vm, "running")
    assert result.powerOnAttempted and result.vm == vm.config.ftInfo.secondaries[0]
    assert vm.config.flags.faultToleranceType == engine
    assert vm.runtime.recordReplayState == "inactive"


def test_suspend_resume_and_turn_off(simulator, connect):
    client, vm, secondary = protected(simulator, connect)
    client.run(vm.DisableSecondaryVM_Task(secondary))
    assert (state(vm), state(secondary)) == ("disabled", "disabled")
    assert secondary.runtime.powerState == "poweredOff"
    with pytest.raises(vim.fault.SecondaryVmAlreadyDisabled):
        vm.DisableSecondaryVM_Task(secondary)
    client.run(vm.EnableSecondaryVM_Task(secondary))
    client.wait(vm, "running")
    with pytest.raises(vim.fault.SecondaryVmAlreadyEnabled):
        vm.EnableSecondaryVM_Task(secondary)
    client.run(vm.TurnOffFaultToleranceForVM_Task())
    assert state(vm) == "notConfigured" and vm.config.ftInfo is None
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        assert not secondary.name
    with pytest.raises(vim.fault.InvalidState):
        vm.TurnOffFaultToleranceForVM_Task()


def test_power_off_powers_the_secondary_off_too(simulator, connect):
    client, vm, secondary = protected(simulator, connect)
    client.run(vm.PowerOffVM_Task())
    assert (state(vm), state(secondary)) == ("enabled", "enabled")
    assert secondary.runtime.powerState == "poweredOff"
    client.run(vm.PowerOnVM_Task())
    client.wait(vm, "running")


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_failover_swaps_the_roles(simulator, connect, personality):
    client, old, new = protected(simulator, connect, personality=personality)
    homes = old.runtime.host, new.runtime.host
    client.run(old.MakePrimaryVM_Task(new))
    client.wait(new, "running")
    assert new.config.ftInfo.role == 1 and list(new.config.ftInfo.secondaries) == [old]
    assert old.config.ftInfo.role == 2 and old.config.ftInfo.primaryVM == new and client.vm() == new
    assert (old.runtime.host, new.runtime.host) == homes
    # A second failover swaps them back.
    client.run(new.MakePrimaryVM_Task(old))
    client.wait(old, "running")
    assert client.vm() == old


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_a_secondary_is_restarted(simulator, connect, personality):
    client, vm, secondary = protected(simulator, connect, personality=personality)
    with pytest.raises(vmodl.fault.InvalidArgument):
        vm.TerminateFaultTolerantVM_Task(vm)
    booted = vm.runtime.bootTime, secondary.runtime.bootTime
    client.run(vm.TerminateFaultTolerantVM_Task(secondary))
    client.wait(vm, "running")
    assert vm.runtime.bootTime == booted[0] and secondary.runtime.bootTime > booted[1]
    assert list(vm.config.ftInfo.secondaries) == [secondary] and vm.config.ftInfo.role == 1


def test_a_standalone_host_has_no_failover(simulator, connect):
    client = connect(simulator(personality="6.7", direct=True))
    vm, other = client.vm(), client.vm("other")
    for call in (
        vm.CreateSecondaryVM_Task,
        vm.TurnOffFaultToleranceForVM_Task,
        vm.TerminateFaultTolerantVM_Task,
        lambda: vm.MakePrimaryVM_Task(other),
    ):
        with pytest.raises(vmodl.fault.NotSupported):
            call()


def test_a_secondary_rejects_operations(simulator, connect):
    client, _, secondary = protected(simulator, connect)
    calls = [
        secondary.CreateSecondaryVM_Task,
        secondary.TurnOffFaultToleranceForVM_Task,
        secondary.TerminateFaultTolerantVM_Task,
        secondary.PowerOffVM_Task,
        lambda: secondary.MakePrimaryVM_Task(secondary),
        lambda: secondary.DisableSecondaryVM_Task(secondary),
        lambda: secondary.EnableSecondaryVM_Task(secondary),
    ]
    for call in calls:
        with pytest.raises(vim.fault.InvalidOperationOnSecondaryVm) as caught:
            call()
        assert caught.value.instanceUuid == secondary.config.instanceUuid


def test_ft_cannot_be_turned_on_twice(simulator, connect):
    client, vm, _ = protected(simulator, connect)
    with pytest.raises(vim.fault.VmFaultToleranceConfigIssue) as caught:
        client.run(vm.CreateSecondaryVM_Task())
    assert caught.value.reason == "moreThanOneSecondary"
    with pytest.raises(vim.fault.FaultToleranceCannotEditMem):
        vm.ReconfigVM_Task(vim.vm.ConfigSpec(memoryMB=1024))


def test_record_replay_needs_its_options_in_effect(simulator, connect):
    client = connect(simulator(scenario="healthy"))
    vm = client.vm()
    assert not vm.capability.recordReplaySupported
    issues = vm.QueryFaultToleranceCompatibility()
    assert [issue.reason for issue in issues] == ["recordReplayNotSupported"]
    client.set_extra(vm, replay__supported="TRUE", replay__allowFT="true", replay__allowBTOnly="TRUE")
    assert [issue.reason for issue in vm.QueryFaultToleranceCompatibility()] == ["replayNotSupported"]
    with pytest.raises(vim.fault.VmFaultToleranceConfigIssue) as caught:
        client.run(vm.CreateSecondaryVM_Task())
    assert caught.value.reason == "replayNotSupported" and state(vm) == "notConfigured"
    client.allow_replay(vm)
    assert vm.capability.recordReplaySupported and not vm.QueryFaultToleranceCompatibility()
    client.run(vm.CreateSecondaryVM_Task())
    client.wait(vm, "running")


def test_the_article_from_failure_to_protection(simulator, connect):
    lab = simulator(scenario="article")
    client = connect(lab)
    vm = client.vm()
    client.allow_replay(vm)
    result = client.run(vm.CreateSecondaryVM_Task())
    secondary = vm.config.ftInfo.secondaries[0]
    assert result.vm == secondary and result.powerOnAttempted
    (left,) = result.powerOnResult.notAttempted
    fault = left.fault
    assert isinstance(fault, vim.fault.PowerOnFtSecondaryFailed) and fault.vmName == "inner"
    assert isinstance(fault.hostErrors[0], vim.fault.FtIssuesOnHost)
    keys = {message.key: message.message for message in fault.rootCause.faultMessage}
    assert "failed to read stream keepalive" in keys["vob.vmotion.stream.keepalive.read.fail"]
    assert "0xbad003f" in keys["msg.checkpoint.precopyfailure"]
    assert (state(vm), vm.runtime.needSecondaryReason) == ("needSecondary", "lostConnection")
    assert state(secondary) == "enabled" and secondary.runtime.powerState == "poweredOff"
    told = [line for line in lab.state()["vm-63"]["vmware_log"] if "Connection closed by remote host" in line]
    assert len(told) == 3
    # One host is not enough, and neither is the value that the article's commands write.
    client.disable_streams(0)
    client.run(vm.DisableSecondaryVM_Task(secondary))
    assert client.run(vm.EnableSecondaryVM_Task(secondary)).powerOnResult.notAttempted
    assert state(vm) == "needSecondary"
    client.disable_streams(1)
    client.wait(vm, "running")


def test_the_articles_vm_is_protected_if_it_was_off(simulator, connect):
    client = connect(simulator(scenario="article"))
    vm = client.vm()
    client.allow_replay(vm)
    client.run(vm.PowerOffVM_Task())
    assert not client.run(vm.CreateSecondaryVM_Task()).powerOnAttempted
    assert state(vm) == "enabled"
    client.run(vm.PowerOnVM_Task())
    client.wait(vm, "running")


@pytest.mark.parametrize(
    "scenario, fault",
    [
        ("ha-off", vmodl.fault.NotSupported),
        ("suspended", vim.fault.InvalidPowerState),
        ("no-host", vim.fault.NoHostSuitableForFtSecondary),
        ("monitor", vim.fault.VmMonitorIncompatibleForFaultTolerance),
    ],
)
def test_reasons_that_prevent_ft(simulator, connect, scenario, fault):
    client = connect(simulator(personality="6.7", scenario=scenario))
    vm = client.vm()
    with pytest.raises(fault):
        client.run(vm.CreateSecondaryVMEx_Task())
    assert state(vm) == "notConfigured"


def test_a_template_is_never_protected(simulator, connect):
    client = connect(simulator(personality="6.7"))
    template = client.vm("template01")
    with pytest.raises(vmodl.fault.NotSupported):
        template.CreateSecondaryVMEx_Task()
    with pytest.raises(vmodl.fault.NotSupported):
        template.QueryFaultToleranceCompatibilityEx()


def test_the_caller_can_choose_hosts_and_datastores(simulator, connect):
    client = connect(simulator(personality="8.0", scenario="healthy", hosts=3))
    vm = client.vm()
    hosts = sorted(client.all(vim.HostSystem), key=lambda host: host.name)
    with pytest.raises(vim.fault.IncompatibleHostForFtSecondary):
        client.run(vm.CreateSecondaryVMEx_Task(host=vm.runtime.host))
    store = client.all(vim.Datastore)[0]
    spec = vim.vm.FaultToleranceConfigSpec(
        metaDataPath=vim.vm.FaultToleranceMetaSpec(metaDataDatastore=store),
        secondaryVmSpec=vim.vm.FaultToleranceVMConfigSpec(
            vmConfig=store,
            disks=[
                vim.vm.FaultToleranceVMConfigSpec.FaultToleranceDiskSpec(disk=device, datastore=store)
                for device in vm.config.hardware.device
                if isinstance(device, vim.vm.device.VirtualDisk)
            ],
        ),
    )
    client.run(vm.CreateSecondaryVMEx_Task(host=hosts[2], spec=spec))
    client.wait(vm, "running")
    assert vm.config.ftInfo.secondaries[0].runtime.host == hosts[2]


def test_manual_drs_gives_a_recommendation(simulator, connect):
    running = simulator(personality="6.7", scenario="drs-manual")
    client = connect(running)
    vm = client.vm()
    cluster = client.all(vim.ClusterComputeResource)[0]
    assert cluster.summary.currentEVCModeKey and cluster.configurationEx.drsConfig.defaultVmBehavior == "manual"
    result = client.run(vm.CreateSecondaryVMEx_Task())
    (recommendation,) = result.powerOnResult.recommendations
    assert state(vm) == "needSecondary"
    cluster.ApplyRecommendation(recommendation.key)
    client.wait(vm, "running")
    # An override of the virtual machine wins.
    client.run(vm.TurnOffFaultToleranceForVM_Task())
    running.set(cluster._moId, drs_overrides={vm._moId: "fullyAutomated"})
    (override,) = cluster.configurationEx.drsVmConfig
    assert (override.key, override.behavior) == (vm, "fullyAutomated")
    assert not client.run(vm.CreateSecondaryVMEx_Task()).powerOnResult.recommendations


def test_a_slow_secondary_stays_starting(simulator, connect):
    client = connect(simulator(personality="6.7", scenario="slow"))
    vm = client.vm()
    client.run(vm.CreateSecondaryVMEx_Task())
    client.wait(vm, "starting")
    # Fault Tolerance cannot be turned off before the secondary has started.
    with pytest.raises(vim.fault.InvalidState):
        vm.TurnOffFaultToleranceForVM_Task()
    client.run(vm.DisableSecondaryVM_Task(vm.config.ftInfo.secondaries[0]))
    client.run(vm.TurnOffFaultToleranceForVM_Task())
    assert state(vm) == "notConfigured"


@pytest.mark.parametrize("trouble", [{"maintenance": True}, {"connection": "notResponding"}])
def test_turning_off_needs_the_host_of_the_secondary(simulator, connect, trouble):
    lab = simulator(personality="6.7", scenario="healthy")
    client = connect(lab)
    vm = client.vm()
    client.run(vm.CreateSecondaryVMEx_Task())
    client.wait(vm, "running")
    lab.set(vm.config.ftInfo.secondaries[0].runtime.host._moId, **trouble)
    with pytest.raises(vim.fault.InvalidState):
        vm.TurnOffFaultToleranceForVM_Task()
    assert state(vm) == "running"


def test_encryption_is_written_by_one_client_and_read_by_the_other(simulator, connect):
    lab = simulator(personality="8.0", scenario="healthy")
    client = connect(lab)
    vm = client.vm()
    modes = vim.vm.ConfigSpec.EncryptedFtModes
    assert vm.config.ftEncryptionMode == modes.ftEncryptionOpportunistic
    # pyvmomi writes, and our module reads.
    client.run(vm.ReconfigVM_Task(vim.vm.ConfigSpec(ftEncryptionMode=modes.ftEncryptionRequired)))
    args = connection(lab.facts) | {"name": "inner", "state": "absent"}
    assert run_module("fault_tolerance", args).json["encryption"] == "required"
    # Our module writes, and pyvmomi reads.
    for mode in ("disabled", "opportunistic", "required"):
        assert run_module("fault_tolerance", args | {"state": "present", "encryption": mode}).changed
        assert vm.config.ftEncryptionMode == modes("ftEncryption" + mode.capitalize())
        assert state(vm) == "running"
        client.run(vm.TurnOffFaultToleranceForVM_Task())


def test_the_encryption_of_a_pair_and_of_an_encrypted_vm_is_fixed(simulator, connect):
    lab = simulator(personality="8.0", scenario="healthy")
    client = connect(lab)
    vm, spec = client.vm(), vim.vm.ConfigSpec
    with pytest.raises(vmodl.fault.InvalidArgument):
        vm.ReconfigVM_Task(spec(ftEncryptionMode="required"))
    client.run(vm.CreateSecondaryVMEx_Task())
    with pytest.raises(vim.fault.InvalidState):
        vm.ReconfigVM_Task(spec(ftEncryptionMode="ftEncryptionRequired"))
    client.wait(vm, "running")
    client.run(vm.TurnOffFaultToleranceForVM_Task())
    lab.set(vm._moId, encrypted=True)
    assert vm.config.keyId.keyId and vm.config.ftEncryptionMode == "ftEncryptionRequired"
    with pytest.raises(vmodl.fault.InvalidArgument):
        vm.ReconfigVM_Task(spec(ftEncryptionMode="ftEncryptionDisabled"))


def test_an_older_release_has_no_encryption(simulator, connect):
    assert connect(simulator(personality="6.7", scenario="healthy")).vm().config.ftEncryptionMode is None


def test_disabled_methods_depend_on_the_state(simulator, connect):
    client, vm, _ = protected(simulator, connect)
    disabled = set(vm.disabledMethod)
    assert {"CreateSecondaryVM_Task", "EnableSecondaryVM_Task"} <= disabled
    assert not {"DisableSecondaryVM_Task", "MakePrimaryVM_Task", "TurnOffFaultToleranceForVM_Task"} & disabled
