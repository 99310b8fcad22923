"""vmx_option, host_option and vm_power against vcsim. govc checks what they did."""

from __future__ import annotations

import pytest

from modules import run_module

VM = "DC0_H0_VM0"
LEVEL = "Config.HostAgent.log.level"


@pytest.fixture(autouse=True)
def no_session_is_left(vcsim):
    yield
    # Options that govc sets itself.
    agents = [session["userAgent"] for session in vcsim.govc("session.ls")["sessionList"]]
    assert [agent for agent in agents if not agent.startswith("govc")] == []


def extra_config(vcsim) -> dict:
    machine = vcsim.govc("vm.info", VM)["virtualMachines"][0]
    return {option["key"]: option["value"] for option in machine["config"]["extraConfig"]}


def test_vmx_options_are_set_and_removed(vcsim):
    args = vcsim.connection | {"name": VM, "options": {"replay.supported": "true", "guestinfo.a": "<&>\"'ż"}}
    assert run_module("vmx_option", args, "--check").changed
    assert "replay.supported" not in extra_config(vcsim)
    first = run_module("vmx_option", args)
    assert first.changed and first.json["needs_power_cycle"] is True
    assert extra_config(vcsim).items() >= args["options"].items()
    assert not run_module("vmx_option", args).changed

    gone = args | {"options": {"REPLAY.supported": None}, "state": "absent"}
    assert run_module("vmx_option", gone).changed
    assert not run_module("vmx_option", gone).changed
    assert "replay.supported" not in extra_config(vcsim)
    assert extra_config(vcsim)["guestinfo.a"] == args["options"]["guestinfo.a"]


@pytest.mark.parametrize(
    ("target", "hosts"),
    [
        ({"esxi_hostname": "DC0_H0"}, ["DC0_H0"]),
        ({"cluster_name": "DC0_C0"}, ["DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2"]),
        ({"esxi_hostname": ["DC0_C0_H1", "DC0_H0"]}, ["DC0_C0_H1", "DC0_H0"]),
    ],
)
def test_host_options_change_on_all_selected_hosts(vcsim, target, hosts):
    args = vcsim.connection | target | {"options": {LEVEL: "verbose"}}
    first = run_module("host_option", args)
    assert first.changed
    assert sorted(host["name"] for host in first.json["hosts"]) == hosts
    for host in first.json["hosts"]:
        assert [(option["before"], option["after"]) for option in host["options"]] == [("info", "verbose")]
        seen = vcsim.govc("host.option.ls", "-host", host["name"], LEVEL)
        assert [option["value"] for option in seen] == ["verbose"]
    assert not run_module("host_option", args).changed


def test_a_prefix_does_not_match_an_option(vcsim):
    """vcsim answers a query for a prefix with all options that begin with it."""
    args = vcsim.connection | {"esxi_hostname": "DC0_H0", "options": {"Config.HostAgent.log.lev": "verbose"}}
    result = run_module("host_option", args)
    assert result.json["failed"] and result.changed is False
    assert "Config.HostAgent.log.lev" in result.told


def test_a_missing_option_is_named_although_vcsim_reports_no_error(vcsim):
    args = vcsim.connection | {"cluster_name": "DC0_C0", "options": {"Migrate.VMotionStreamDisable": 1}}
    result = run_module("host_option", args)
    assert result.json["failed"] and result.changed is False
    assert "Migrate.VMotionStreamDisable" in result.msg
    skipped = run_module("host_option", args | {"missing": "skip"})
    assert not skipped.json["failed"] and not skipped.changed and skipped.json["warnings"]


def test_virtual_machines_are_powered_off_and_on(vcsim):
    def power(state: str):
        return run_module("vm_power", vcsim.connection | {"name": VM, "state": state})

    for state in ("powered_off", "powered_on"):
        first, second = power(state), power(state)
        assert (first.changed, second.changed) == (True, False)
        seen = vcsim.govc("vm.info", VM)["virtualMachines"][0]["runtime"]["powerState"]
        assert seen == {"powered_on": "poweredOn", "powered_off": "poweredOff"}[state]
        assert first.json["power_state"] == second.json["power_state"] == seen


def test_fault_tolerance_reports_that_the_server_does_not_support_it(vcsim):
    result = run_module("fault_tolerance", vcsim.connection | {"name": VM, "state": "present"})
    assert result.json["failed"] and result.changed is False
    assert not run_module("fault_tolerance", vcsim.connection | {"name": VM, "state": "absent"}).changed


def test_a_wrong_password_is_reported(vcsim):
    args = vcsim.connection | {"password": "another one", "name": VM, "state": "powered_on"}
    assert run_module("vm_power", args).kind == "authentication"


def test_a_certificate_that_the_system_trusts_needs_no_thumbprint(vcsim):
    args = vcsim.connection | {"name": VM, "state": "powered_on"}
    trusted = {"SSL_CERT_FILE": str(vcsim.certificate)}
    args.pop("thumbprint", None)
    assert not run_module("vm_power", args, env=trusted).json["failed"]
    if vcsim.tls:
        assert run_module("vm_power", args).kind == "tls"


def test_ft_readiness_reports_what_vcsim_returns_and_what_it_does_not(vcsim):
    result = run_module("ft_readiness", vcsim.connection | {"name": VM})
    assert not result.json["failed"] and result.changed is False, result.msg
    status = {check["id"]: check["status"] for check in result.json["checks"]}
    assert (status["ha-agent"], status["compatibility"]) == ("unknown", "unknown")
    # vcsim's hosts have `smpFtSupported` false.
    assert status["host-capability"] == "unmet"
