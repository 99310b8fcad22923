"""Faults that tests inject into the simulator."""

import http.client

import pytest
from pyVmomi import vim, vmodl


def test_a_fault_hits_the_selected_call(simulator, connect):
    lab = simulator()
    client = connect(lab)
    first, second = client.options(0), client.options(1)
    fields = {"object": {"type": "HostSystem", "moid": "host-30"}, "privilegeId": "Host.Config.AdvancedConfig"}
    lab.inject(method="QueryOptions", object=second._moId, fault="NoPermission", fields=fields, after=1, times=2)
    assert first.QueryOptions() and second.QueryOptions()
    for _ in range(2):
        with pytest.raises(vim.fault.NoPermission) as caught:
            second.QueryOptions()
        assert caught.value.privilegeId == "Host.Config.AdvancedConfig"
    assert second.QueryOptions() and first.QueryOptions()
    assert [line.get("fault") for line in lab.log() if line["object"] == second._moId and line.get("fault")] == [
        "NoPermission",
        "NoPermission",
    ]


def test_faults_can_nest(simulator, connect):
    lab = simulator()
    client = connect(lab)
    inner = {"fault": "VmFaultToleranceConfigIssue", "fields": {"reason": "incompatibleProduct"}, "message": "no"}
    lab.inject(method="TurnOffFaultToleranceForVM_Task", fault="VmFaultToleranceOpIssuesList", fields={"errors": [inner]})
    with pytest.raises(vim.fault.VmFaultToleranceOpIssuesList) as caught:
        client.vm().TurnOffFaultToleranceForVM_Task()
    assert caught.value.errors[0].reason == "incompatibleProduct"


def test_a_task_ends_in_a_fault_and_changes_nothing(simulator, connect):
    lab = simulator()
    client = connect(lab)
    vm = client.vm()
    lab.inject(method="PowerOffVM_Task", fault="InvalidState", how="task-error", message="not now")
    with pytest.raises(vim.fault.InvalidState, match="not now"):
        client.run(vm.PowerOffVM_Task())
    assert vm.runtime.powerState == "poweredOn"
    client.run(vm.PowerOffVM_Task())


@pytest.mark.parametrize("early", [False, True])
def test_a_task_vanishes_but_its_work_is_done(early, simulator, connect):
    lab = simulator(task_ms=200)
    client = connect(lab)
    vm = client.vm()
    lab.inject(method="PowerOffVM_Task", how="task-vanishes", early=early)
    task = vm.PowerOffVM_Task()
    looks = 0
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        while task.info.state in ("queued", "running"):
            looks += 1
    assert (looks == 0) is early
    lab.settle()
    assert vm.runtime.powerState == "poweredOff"


def test_a_call_gets_no_answer(simulator, connect):
    lab = simulator()
    client = connect(lab)
    vm = client.vm()
    lab.inject(method="ReconfigVM_Task", how="silent")
    client.set_extra(vm, guestinfo__x="1")
    assert "guestinfo.x" not in {option.key for option in vm.config.extraConfig}
    lab.inject(method="UpdateOptions", how="silent")
    client.disable_streams(0)
    assert client.options(0).QueryOptions("Migrate.VMotionStreamDisable")[0].value == 0


def test_a_session_expires_during_a_call(simulator, connect):
    lab = simulator()
    client = connect(lab)
    lab.inject(method="CurrentTime", how="expire-session")
    with pytest.raises(vim.fault.NotAuthenticated):
        client.si.CurrentTime()
    assert lab.sessions()["live"] == 0


@pytest.mark.parametrize(
    "how, error", [("drop", http.client.HTTPException), ("http500", Exception), ("garbage", Exception)]
)
def test_broken_http(simulator, connect, how, error):
    lab = simulator()
    client = connect(lab)
    lab.inject(method="CurrentTime", how=how, times=0)
    with pytest.raises(error):
        client.si.CurrentTime()
    lab.clear_injections()
    assert client.si.CurrentTime()


def test_a_reset_restores_the_start(simulator, connect):
    lab = simulator(http=True)
    client = connect(lab)
    client.set_extra(client.vm(), guestinfo__x="1")
    lab.reset()
    assert lab.sessions() == {"live": 0, "logins": 0, "logouts": 0}
    assert "guestinfo.x" not in lab.state()["vm-63"]["extraConfig"]
