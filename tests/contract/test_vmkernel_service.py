"""vmkernel_service against the simulator, from the view of a vSphere administrator."""

from __future__ import annotations

import pytest

from modules import Result, connection, run_module

SELECT = "SelectVnicForNicType"
DESELECT = "DeselectVnicForNicType"


def service(lab, device: str | None, services, /, *flags: str, **more) -> Result:
    target = {} if {"esxi_hostname", "cluster_name"} & more.keys() else {"cluster_name": lab.facts["cluster"]}
    nic = {} if device is None else {"device": device}
    return run_module("vmkernel_service", connection(lab.facts) | target | nic | {"services": services} | more, *flags)


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_a_service_is_enabled_and_disabled_on_a_vmknic(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    for state, before, after in [
        ("present", ["faultToleranceLogging"], ["faultToleranceLogging", "vmotion"]),
        ("absent", ["faultToleranceLogging", "vmotion"], ["faultToleranceLogging"]),
    ]:
        foretold = service(lab, "vmk1", "vmotion", "--check", "--diff", state=state)
        done = service(lab, "vmk1", ["vmotion"], "--diff", state=state)
        again = service(lab, "vmk1", "vmotion", state=state)
        assert (foretold.changed, done.changed, again.changed) == (True, True, False), done.msg
        assert foretold.json["diff"] == done.json["diff"]
        assert foretold.json["hosts"] == done.json["hosts"]
        for host in done.json["hosts"]:
            assert (host["device"], host["portgroup"]) == ("vmk1", "FT")
            assert host["ip"].startswith("172.30.") and host["ip"].endswith(".90")
            assert (sorted(host["services_before"]), sorted(host["services"])) == (before, after)
        assert [host["name"] for host in done.json["hosts"]] == sorted(lab.facts["hosts"])


def test_changing_the_only_vmknic_of_a_service_warns(healthy):
    moved = service(healthy, "vmk0", "faultToleranceLogging")
    assert moved.changed and all("faultToleranceLogging" in host["services"] for host in moved.json["hosts"])
    (warning,) = moved.json["warnings"]
    assert all(part in warning for part in [*healthy.facts["hosts"], "vmk0", "vmk1"]), "one warning names all hosts"
    former = service(healthy, "vmk1", "faultToleranceLogging", "--check", state="absent")
    assert not former.changed, "the former vmknic no longer carries the service"
    assert "warnings" not in former.json
    assert DESELECT not in healthy.methods(), "the selection itself replaces the former one"


def test_if_several_vmknics_may_carry_a_service_all_keep_it(simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    foretold = service(lab, "vmk2", "faultToleranceLogging", "--check", "--diff")
    added = service(lab, "vmk2", "faultToleranceLogging", "--diff")
    assert added.changed and "warnings" not in foretold.json and "warnings" not in added.json
    assert foretold.json["diff"] == added.json["diff"]
    assert not service(lab, "vmk1", "faultToleranceLogging", "--check").changed, "the former vmknic still carries the service"


def test_several_services_are_one_task(healthy):
    services = ["vmotion", "faultToleranceLogging"]
    one = healthy.facts["hosts"][0]
    off = service(healthy, "vmk1", services, state="absent", esxi_hostname=one)
    assert off.json["hosts"][0]["services"] == []
    on = service(healthy, "vmk1", services)
    assert [host["changed"] for host in on.json["hosts"]] == [True, True]
    assert not service(healthy, "vmk1", ",".join(services)).changed


def test_a_port_group_selects_the_vmknic_on_every_host(healthy):
    done = service(healthy, None, "vmotion", portgroup="FT")
    assert done.changed and {host["device"] for host in done.json["hosts"]} == {"vmk1"}
    assert not service(healthy, "vmk1", "vmotion").changed
    again = service(healthy, None, "vmotion", portgroup="FT")
    assert again.msg == "No change: the vmknic on `FT` carries vmotion on 2 hosts."


@pytest.mark.parametrize("nic", [{"device": "vmk9"}, {"portgroup": "Nowhere"}])
def test_a_missing_vmknic_is_an_error_that_lists_the_existing_ones(nic, healthy):
    result = service(healthy, None, "vmotion", **nic)
    assert result.kind == "not_found" and result.changed is False
    for error in (host["error"] for host in result.json["hosts"]):
        for word in ("vmk0", "Management Network", "vmk1", "FT", "172.30."):
            assert word in error["hint"]
    assert not {SELECT, DESELECT} & set(healthy.methods())


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"services": []}, "at least one service"),
        ({"services": "management"}, "management"),
        ({"services": "vmotion", "portgroup": "FT"}, "cannot be used together"),
        ({"services": "faulttolerancelogging"}, "faultToleranceLogging"),
    ],
)
def test_conflicting_arguments_are_rejected(args, words, healthy):
    result = run_module(
        "vmkernel_service", connection(healthy.facts) | {"cluster_name": "Cluster", "device": "vmk1"} | args
    )
    assert result.kind == "invalid_arguments" and words in result.msg
    assert healthy.methods() == []


@pytest.mark.parametrize("hosts", [2, 50])
def test_a_run_without_change_costs_one_request_per_host_and_four_more(hosts, simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=hosts, http=True)
    result = service(lab, "vmk1", "faultToleranceLogging")
    assert not result.changed and len(result.json["hosts"]) == hosts
    assert len(lab.methods()) == 4 + hosts, lab.methods()


@pytest.mark.parametrize("personality", ["5.0", "6.7"])
def test_it_works_on_a_host_without_vcenter(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy", direct=True)
    name = lab.facts["hostname"]
    assert service(lab, "vmk1", "vmotion", esxi_hostname=name).changed
    assert not service(lab, "vmk1", "vmotion", esxi_hostname=name).changed


def test_one_failing_host_hides_no_other_host(healthy):
    bad = healthy.facts["host_moids"][0]
    healthy.inject(method=SELECT, object=f"virtualNicManager-{bad}", fault="HostConfigFault", message="vmk1 is busy")
    result = service(healthy, "vmk1", "vmotion")
    failed, done = sorted(result.json["hosts"], key=lambda host: host["moid"] != bad)
    assert failed["error"]["kind"] == "fault" and "vmk1 is busy" in failed["error"]["detail"]
    assert "vmotion" in failed["error"]["detail"] and failed["changed"] is False
    assert done["changed"] and done["error"] is None and result.changed
    again = service(healthy, "vmk1", "vmotion")
    assert sorted(host["changed"] for host in again.json["hosts"]) == [False, True]


def test_a_half_finished_host_counts_as_changed(healthy):
    one = healthy.facts["hosts"][0]
    service(healthy, "vmk1", ["vmotion", "faultToleranceLogging"], state="absent", esxi_hostname=one)
    healthy.inject(method=SELECT, after=1, fault="HostConfigFault")
    result = service(healthy, "vmk1", ["vmotion", "faultToleranceLogging"], esxi_hostname=one)
    assert result.json["failed"] and result.changed
    assert result.json["hosts"][0]["services"] == ["vmotion"]


def test_a_selection_that_never_shows_is_a_named_error_and_counts_as_changed(healthy):
    healthy.inject(method=SELECT, how="silent", times=0)
    one = healthy.facts["hosts"][0]
    result = service(healthy, "vmk1", "vmotion", esxi_hostname=one, timeout=2)
    assert result.kind == "fault" and f"host {one}" in result.msg and "vmk1 does not carry vmotion" in result.msg
    assert "run the task again" in result.json["error"]["hint"]
    assert result.changed is True, "vSphere accepted the call, so the outcome is unknown"


def test_the_state_is_read_from_the_host_and_not_from_what_vcenter_shows_late(healthy):
    healthy.set(healthy.facts["host_moids"][0], nic_lag=60_000)
    one = healthy.facts["hosts"][0]
    for state, carried in (("present", True), ("absent", False)):
        done, again = (service(healthy, "vmk1", "vmotion", esxi_hostname=one, state=state) for _ in range(2))
        assert (done.changed, again.changed) == (True, False), done.msg
        for result in (done, again):
            assert ("vmotion" in result.json["hosts"][0]["services"]) is carried
    assert healthy.methods().count(SELECT) == healthy.methods().count(DESELECT) == 1


def test_a_host_that_cannot_be_asked_is_read_from_what_vcenter_shows(healthy):
    healthy.set(healthy.facts["host_moids"][0], nic_lag=700)
    healthy.inject(method="QueryNetConfig", fault="NotSupported", times=0)
    one = healthy.facts["hosts"][0]
    done, again = (service(healthy, "vmk1", "vmotion", esxi_hostname=one) for _ in range(2))
    assert (done.changed, again.changed) == (True, False), done.msg
    assert healthy.methods().count(SELECT) == 1


def test_a_service_that_the_host_does_not_know_is_unsupported(healthy):
    healthy.inject(method="QueryNetConfig", fault="InvalidArgument", times=0)
    result = service(healthy, "vmk1", "vmotion")
    assert result.kind == "unsupported" and "does not support the service vmotion" in result.msg


def test_a_selection_that_nothing_shows_counts_as_a_change(healthy):
    healthy.set(healthy.facts["host_moids"][0], nic_lag=60_000)
    healthy.inject(method="QueryNetConfig", fault="NotSupported", times=0)
    one = healthy.facts["hosts"][0]
    result = service(healthy, "vmk1", "vmotion", esxi_hostname=one, timeout=2)
    assert result.json["failed"] and result.changed is True and result.json["hosts"][0]["changed"] is True
    assert "run the task again" in result.json["error"]["hint"]


def test_an_expired_session_is_renewed_and_the_selection_made_once(healthy):
    one = healthy.facts["hosts"][0]
    healthy.inject(method=SELECT, how="expire-session")
    assert service(healthy, "vmk1", "vmotion", esxi_hostname=one).changed
    assert "vmotion" in service(healthy, "vmk1", "vmotion", esxi_hostname=one).json["hosts"][0]["services_before"]


def test_an_unreachable_host_is_reported(healthy):
    name, moid = healthy.facts["hosts"][0], healthy.facts["host_moids"][0]
    healthy.set(moid, connection="notResponding")
    result = service(healthy, "vmk1", "vmotion")
    assert result.kind == "conflict" and f"host {name} is not responding" in result.msg
    assert [host["changed"] for host in result.json["hosts"]].count(True) == 1


def test_a_vmknic_that_cannot_carry_services_is_no_candidate(healthy):
    result = service(healthy, "vmk3", "vmotion")
    assert result.kind == "not_found" and "vmk3" in result.msg and SELECT not in healthy.methods()


def test_a_port_group_with_several_vmknics_is_ambiguous_only_on_that_host(healthy):
    name, moid = healthy.facts["hosts"][0], healthy.facts["host_moids"][0]
    healthy.set(moid, portgroups={"vmk2": "FT"})
    result = service(healthy, None, "vmotion", portgroup="FT")
    by_name = {host["name"]: host for host in result.json["hosts"]}
    error = by_name.pop(name)["error"]
    assert error["kind"] == "ambiguous" and "vmk1 (FT, 172.30.0.90), vmk2 (FT, 172.30.0.100)" in error["detail"]
    assert "device" in error["hint"]
    assert all(host["changed"] and host["error"] is None for host in by_name.values())


def test_a_service_is_only_removed_from_a_vmknic_that_is_named(healthy):
    result = service(healthy, None, "vmotion", state="absent")
    assert result.kind == "invalid_arguments" and "`state: absent` needs `device` or `portgroup`" in result.msg
