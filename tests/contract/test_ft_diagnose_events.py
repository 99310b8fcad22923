"""ft_diagnose tells from events why Fault Tolerance failed, also where the logs cannot be read."""

from __future__ import annotations

import datetime

import pytest

from modules import connection, run_module

from .test_ft_diagnose import diagnose, failed_lab, ids, inner

KEEPALIVE = "vMotion migration [ac1e0050:1312133702562144] failed to read stream keepalive: Connection closed by remote host"
# No log of a virtual machine, and none of a host.
NO_LOGS = [("GET", "Datastore.Browse"), ("QueryDescriptions", "Global.Diagnostics")]


def refuse(lab, *methods):
    for method, privilege in methods:
        fields = {"privilegeId": privilege}
        lab.inject(method=method, how="fault", fault="NoPermission", fields=fields, times=0)


@pytest.mark.parametrize("personality", ["5.0", "6.7"])
def test_the_articles_failure_is_found_without_any_log(personality, simulator):
    lab = failed_lab(simulator, personality)
    refuse(lab, *NO_LOGS)
    result = diagnose(inner(lab, host_logs=True))
    (finding,) = result.json["findings"]
    assert (finding["id"], finding["count"], finding["lines"]) == ("stream_keepalive", 0, [])
    assert finding["status"]["hex"] == "0xbad003f" and finding["migration"]["id"]
    kinds = [event["event"] for event in finding["events"]]
    assert "VmMessageErrorEvent" in kinds and "VmFailedStartingSecondaryEvent" in kinds
    assert ("com.vmware.vc.HA.StartFTSecondaryFailedEvent" in kinds) == (personality == "6.7")
    reasons = {event["event"]: event["reason"] for event in finding["events"]}
    assert reasons["VmFailedStartingSecondaryEvent"] == "the migration that starts the secondary failed"
    assert all(event["time"] for event in finding["events"])
    assert finding["first_time"] <= finding["last_time"]
    assert f"({kinds[0]} at " in result.msg if personality == "6.7" else "(VmMessageErrorEvent at " in result.msg

    unread = [source["file"] for source in result.json["sources"] if source["error"]]
    assert any("vmware.log" in file for file in unread) and any("vmkernel" in file for file in unread)
    told = " ".join(result.json["warnings"])
    assert "Datastore.Browse" in told and "Global.Diagnostics" in told

    assert finding["remedies"][0]["module"] == "host_option"


@pytest.mark.parametrize("personality", ["5.0", "6.7"])
def test_the_events_and_the_logs_of_one_failure_are_one_finding(personality, simulator):
    result = diagnose(inner(failed_lab(simulator, personality), host_logs=True))
    (finding,) = result.json["findings"]
    assert finding["id"] == "stream_keepalive" and finding["count"] >= 5 and len(finding["events"]) >= 3
    sources = [source["file"] for source in result.json["sources"]]
    assert len([source for source in sources if source.startswith("events of")]) == 5, sources
    assert "warnings" not in result.json


# Of each event: the object that it is about, what the diagnosis calls it, and the module that helps.
EVENTS = [
    ("vm", "VmFailedStartingSecondaryEvent", {"reason": "migrateFailed"}, "secondary_start", "host_option"),
    ("vm", "VmFailedStartingSecondaryEvent", {"reason": "incompatibleHost"}, "incompatible_host", "ft_readiness"),
    ("vm", "VmFailedStartingSecondaryEvent", {"reason": "loginFailed"}, "secondary_login", None),
    ("vm", "VmFailedStartingSecondaryEvent", {"reason": "registerVmFailed"}, "secondary_register", "ft_readiness"),
    ("vm", "VmFailedStartingSecondaryEvent", {}, "secondary_start", "host_option"),
    ("vm", "VmTimedoutStartingSecondaryEvent", {}, "secondary_timeout", "fault_tolerance"),
    ("vm", "VmNoCompatibleHostForSecondaryEvent", {}, "no_compatible_host", "ft_readiness"),
    ("vm", "VmSecondaryDisabledBySystemEvent", {}, "secondary_disabled", "fault_tolerance"),
    ("vm", "VmMaxFTRestartCountReached", {}, "restart_limit", "fault_tolerance"),
    ("vm", "VmFaultToleranceVmTerminatedEvent", {"reason": "lostConnection"}, "connection_lost", "ft_readiness"),
    ("vm", "VmPrimaryFailoverEvent", {"reason": "partialHardwareFailure"}, "hardware_failure", None),
    ("vm", "VmMessageErrorEvent", {"message": KEEPALIVE}, "stream_keepalive", "host_option"),
    ("vm", "com.vmware.vc.HA.StartFTSecondaryFailedEvent", {}, "secondary_start", "host_option"),
    ("vm", "com.vmware.vc.ft.VmAffectedByDasDisabledEvent", {}, "ha_disabled", "cluster_ha"),
    ("cluster", "DasDisabledEvent", {}, "ha_disabled", "cluster_ha"),
    ("host", "esx.problem.net.vmknic.ip.duplicate", {}, "duplicate_ip", None),
    ("host", "esx.problem.net.migrate.unsupported.latency", {}, "vmotion_latency", None),
    ("host", "esx.problem.net.migrate.bindtovmk", {}, "vmotion_binding", None),
    ("host", "DuplicateIpDetectedEvent", {}, "duplicate_ip", None),
]


def moid_of(lab, what: str) -> str:
    return {"vm": lab.facts["vm_moid"], "host": lab.facts["host_moids"][0], "cluster": lab.facts["cluster_moid"]}[what]


def test_every_event_has_its_cause_and_its_remedy(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    vm = lab.facts["vm_moid"]
    for about, event, fields, expected, module in EVENTS:
        lab.reset()
        lab.post_event(vm, "VmStartingSecondaryEvent", ago_s=1)
        lab.post_event(moid_of(lab, about), event, **fields)
        result = diagnose(inner(lab))
        assert ids(result) == [expected], (event, fields, result.msg)
        (finding,) = result.json["findings"]
        assert result.json["healthy"] is False
        assert [shown["event"] for shown in finding["events"]] == [event]
        modules = [remedy["module"] for remedy in finding["remedies"]]
        assert (module in modules) if module else modules == [None] * len(modules), (event, modules)
        for remedy in finding["remedies"]:
            if remedy["args"] is not None:
                checked = run_module(remedy["module"], connection(lab.facts) | remedy["args"], "--check")
                assert checked.kind != "invalid_arguments", (event, checked.msg)


def test_what_is_no_failure_and_what_belongs_to_others_is_left_out(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    vm, host = lab.facts["vm_moid"], moid_of(lab, "host")
    other = next(moid for moid, state in lab.state().items() if state["name"] == "other")
    lab.post_event(vm, "VmFailedStartingSecondaryEvent", reason="loginFailed", ago_s=7200)
    lab.post_event(host, "esx.problem.net.vmknic.ip.duplicate", ago_s=7200)
    lab.post_event(vm, "VmStartingSecondaryEvent", ago_s=3600)
    lab.post_event(vm, "VmPrimaryFailoverEvent", reason="userAction")
    lab.post_event(vm, "VmMessageErrorEvent", message="The guest is out of paper")
    lab.post_event(vm, "VmPoweredOnEvent")
    lab.post_event(other, "VmNoCompatibleHostForSecondaryEvent")
    found = diagnose(inner(lab))
    assert ids(found) == [], "only since the last start"
    # The list of events has older ones too, the newest first.
    listed = [event["event"] for event in found.json["events"]]
    assert set(listed[:2]) == {"VmPrimaryFailoverEvent", "VmMessageErrorEvent"}
    assert listed[2:] == ["VmStartingSecondaryEvent", "VmFailedStartingSecondaryEvent"]

    day_ago = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    since = inner(lab, since=day_ago.isoformat())
    assert ids(diagnose(since)) == ["duplicate_ip", "secondary_login"]
    future = inner(lab, since="2999-01-01T00:00:00Z")
    assert ids(diagnose(future)) == []


def test_without_a_start_only_the_virtual_machines_own_events_count(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    lab.post_event(moid_of(lab, "host"), "esx.problem.net.vmknic.ip.duplicate")
    lab.post_event(lab.facts["vm_moid"], "VmNoCompatibleHostForSecondaryEvent", ago_s=86000)
    result = diagnose(inner(lab))
    assert ids(result) == ["no_compatible_host"]
    sources = [source["file"] for source in result.json["sources"]]
    assert [source for source in sources if source.startswith("events")] == ["events of virtual machine inner"]


@pytest.mark.parametrize("personality", ["5.0", "6.7"])
def test_without_a_start_an_old_incident_is_not_reported_as_current(personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    assert diagnose(inner(lab)).json["events_since"] is None and "CurrentTime" not in lab.methods()
    lab.post_event(lab.facts["vm_moid"], "VmNoCompatibleHostForSecondaryEvent", ago_s=86500)
    found = diagnose(inner(lab))
    assert ids(found) == [] and found.json["healthy"], found.msg
    (event,) = found.json["events"]
    assert event["event"] == "VmNoCompatibleHostForSecondaryEvent"
    day = datetime.timedelta(days=1)
    began, created = map(datetime.datetime.fromisoformat, (found.json["events_since"], event["time"]))
    assert datetime.timedelta() < began - created < day / 24
    assert lab.methods().count("CurrentTime") == 1
    # Whoever asks for it gets it.
    asked = diagnose(inner(lab, since=(created - day).isoformat()))
    assert ids(asked) == ["no_compatible_host"]
    assert datetime.datetime.fromisoformat(asked.json["events_since"]) == created - day


def test_a_release_without_the_option_gets_other_remedies(simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    lab.post_event(lab.facts["vm_moid"], "VmMessageErrorEvent", message=KEEPALIVE)
    (finding,) = diagnose(inner(lab)).json["findings"]
    texts = " ".join(remedy["text"] for remedy in finding["remedies"])
    assert "physical CPU" in texts and "MAC addresses" in texts
    assert "host_option" not in [remedy["module"] for remedy in finding["remedies"]]


def test_unreadable_events_are_a_warning(simulator):
    lab = failed_lab(simulator, "6.7")
    refuse(lab, ("QueryEvents", "System.View"))
    result = diagnose(inner(lab))
    assert ids(result) == ["stream_keepalive"]
    assert result.json["findings"][0]["events"] == []
    unread = [source["file"] for source in result.json["sources"] if source["error"]]
    assert unread[0] == "events of virtual machine inner" and "System.View" in result.json["warnings"][0]
    # Nothing at all is readable.
    refuse(lab, *NO_LOGS)
    denied = diagnose(inner(lab, host_logs=True))
    assert denied.kind == "permission" and "Datastore.Browse" in denied.msg and "`hostname`" not in denied.msg


def test_an_old_server_is_not_asked_for_what_it_does_not_know(simulator):
    lab = failed_lab(simulator)
    assert ids(diagnose(inner(lab))) == ["stream_keepalive"]
    assert not [entry for entry in lab.log() if entry.get("fault")]


def test_fault_tolerance_adds_the_reason_of_an_event_to_its_failure(simulator):
    lab = simulator(personality="6.7", scenario="article")
    failed = run_module("fault_tolerance", inner(lab, state="present"))
    assert "the events say: A vMotion stream lost its peer (" in failed.msg, failed.msg
    assert lab.methods().count("QueryEvents") == 1

    lab = simulator(personality="6.7", scenario="slow")
    run_module("fault_tolerance", inner(lab, state="present", wait=False))
    assert "QueryEvents" not in lab.methods(), "only a failure costs a request"
    lab.post_event(lab.facts["vm_moid"], "VmTimedoutStartingSecondaryEvent")
    late = run_module("fault_tolerance", inner(lab, state="present", timeout=1))
    assert late.kind == "timeout" and "VmTimedoutStartingSecondaryEvent at " in late.msg, late.msg
    # Without events, the failure is what it was.
    lab.inject(method="QueryEvents", how="fault", fault="NoPermission", times=0)
    assert "the events say" not in run_module("fault_tolerance", inner(lab, state="present", timeout=1)).msg


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"text": "x", "since": "2026-01-31T12:00:00Z"}, "`since`"),
        ({"name": "inner", "hostname": "vc", "username": "u", "password": "p", "since": "yesterday"}, "with a zone"),
        ({"name": "inner", "hostname": "vc", "username": "u", "password": "p", "since": "2026-02-30T00:00:00Z"}, "with a zone"),
    ],
)
def test_conflicting_arguments(args, words):
    result = run_module("ft_diagnose", args)
    assert result.kind == "invalid_arguments" and words in result.msg
