"""govc against the simulator. The environment variable GOVC names the program; the default is govc on PATH."""

import json
import os
import shutil
import subprocess

import pytest
from modules import connection, run_module

# Without govc these tests fail: they prove that another project's client works with the simulator.
GOVC = os.environ.get("GOVC") or shutil.which("govc") or "govc"


@pytest.fixture(params=["5.0", "6.7", "8.0"])
def govc(simulator, request):
    """Runs govc commands against a lab of each personality."""
    lab = simulator(personality=request.param)
    environment = {
        "HOME": os.environ.get("HOME", "/"),
        "PATH": os.environ["PATH"],
        "GOVC_URL": lab.facts["url"],
        "GOVC_USERNAME": lab.facts["username"],
        "GOVC_PASSWORD": lab.facts["password"],
        "GOVC_INSECURE": "1",
        "GOVC_PERSIST_SESSION": "false",
        # Without this, govc asks every server for the newest version that govc knows.
        "GOVC_VIM_VERSION": {"8.0": "8.0.0.0"}.get(request.param, request.param),
        "GOVC_MIN_API_VERSION": "5.0",
    }

    def run(*arguments, status=0):
        done = subprocess.run([GOVC, *arguments], env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == status, done.stderr
        return done.stdout if status == 0 else done.stderr

    run.lab = lab
    return run


def test_about(govc):
    about = json.loads(govc("about", "-json"))["about"]
    assert about["apiType"] == "VirtualCenter" and about["version"].startswith(govc.lab.facts["personality"])


def test_ls_and_find(govc):
    assert govc("ls", "/Lab/vm").split() == ["/Lab/vm/nested", "/Lab/vm/other", "/Lab/vm/template01"]
    assert govc("find", "/", "-type", "m", "-name", "inner").strip() == "/Lab/vm/nested/inner"
    assert len(govc("find", "/", "-type", "h").split()) == 2


def test_vm_options(govc):
    govc("vm.change", "-vm", "inner", "-e", "replay.supported=TRUE")
    (vm,) = json.loads(govc("vm.info", "-json", "inner"))["virtualMachines"]
    extra = {option["key"]: option["value"] for option in vm["config"]["extraConfig"]}
    assert extra["replay.supported"] == "TRUE"
    govc("vm.change", "-vm", "inner", "-e", "replay.supported=")
    assert "replay.supported" not in govc("vm.info", "-e", "inner")


def test_vm_power(govc):
    govc("vm.power", "-off", "inner")
    assert "poweredOff" in govc("vm.info", "inner")
    govc("vm.power", "-on", "inner")
    assert "poweredOn" in govc("vm.info", "inner")
    assert govc.lab.sessions()["live"] == 0


def test_shutting_a_guest_down(govc):
    moid = govc.lab.facts["vm_moid"]
    govc("vm.power", "-s", "-wait", "inner")
    govc.lab.settle()
    assert "poweredOff" in govc("vm.info", "inner")
    govc("vm.power", "-on", "inner")
    govc.lab.set(moid, tools="not-running")
    assert govc("object.collect", "-s", "/Lab/vm/nested/inner", "guest.toolsRunningStatus").strip() == "guestToolsNotRunning"
    with pytest.raises(AssertionError, match="VMware Tools is not running"):
        govc("vm.power", "-s", "inner")


def test_host_options(govc):
    host = ["-host", "esxi01.lab.local"]
    key = "Migrate.NetTimeout"
    assert govc("host.option.ls", *host, key).split() == [key + ":", "20"]
    govc("host.option.set", *host, key, "60")
    assert govc("host.option.ls", *host, key).split() == [key + ":", "60"]
    assert govc("host.option.ls", "-host", "esxi02.lab.local", key).split() == [key + ":", "20"]


def test_object_collect(govc):
    path = "/Lab/vm/nested/inner"
    state = govc("object.collect", "-s", path, "runtime.faultToleranceState").strip()
    assert state == "notConfigured"
    das = json.loads(govc("object.collect", "-json", "/Lab/host/Cluster", "configurationEx"))
    assert das[0]["val"]["dasConfig"]["enabled"] is True


def test_esxcli_ping(govc):
    host, (here, there) = ["-host", "esxi01.lab.local"], govc.lab.facts["host_moids"]

    def ping(*options, status=0):
        command = ["network", "diag", "ping", "-I", "vmk1", "-c", "3", "-d", "true", *options]
        return govc("host.esxcli", *host, *command, status=status)

    def counts(text):
        fields = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        return fields["Transmitted"].strip(), fields["Recieved"].strip()

    peer = ["-H", "172.30.1.90"]
    assert counts(ping(*peer, "-s", "1472")) == ("3", "3")
    assert "sendto() failed (Message too long)" in ping(*peer, "-s", "1473", status=1)
    govc.lab.set(here, mtus={"vmk1": 9000})
    govc.lab.set(there, mtus={"vmk1": 9000}, outer_mtu=1500)
    assert counts(ping(*peer, "-s", "8972")) == ("3", "0") and counts(ping(*peer, "-s", "56")) == ("3", "3")
    assert "Unknown interface" in govc("host.esxcli", *host, "network", "diag", "ping", "-I", "vmk9", *peer, status=1)


def test_encryption_of_fault_tolerance(govc):
    (vm,) = json.loads(govc("vm.info", "-json", "inner"))["virtualMachines"]
    newest = govc.lab.facts["personality"] == "8.0"
    assert vm["config"].get("ftEncryptionMode") == ("ftEncryptionOpportunistic" if newest else None)
    if newest:
        args = connection(govc.lab.facts) | {"name": "inner", "encryption": "required"}
        assert run_module("fault_tolerance", args).changed
        assert "ftEncryptionRequired" in govc("object.collect", "-s", f"VirtualMachine:{govc.lab.facts['vm_moid']}", "config.ftEncryptionMode")
