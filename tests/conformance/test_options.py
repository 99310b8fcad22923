"""Host options and VM options with pyvmomi."""

import pytest
from pyVmomi import VmomiSupport, vim, vmodl

LONG = VmomiSupport.vmodlTypes["long"]
STREAMS = "Migrate.VMotionStreamDisable"


def value(key, value):
    return vim.option.OptionValue(key=key, value=value)


def extra(vm):
    return {option.key: option.value for option in vm.config.extraConfig}


def test_options_are_queried_by_name_subtree_or_all(simulator, connect):
    options = connect(simulator(options=60)).options(0)
    (one,) = options.QueryOptions(STREAMS)
    assert (one.key, one.value) == (STREAMS, 0)
    assert {option.key.split(".")[0] for option in options.QueryOptions("Migrate.")} == {"Migrate"}
    assert len(options.QueryOptions()) == len(options.QueryOptions("")) == len(options.supportedOption) >= 60
    for name in ("Migrate.VMotionStream", "Migrate", "migrate.vmotionstreamdisable", "No.Such."):
        with pytest.raises(vim.fault.InvalidName):
            options.QueryOptions(name)


def test_definitions_have_type_and_range(simulator, connect):
    options = {option.key: option for option in connect(simulator()).options(0).supportedOption}
    assert len(options) >= 30
    streams = options[STREAMS].optionType
    assert isinstance(streams, vim.option.LongOption)
    assert (streams.min, streams.max, streams.defaultValue) == (0, 1, 0)
    kinds = {type(option.optionType) for option in options.values()}
    names = ("LongOption", "IntOption", "StringOption", "BoolOption", "ChoiceOption")
    assert kinds == {getattr(vim.option, name) for name in names}
    assert any(option.optionType.valueIsReadonly for option in options.values())


def test_each_host_has_its_own_options(simulator, connect):
    client = connect(simulator())
    client.disable_streams(0)
    assert [client.options(index).QueryOptions(STREAMS)[0].value for index in (0, 1)] == [1, 0]
    host = sorted(client.all(vim.HostSystem), key=lambda host: host.name)[0]
    assert {o.key: o.value for o in host.config.option}[STREAMS] == 1


@pytest.mark.parametrize("key, wrong", [(STREAMS, 1), (STREAMS, LONG(2)), (STREAMS, "1"), ("Misc.HostName", "x")])
def test_a_wrong_type_or_range_is_rejected(simulator, connect, key, wrong):
    options = connect(simulator()).options(0)
    with pytest.raises((vmodl.fault.InvalidArgument, vmodl.fault.NotSupported)):
        options.UpdateOptions([value(key, wrong)])


def test_updates_are_not_atomic(simulator, connect):
    options = connect(simulator()).options(0)
    with pytest.raises(vim.fault.InvalidName):
        options.UpdateOptions([value(STREAMS, LONG(1)), value("No.Such", LONG(1)), value("Migrate.Enabled", LONG(0))])
    assert options.QueryOptions(STREAMS)[0].value == 1
    assert options.QueryOptions("Migrate.Enabled")[0].value == 1


def test_vcenters_settings_are_separate_from_the_hosts(simulator, connect):
    setting = connect(simulator()).content.setting
    with pytest.raises(vim.fault.InvalidName):
        setting.QueryOptions(STREAMS)
    setting.UpdateOptions([value("log.level", "verbose")])
    assert setting.QueryOptions("log.level")[0].value == "verbose"


def test_extra_config_is_set_replaced_and_removed(simulator, connect):
    client = connect(simulator())
    vm = client.vm()
    before = extra(vm)
    client.set_extra(vm, replay__supported="TRUE", guestinfo__x="1")
    assert extra(vm) == {**before, "replay.supported": "TRUE", "guestinfo.x": "1"}
    # Keys are case-insensitive, and keep their first spelling.
    client.set_extra(vm, REPLAY__SUPPORTED="false", guestinfo__x="", no__such="")
    assert extra(vm) == {**before, "replay.supported": "false"}


def test_keys_that_have_a_field_are_silently_ignored(simulator, connect):
    client = connect(simulator())
    vm = client.vm()
    before = extra(vm)
    client.set_extra(vm, memSize="4096", numvcpus="4", displayName="x", guestOS="other")
    assert extra(vm) == before and vm.config.hardware.memoryMB == 512 and vm.name == "inner"


def test_values_are_strings(simulator, connect):
    vm = connect(simulator()).vm()
    with pytest.raises(vmodl.fault.InvalidArgument):
        vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[value("a", 1)]))


def test_a_stale_change_version_is_a_conflict(simulator, connect):
    lab = simulator()
    client = connect(lab)
    vm = client.vm()
    version = vm.config.changeVersion
    spec = vim.vm.ConfigSpec(changeVersion=version, extraConfig=[value("guestinfo.x", "1")])
    lab.touch("vm-63")
    with pytest.raises(vim.fault.ConcurrentAccess):
        client.run(vm.ReconfigVM_Task(spec))
    assert "guestinfo.x" not in extra(vm) and vm.config.changeVersion != version
    spec.changeVersion = vm.config.changeVersion
    client.run(vm.ReconfigVM_Task(spec))
    assert extra(vm)["guestinfo.x"] == "1"


def test_hardware_changes_need_a_powered_off_vm(simulator, connect):
    client = connect(simulator())
    spec = vim.vm.ConfigSpec(numCPUs=2, memoryMB=1024)
    other = client.vm("other")
    client.run(other.ReconfigVM_Task(spec))
    assert (other.config.hardware.numCPU, other.config.hardware.memoryMB) == (2, 1024)
    with pytest.raises(vim.fault.InvalidPowerState):
        client.run(client.vm().ReconfigVM_Task(spec))


def test_power_operations_check_the_state(simulator, connect):
    client = connect(simulator())
    vm = client.vm()
    with pytest.raises(vim.fault.InvalidPowerState) as caught:
        vm.PowerOnVM_Task()
    assert caught.value.existingState == "poweredOn"
    client.run(vm.SuspendVM_Task())
    assert vm.runtime.powerState == "suspended"
    with pytest.raises(vim.fault.InvalidPowerState):
        client.set_extra(vm, a="b")
    client.run(vm.PowerOnVM_Task())
    client.run(vm.PowerOffVM_Task())
    assert vm.runtime.powerState == "poweredOff"
    with pytest.raises(vim.fault.InvalidPowerState):
        vm.PowerOffVM_Task()
    with pytest.raises(vmodl.fault.NotSupported):
        client.vm("template01").PowerOnVM_Task()


def test_one_task_at_a_time(simulator, connect):
    client = connect(simulator(task_ms=1500))
    vm = client.vm()
    task = vm.PowerOffVM_Task()
    assert task.info.state in ("queued", "running") and task.info.entity == vm
    with pytest.raises(vim.fault.TaskInProgress) as caught:
        vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=[value("a", "b")]))
    assert caught.value.task == task
    client.run(task)
    assert task.info.completeTime and task.info.descriptionId == "VirtualMachine.powerOff"


def test_a_question_blocks_power_on_until_it_is_answered(simulator, connect):
    lab = simulator(scenario="off")
    client = connect(lab)
    vm = client.vm()
    lab.set("vm-63", question="msg.uuid.altered: moved or copied?")
    task = vm.PowerOnVM_Task()
    assert vm.runtime.question.text == "msg.uuid.altered: moved or copied?"
    assert task.info.state in ("queued", "running") and vm.runtime.powerState == "poweredOff"
    vm.AnswerVM(vm.runtime.question.id, "0")
    client.run(task)
    assert vm.runtime.question is None and vm.runtime.powerState == "poweredOn"


def test_many_vms_are_powered_on_at_once(simulator, connect):
    client = connect(simulator(scenario="off"))
    vms = [client.vm(name) for name in ("inner", "other", "template01")]
    datacenter = client.all(vim.Datacenter)[0]
    result = client.run(datacenter.PowerOnMultiVM_Task(vms))
    assert [attempted.vm for attempted in result.attempted] == vms[:2]
    for attempted in result.attempted:
        client.run(attempted.task)
    assert isinstance(result.notAttempted[0].fault, vmodl.fault.NotSupported)
    assert [vm.runtime.powerState for vm in vms] == ["poweredOn", "poweredOn", "poweredOff"]
