"""The lines of govc on the migration page, beside those of our program."""

import json
import os
import re
import shutil
import subprocess

from modules import BINARIES, ROOT, connection, environment, run_module

GOVC = os.environ.get("GOVC") or shutil.which("govc") or "govc"
PAGE = (ROOT / "playbooks" / "migration.md").read_text()
# Each govc line, with our line below it.
PAIRS = re.findall(r"^(govc .*)\n(nested_vft .*)$", PAGE, re.MULTILINE)
# What has to be undone in a healthy lab, so that the lines have something to do.
BEFORE = [
    ("cluster_ha", {"cluster_name": "Cluster", "state": "disabled"}),
    ("vmkernel_service", {"esxi_hostname": "esxi01.lab.local", "device": "vmk1", "services": "faultToleranceLogging", "state": "absent"}),
]
READING = ("object.collect", "events")


def test_every_line_of_govc_has_one_of_ours():
    assert len(PAIRS) == len(re.findall(r"^govc ", PAGE, re.MULTILINE)) >= 8


def lab_and_environment(simulator):
    """Starts a lab in which every line has something to do, and returns it with the environment for the lines."""
    lab = simulator(personality="6.7", scenario="healthy")
    for module, args in BEFORE:
        assert run_module(module, connection(lab.facts) | args).changed
    lab.post_event(lab.facts["vm_moid"], "VmFailedStartingSecondaryEvent", reason="migrateFailed")
    server = {"GOVC_URL": lab.facts["url"], "VMWARE_HOST": lab.facts["hostname"], "VMWARE_PORT": str(lab.facts["port"])}
    user = {f"{name}_{end}": lab.facts["username"] for name, end in (("GOVC", "USERNAME"), ("VMWARE", "USER"))}
    password = {f"{name}_PASSWORD": lab.facts["password"] for name in ("GOVC", "VMWARE")}
    trust = {"GOVC_INSECURE": "1", "VMWARE_VALIDATE_CERTS": "false"}
    govc = {"GOVC_PERSIST_SESSION": "false", "GOVC_VIM_VERSION": "6.7"}
    return lab, environment(server | user | password | trust | govc)


def run(line, env):
    """Runs a line of the page, and returns what it printed."""
    programs = {"PATH": f"{BINARIES}{os.pathsep}{os.path.dirname(GOVC)}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", line], env=env | programs, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


def test_both_lines_of_a_pair_do_the_same(simulator):
    labs = [lab_and_environment(simulator) for _ in range(2)]
    for pair in PAIRS:
        before = labs[0][0].dump()
        told = [run(line, env) for line, (_, env) in zip(pair, labs, strict=True)]
        for lab, _ in labs:
            lab.settle()
        states = [lab.dump() for lab, _ in labs]
        assert states[0] == states[1], pair
        if pair[0].split()[1] in READING:
            assert all(told) and states[0] == before
        else:
            assert states[0] != before, pair
    # govc has no command for the remaining lines.
    (_, ours), paired = labs[1], [line for _, line in PAIRS]
    for line in re.findall(r"^nested_vft .*$", PAGE, re.MULTILINE):
        assert line in paired or json.loads(run(line, ours))["changed"], line
