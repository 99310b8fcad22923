"""Finding and reading objects with pyvmomi."""

import threading

import pytest
from pyVmomi import vim, vmodl

# The properties that the modules read, by type.
READ = {
    vim.VirtualMachine: """name config.ftInfo config.instanceUuid config.uuid config.changeVersion config.extraConfig
        config.template config.version config.hardware.device runtime.powerState runtime.connectionState
        runtime.faultToleranceState runtime.needSecondaryReason runtime.host runtime.question parent""",
    vim.HostSystem: """name parent datastore config.product config.product.version config.product.build
        config.product.fullName summary.hardware summary.hardware.vendor summary.hardware.model
        configManager.advancedOption runtime.connectionState runtime.inMaintenanceMode""",
    vim.ClusterComputeResource: "name host configurationEx configurationEx.dasConfig.enabled parent",
    vim.Folder: "name childEntity parent",
    vim.Datacenter: "name vmFolder hostFolder parent",
    vim.Datastore: "name parent",
}
# These are unset unless there is something to report.
MAY_BE_UNSET = {"config.ftInfo", "runtime.needSecondaryReason", "runtime.question", "parent"}


def retrieve(client, objects, kind, paths, **options):
    spec = vim.PropertyFilterSpec(
        objectSet=[vim.ObjectSpec(obj=obj) for obj in objects],
        propSet=[vim.PropertySpec(type=kind, pathSet=paths)],
    )
    collector = client.content.propertyCollector
    result = collector.RetrievePropertiesEx([spec], vim.PropertyCollector.RetrieveOptions(**options))
    pages = []
    while result:
        pages.append(result.objects)
        result = result.token and collector.ContinueRetrievePropertiesEx(result.token)
    return pages


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_every_property_of_the_modules_exists(simulator, connect, personality):
    client = connect(simulator(personality=personality))
    for kind, text in READ.items():
        paths = text.split()
        for content in retrieve(client, client.all(kind), kind, paths)[0]:
            got = {prop.name: prop.val for prop in content.propSet}
            assert set(paths) - set(got) <= MAY_BE_UNSET, content.obj
            assert not content.missingSet


def test_whole_objects_and_single_properties_agree(simulator, connect):
    client = connect(simulator(personality="8.0"))
    vm = client.vm()
    assert vm.config.instanceUuid == vm.summary.config.instanceUuid
    assert vm.summary.runtime.powerState == vm.runtime.powerState == "poweredOn"
    host = vm.runtime.host
    assert vm in host.vm and host.parent in client.all(vim.ClusterComputeResource)
    assert host.config.product.build == host.summary.config.product.build
    assert {o.key for o in host.config.option} == {o.key for o in host.configManager.advancedOption.setting}
    for kind in READ:
        for obj in client.all(kind):
            spec = vim.PropertyFilterSpec(
                objectSet=[vim.ObjectSpec(obj=obj)], propSet=[vim.PropertySpec(type=kind, all=True)]
            )
            (content,) = client.content.propertyCollector.RetrieveProperties([spec])
            assert {prop.name: prop.val for prop in content.propSet}["name"] == obj.name


def test_a_traversal_finds_every_vm_once(simulator, connect):
    client = connect(simulator(vms=3))
    spec = vim.TraversalSpec
    ref = vim.SelectionSpec
    steps = [
        spec(name="folder", type=vim.Folder, path="childEntity", selectSet=[ref(name="folder"), ref(name="dc")]),
        spec(name="dc", type=vim.Datacenter, path="vmFolder", skip=False, selectSet=[ref(name="folder")]),
    ]
    filter_ = vim.PropertyFilterSpec(
        objectSet=[vim.ObjectSpec(obj=client.content.rootFolder, skip=True, selectSet=steps)],
        propSet=[vim.PropertySpec(type=vim.VirtualMachine, pathSet=["name"])],
    )
    found = client.content.propertyCollector.RetrieveProperties([filter_])
    names = sorted(content.propSet[0].val for content in found)
    assert names == ["inner", "other", "template01", "vm0000", "vm0001", "vm0002"]


@pytest.mark.parametrize(
    "flags, options", [({"page": 2}, {}), ({}, {"maxObjects": 2}), ({"page": 2}, {"maxObjects": 5})]
)
def test_pages_are_followed(simulator, connect, flags, options):
    client = connect(simulator(vms=4, **flags))
    pages = retrieve(client, client.all(vim.VirtualMachine), vim.VirtualMachine, ["name"], **options)
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert len({content.obj._moId for page in pages for content in page}) == 7


def test_missing_objects_are_a_fault(simulator, connect):
    client = connect(simulator(personality="5.0"))
    vm = client.vm()
    collector = client.content.propertyCollector
    for path in ("nonsense", "runtime.nonsense", "config.files.ftMetadataDirectory"):
        with pytest.raises(vmodl.query.InvalidProperty) as caught:
            retrieve(client, [vm], vim.VirtualMachine, ["name", path])
        assert caught.value.name == path
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        retrieve(client, [vim.VirtualMachine("vm-9999")], vim.VirtualMachine, ["name"])
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        retrieve(client, [vim.HostSystem("vm-63")], vim.HostSystem, ["name"])
    with pytest.raises(vmodl.fault.InvalidArgument):
        collector.ContinueRetrievePropertiesEx("1-1")


def test_unreadable_properties_are_reported_as_missing(simulator, connect):
    lab = simulator()
    client = connect(lab)
    vm = client.vm()
    lab.set("vm-63", unreadable=["config"])
    ((content,),) = retrieve(client, [vm], vim.VirtualMachine, ["name", "config.extraConfig"])
    assert [prop.name for prop in content.propSet] == ["name"]
    (missing,) = content.missingSet
    assert missing.path == "config.extraConfig" and isinstance(missing.fault, vim.fault.NoPermission)


def test_the_search_index_finds_objects(simulator, connect):
    client = connect(simulator(scenario="duplicates"))
    index = client.content.searchIndex
    vm = index.FindByInventoryPath("Lab/vm/nested/inner")
    assert vm == index.FindByInventoryPath("/Lab/vm/nested/inner/") == client.vm()
    assert index.FindByInventoryPath("Lab/vm/inner") is None
    assert index.FindByUuid(None, vm.config.instanceUuid, True, True) == vm
    assert index.FindByUuid(None, vm.config.uuid, True, False) == vm
    assert index.FindByUuid(None, vm.config.instanceUuid, True, False) is None
    lab, other = (index.FindByInventoryPath(name) for name in ("Lab", "DC2"))
    assert index.FindByUuid(lab, vm.config.uuid, True) == vm
    assert index.FindByUuid(other, vm.config.uuid, True) is None
    assert index.FindAllByUuid(None, vm.config.uuid, True) == [vm]
    host = index.FindByDnsName(None, "esxi02.lab.local", False)
    assert isinstance(host, vim.HostSystem) and host.name == "esxi02.lab.local"
    assert index.FindChild(lab.vmFolder, "nested").name == "nested"
    assert index.FindByDatastorePath(lab, vm.config.files.vmPathName) == vm
    twins = [one for one in client.all(vim.VirtualMachine) if one.name == "twin"]
    assert len({one.parent.name for one in twins}) == len(twins) == 2


def test_names_are_escaped(simulator, connect):
    lab = simulator()
    client = connect(lab)
    lab.set("vm-64", name="a/b%c")
    assert vim.VirtualMachine("vm-64", client.si._stub).name == "a%2fb%25c"
    assert client.content.searchIndex.FindByInventoryPath("Lab/vm/a%2fb%25c")._moId == "vm-64"


@pytest.mark.parametrize("state", ["inaccessible", "orphaned"])
def test_an_unreachable_vm_has_no_config(simulator, connect, state):
    lab = simulator()
    client = connect(lab)
    vm = client.vm()
    lab.set("vm-63", connection=state, question="What now?")
    assert vm.config is None and vm.runtime.connectionState == state
    assert vm.runtime.question.text == "What now?" and vm.name == "inner"


def test_a_host_without_vcenter(simulator, connect):
    client = connect(simulator(personality="5.0", direct=True))
    assert client.content.about.apiType == "HostAgent"
    assert client.content.rootFolder._moId == "ha-folder-root"
    vm = client.content.searchIndex.FindByInventoryPath("ha-datacenter/vm/inner")
    assert vm.runtime.host._moId == "ha-host"
    client.set_extra(vm, replay__supported="TRUE")
    with pytest.raises(vmodl.fault.NotSupported):
        vm.CreateSecondaryVM_Task()
    session = client.content.sessionManager.currentSession
    with pytest.raises(vmodl.fault.NotImplemented):
        client.content.sessionManager.SessionIsActive(session.key, session.userName)


def test_a_wait_ends_with_a_change_a_timeout_or_a_cancel(simulator, connect):
    lab = simulator()
    client = connect(lab)
    collector = client.content.propertyCollector
    spec = vim.PropertyFilterSpec(
        objectSet=[vim.ObjectSpec(obj=client.vm())],
        propSet=[vim.PropertySpec(type=vim.VirtualMachine, pathSet=["config.changeVersion"])],
    )
    filter_ = collector.CreateFilter(spec, True)
    first = collector.WaitForUpdatesEx("", None)
    assert first.filterSet[0].objectSet[0].kind == "enter"
    assert collector.WaitForUpdatesEx(first.version, vim.PropertyCollector.WaitOptions(maxWaitSeconds=0)) is None
    threading.Thread(target=lab.touch, args=("vm-63",)).start()
    second = collector.WaitForUpdatesEx(first.version, vim.PropertyCollector.WaitOptions(maxWaitSeconds=10))
    assert second.filterSet[0].objectSet[0].kind == "modify"
    threading.Thread(target=collector.CancelWaitForUpdates).start()
    with pytest.raises(vmodl.fault.RequestCanceled):
        collector.WaitForUpdatesEx(second.version, vim.PropertyCollector.WaitOptions(maxWaitSeconds=10))
    with pytest.raises(vmodl.query.InvalidCollectorVersion):
        collector.WaitForUpdatesEx("999", vim.PropertyCollector.WaitOptions(maxWaitSeconds=1))
    filter_.Destroy()
    own = collector.CreatePropertyCollector()
    own.CreateFilter(spec, True)
    assert own.WaitForUpdatesEx("", None).filterSet
    own.Destroy()
    with pytest.raises(vmodl.fault.ManagedObjectNotFound):
        own.WaitForUpdatesEx("", None)
