"""pyvmomi and govc read the events of the simulator: types, filters, pages."""

import datetime
import json

import pytest
from pyVmomi import vim, vmodl

from .test_govc import govc  # noqa: F401  (the fixture)

Spec = vim.event.EventFilterSpec


def failed(client, vm):
    """Lets the secondary of the article's VM fail to start."""
    create = vm.CreateSecondaryVM_Task if client.legacy else vm.CreateSecondaryVMEx_Task
    if client.legacy:
        client.allow_replay(vm)
    result = client.run(create())
    assert result.powerOnResult.notAttempted


@pytest.fixture(params=["5.0", "6.7"])
def client(simulator, connect, request):
    """A pyvmomi session with a lab in which the secondary has failed to start."""
    lab = simulator(personality=request.param, scenario="article")
    client = connect(lab)
    client.lab, client.legacy = lab, request.param == "5.0"
    client.inner = client.vm()
    failed(client, client.inner)
    return client


def query(client, **fields):
    return client.content.eventManager.QueryEvents(Spec(**fields))


def entity(of, recursion="self"):
    return Spec.ByEntity(entity=of, recursion=recursion)


def test_the_failed_start_is_told_by_typed_events(client):
    events = query(client, entity=entity(client.inner))
    kinds = [type(event) for event in events]
    for kind in (
        vim.event.VmSecondaryAddedEvent,
        vim.event.VmStartingSecondaryEvent,
        vim.event.VmFaultToleranceStateChangedEvent,
        vim.event.VmMessageErrorEvent,
        vim.event.VmFailedStartingSecondaryEvent,
    ):
        assert kind in kinds, kind
    (start,) = [event for event in events if isinstance(event, vim.event.VmFailedStartingSecondaryEvent)]
    assert (start.reason, start.vm.vm, start.vm.name) == ("migrateFailed", client.inner, "inner")
    assert start.host.name == "esxi01.lab.local" and start.computeResource.name == "Cluster"
    messages = [event.message for event in events if isinstance(event, vim.event.VmMessageErrorEvent)]
    assert any("failed to read stream keepalive" in message for message in messages)
    extended = [event for event in events if isinstance(event, vim.event.EventEx)]
    assert [event.eventTypeId for event in extended] == (
        [] if client.legacy else ["com.vmware.vc.HA.StartFTSecondaryFailedEvent"]
    )
    assert all(isinstance(event.fault, vim.fault.PowerOnFtSecondaryFailed) for event in extended)
    assert len({event.key for event in events}) == len(events)


def test_filters(client):
    every = query(client)
    assert len(query(client, entity=entity(client.content.rootFolder))) == 0
    assert len(query(client, entity=entity(client.content.rootFolder, "all"))) == len(every)
    assert len(query(client, entity=entity(client.inner.runtime.host))) == len(every)
    assert len(query(client, entity=entity(client.inner, "children"))) == 0

    kinds = ["VmFailedStartingSecondaryEvent", "VmStartingSecondaryEvent"]
    assert len(query(client, eventTypeId=kinds)) == 2
    assert len(query(client, type=[vim.event.VmFailedStartingSecondaryEvent])) == 1
    with pytest.raises(vmodl.fault.InvalidArgument):
        query(client, type=[vim.event.VmEvent], eventTypeId=kinds)

    last = every[-1].createdTime
    assert query(client, time=Spec.ByTime(beginTime=last))[-1].key == every[-1].key
    after = last + datetime.timedelta(seconds=1)
    assert query(client, time=Spec.ByTime(beginTime=after)) == []
    assert len(query(client, time=Spec.ByTime(endTime=after))) == len(every)
    assert query(client, disableFullMessage=True)[0].fullFormattedMessage is None
    assert client.content.eventManager.latestEvent.key == every[-1].key


def test_the_number_of_events_is_limited_since_6_5(client):
    every = [event.key for event in query(client)]
    # pyvmomi leaves out what the server does not know.
    expected = every if client.legacy else every[-2:]
    assert [event.key for event in query(client, maxCount=2)] == expected


def test_a_collector_pages_through_the_events(client):
    every = [event.key for event in query(client)]
    collector = client.content.eventManager.CreateCollectorForEvents(Spec())
    try:
        collector.SetCollectorPageSize(3)
        assert [event.key for event in collector.latestPage] == every[:-4:-1]
        assert [event.key for event in collector.ReadPreviousEvents(2)] == every[-4:-6:-1]
        collector.RewindCollector()
        assert [event.key for event in collector.ReadNextEvents(2)] == every[:2]
        assert [event.key for event in collector.ReadNextEvents(1000)] == every[2:]
        assert collector.ReadNextEvents(10) == []
        collector.ResetCollector()
        assert [event.key for event in collector.ReadPreviousEvents(1000)] == every[-4::-1]
    finally:
        collector.DestroyCollector()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        collector.ReadNextEvents(1)


def test_govc_lists_the_events(govc):  # noqa: F811
    govc.lab.post_event(govc.lab.facts["vm_moid"], "VmFailedStartingSecondaryEvent", reason="migrateFailed", message="It failed")
    govc.lab.post_event(govc.lab.facts["vm_moid"], "VmPoweredOnEvent", message="It is on")
    govc.lab.post_event(govc.lab.facts["host_moids"][0], "esx.problem.net.vmknic.ip.duplicate", message="Twice")
    listed = govc("events", "/Lab/vm/nested/inner")
    assert "[error] It failed" in listed and "It is on" in listed and "Twice" not in listed
    only = govc("events", "-type", "VmFailedStartingSecondaryEvent", "/Lab/vm/nested/inner")
    assert "It failed" in only and "It is on" not in only
    ids = govc("events", "-type", "esx.problem.net.vmknic.ip.duplicate", "-json", "/Lab/host/Cluster/esxi01.lab.local")
    assert json.loads(ids)["message"] == "Twice"
