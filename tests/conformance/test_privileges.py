"""The privileges of the user: the simulator against pyvmomi, and its table against pyvmomi's type registry."""

import pathlib
import re

import lab
import pytest
from pyVmomi import VmomiSupport, vim

READ = ["System.Anonymous", "System.View", "System.Read"]
SIMULATOR = pathlib.Path(lab.__file__).parent / "simulator" / "src" / "methods"
# The registry has no privilege for these: those of the first two depend on the arguments and on the object, and it does not
# know the third.
DYNAMIC = {"ReconfigVM_Task", "UpdateOptions", "ExecuteSoap"}


def registered():
    """Returns the privileges of the served methods beyond read access, from pyvmomi's registry."""
    served = re.findall(r"^        (\w+) =>", (SIMULATOR / "mod.rs").read_text(), re.MULTILINE)
    methods = [method for entry in VmomiSupport._managedDefMap.values() for method in entry[5] or []]
    needs = {method[1]: method[5] for method in methods if method[1] in served}
    return {name: privilege for name, privilege in needs.items() if privilege and not privilege.startswith("System.")}


def test_the_table_is_that_of_the_registry():
    rows = re.findall(r'^    \("(\w+)", "\w*", "([\w.]+)"\),$', (SIMULATOR / "privilege.rs").read_text(), re.MULTILINE)
    assert {name for name, _ in rows if name in DYNAMIC} == DYNAMIC
    assert dict(row for row in rows if row[0] not in DYNAMIC) == registered()


def test_a_call_without_its_privilege_is_refused(simulator, connect):
    lab = simulator()
    client = connect(lab)
    vm = client.vm()
    lab.grant({"*": READ, "HostSystem": ["VirtualMachine.Interact.PowerOff"]})
    with pytest.raises(vim.fault.NoPermission) as caught:
        vm.PowerOffVM_Task()
    assert (caught.value.object, caught.value.privilegeId) == (vm, "VirtualMachine.Interact.PowerOff")
    assert vm.runtime.powerState == "poweredOn"
    lab.grant({"*": READ, vm._moId: ["VirtualMachine.Interact.PowerOff"]})
    client.run(vm.PowerOffVM_Task())


@pytest.mark.parametrize(
    ("field", "privilege"),
    [
        ({"extraConfig": [vim.option.OptionValue(key="a.b", value="1")]}, "VirtualMachine.Config.AdvancedConfig"),
        ({"ftEncryptionMode": "ftEncryptionRequired"}, "VirtualMachine.Config.Settings"),
    ],
)
def test_a_reconfiguration_needs_the_privilege_of_each_field(field, privilege, simulator, connect):
    lab = simulator(personality="8.0")
    client = connect(lab)
    vm = client.vm()
    lab.grant({"*": READ})
    with pytest.raises(vim.fault.NoPermission) as caught:
        vm.ReconfigVM_Task(vim.vm.ConfigSpec(**field))
    assert caught.value.privilegeId == privilege
    lab.grant({"*": [*READ, privilege]})
    client.run(vm.ReconfigVM_Task(vim.vm.ConfigSpec(**field)))


def test_managers_count_as_their_host_or_as_the_root_folder(simulator, connect):
    lab = simulator()
    client = connect(lab)
    host = client.all(vim.HostSystem)[0]
    lab.grant({"*": READ})
    change = vim.option.OptionValue(key="Migrate.VMotionStreamDisable", value=VmomiSupport.long(1))
    for call, place, privilege in [
        (lambda: host.configManager.advancedOption.UpdateOptions([change]), host, "Host.Config.AdvancedConfig"),
        (
            lambda: host.configManager.virtualNicManager.SelectVnicForNicType("vmotion", "vmk1"),
            host,
            "Host.Config.Network",
        ),
        (
            lambda: client.content.diagnosticManager.QueryDescriptions(host),
            client.content.rootFolder,
            "Global.Diagnostics",
        ),
    ]:
        with pytest.raises(vim.fault.NoPermission) as caught:
            call()
        assert (caught.value.object, caught.value.privilegeId) == (place, privilege)
        lab.grant({"*": READ, place._moId: [privilege]})
        call()
        lab.grant({"*": READ})


def test_without_read_access_an_object_is_left_out(simulator, connect):
    lab = simulator()
    client = connect(lab)
    vm, index = client.vm(), client.content.searchIndex
    lab.grant({kind: READ for kind in ("Folder", "Datacenter", "HostSystem")})
    assert client.all(vim.VirtualMachine) == [] and client.all(vim.HostSystem)
    assert index.FindByInventoryPath("Lab/vm") and not index.FindByInventoryPath("Lab/vm/nested/inner")
    with pytest.raises(vim.fault.NoPermission) as caught:
        vm.runtime.powerState  # noqa: B018
    assert caught.value.privilegeId == "System.View"
    lab.grant()
    assert vm.runtime.powerState == "poweredOn"
