"""The privileges that modules need: reads modules/NAME/privileges.yml, and generates playbooks/privileges.md."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

import yaml

from modules import MODULES, ROOT

PAGE = ROOT / "playbooks" / "privileges.md"
# Every role has these.
READ = ["System.Anonymous", "System.View", "System.Read"]
# Words of the lists for objects, and those of the page.
PLACES = {
    "root folder": "the root folder",
    "Folder": "folders",
    "Datacenter": "datacenters",
    "ClusterComputeResource": "clusters",
    "HostSystem": "hosts",
    "VirtualMachine": "virtual machines",
    "ResourcePool": "resource pools",
    "Datastore": "datastores",
    "Network": "networks",
}
# Where a privilege is from, unless it is the API reference of its method.
SOURCES = {
    "Datastore.Browse": "[3]",
    "Datastore.FileManagement": "[3]",
    "Global.Diagnostics": "[1], the object: [4]",
    "Global.Settings": "reported for other `esxcli` commands [5], not documented",
    "Host.Config.AdvancedConfig": "[2]",
    "VirtualMachine.Config.AdvancedConfig": "[6]",
    "VirtualMachine.Config.Settings": "inferred: [6] does not name this setting",
}
TEMPLATE = """\
<!-- Generated from modules/*/privileges.yml by tests/contract/test_privileges.py: do not edit. -->
# Privileges

This page lists what the user in `username` must be allowed to do. Every role includes read access (`System.Anonymous`,
`System.View`, `System.Read`) [7]. Check mode predicts every change with read access alone. If a privilege is missing, a run fails
with `permission` and names the privilege and the object, unless the tables below say otherwise.

## One role for all modules

Leave out what you do not use. VMware advises to give `Global.Diagnostics` to administrators only [4]; `host_logs: true` needs it.

With govc:

{govc}

With PowerCLI (these lines were not run: PowerCLI is not part of our tests):

{powercli}

Both give the role on the root folder, for all objects below. To give less, use the role *Read-only* on the root folder, and this
role on the objects that the tables name, or on a folder or datacenter above them. `Global.Diagnostics` must be on the root folder [4].

## What each module needs

{modules}
## What is proved

The simulator refuses every call without the privilege that the sources name. There, `tests/contract/test_privileges.py` runs each
use in each table:

- With these privileges on these objects, and read access, it works.
- With one privilege less on one type of object, it fails or goes on, as the table says.
- Without read access to one listed type of object, its result differs. Read access to other types makes no difference.

The test also runs ft_diagnose, host_option, vm_power, vmkernel_service and vmx_option against a simulated ESXi host without
vCenter Server.

vcsim accepts the govc lines. Its list of privileges was captured from a real server, and it refuses any other name.

**No list has been tried on a real vCenter Server.** The weakest points are:

- the privileges whose source is not the API reference
- how a server hides an object from a user without read access
- actions of vCenter Server on further objects: to turn on Fault Tolerance, VMware's instructions ask for an account with cluster
  administrator permissions [8]

| privilege | used by | source |
|---|---|---|
{sources}

1. vSphere API reference, "Required privileges" of each method: developer.broadcom.com/xapis/virtual-infrastructure-json-api.
   pyvmomi's type registry names the same ones; `tests/conformance/test_privileges.py` compares them with the simulator's.
2. The same, `UpdateOptions` of `OptionManager`
3. *vSphere Web Services SDK Programming Guide*, "Privilege Requirements for HTTP Access": vdc-download.vmware.com,
   GUID-D8AF2F09-09B8-47AD-9F10-BA80F8A2BA6A
4. *vSphere Security* 6.0, "Global Privileges"
5. William Lam, *Minimum vSphere privileges to install or remove patch from ESXi*, williamlam.com/2024/04
6. vSphere API reference, `ReconfigVM_Task` of `VirtualMachine`
7. *vSphere Web Services SDK Programming Guide* 8.0, "Description of Roles on vSphere Servers": docs.vmware.com,
   GUID-2BAC57EF-7623-4F42-A4EF-A4884F26AC4A
8. *vSphere Availability* 6.7, "Turn On Fault Tolerance"
"""


@dataclass(frozen=True)
class Use:
    """A use of a module, and what its user needs for it beyond read access."""

    module: str
    name: str
    # The objects by privilege.
    needs: dict[str, list[str]]
    # What happens without a privilege; None if the run fails.
    without: str | None


def listed(module: str) -> dict:
    """Returns the content of a module's list."""
    return yaml.safe_load((ROOT / "modules" / module / "privileges.yml").read_text())


def uses() -> list[Use]:
    """Returns all uses of all modules."""
    return [
        Use(module, use["for"], {name: place.split(" and ") for name, place in use["needs"].items()}, use.get("without"))
        for module in MODULES
        for use in listed(module)["uses"]
    ]


def role() -> list[str]:
    """Returns the privileges that suffice for all modules."""
    return sorted({privilege for use in uses() for privilege in use.needs})


def words(kinds: list[str]) -> str:
    """Returns the names of objects as a list in a sentence."""
    *first, last = [PLACES[kind] for kind in kinds]
    return f"{', '.join(first)} and {last}" if first else last


def table(module: str) -> str:
    """Returns the section of a module."""
    own = [use for use in uses() if use.module == module]
    optional = any(use.without for use in own)
    lines = [f"### {module}", "", f"Read access: {words(listed(module)['read'])}.", ""]
    lines += ["| for | privilege | on |" + " without it |" * optional, "|---|---|---|" + "---|" * optional]
    for use in own:
        for number, (privilege, places) in enumerate(use.needs.items()):
            first = number == 0
            row = [use.name if first else "", f"`{privilege}`", words(places)]
            row += [(use.without or "The run fails.") if first else ""] * optional
            lines.append("|" + "".join(f" {cell} |" if cell else " |" for cell in row))
    return "\n".join([*lines, "", ""])


def page() -> str:
    """Returns the page."""
    names = textwrap.wrap(" ".join(role()), 110)
    govc = ["govc role.create nested-vft \\", *[f"    {line} \\" for line in names[:-1]], f"    {names[-1]}"]
    govc.append(r"govc permissions.set -principal 'LAB\nested-vft' -role nested-vft -propagate /")
    ids = textwrap.wrap(", ".join(f"'{privilege}'" for privilege in role()), 110)
    powercli = ["$ids = @(", *[f"    {line}" for line in ids], ")"]
    powercli += [
        "New-VIRole -Name nested-vft -Privilege (Get-VIPrivilege -Id $ids)",
        r"New-VIPermission -Entity (Get-Folder -NoRecursion) -Principal 'LAB\nested-vft' -Role nested-vft -Propagate:$true",
    ]
    sources = [
        f"| `{privilege}` | {', '.join(sorted({use.module for use in uses() if privilege in use.needs}))} | "
        f"{SOURCES.get(privilege, '[1]')} |"
        for privilege in role()
    ]
    return TEMPLATE.format(
        govc=textwrap.indent("\n".join(govc), "    "),
        powercli=textwrap.indent("\n".join(powercli), "    "),
        modules="".join(table(module) for module in MODULES).removesuffix("\n"),
        sources="\n".join(sources),
    )
