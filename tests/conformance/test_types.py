"""Runs every module in labs of each kind, and checks each request and reply against the official types."""

import concurrent.futures
import os
import pathlib

import lab
import pytest
from conformance.typejudge.record import judge_folder
from modules import connection, run_module
from relay import relay

TABLE = pathlib.Path(__file__).parent / "API.md"
STREAMS, REPLAY = "Migrate.VMotionStreamDisable", ("replay.supported", "replay.allowFT", "replay.allowBTOnly")


def actions(facts):
    """Calls that together send every request of the modules: pairs of module and arguments."""
    vm, cluster = {"name": facts["vm"]}, {"cluster_name": facts["cluster"] or "none"}
    place = vm | {"datacenter": "Lab", "folder": "nested"}
    one, both = {"esxi_hostname": facts["hosts"][0]}, {"esxi_hostname": facts["hosts"]}
    nic = both | {"device": "vmk1", "services": ["vmotion", "faultToleranceLogging"]}
    return [
        ("ft_readiness", cluster),
        ("cluster_ha", cluster | {"state": "disabled"}),
        ("cluster_ha", cluster | {"state": "enabled", "admission_control": False, "host_monitoring": True}),
        ("cluster_ha", cluster | {"advanced_options": {"das.a": "<&>"}, "vm_restart_priority": {facts["vm"]: "low"}}),
        ("cluster_ha", cluster | {"advanced_options": {"das.a": ""}, "vm_restart_priority": {facts["vm_moid"]: "cluster"}}),
        ("vmkernel_service", nic | {"state": "absent"}),
        ("vmkernel_service", nic),
        ("vmkernel_service", one | {"portgroup": "Lab", "services": ["vmotion"]}),
        ("host_option", both | {"options": {STREAMS: 1}, "missing": "skip"}),
        ("host_option", one | {"options": {STREAMS: None}, "state": "default", "missing": "skip"}),
        ("host_option", cluster | {"options": {"Migrate.NetTimeout": 21}}),
        ("host_option", one | {"options": {"Migrate.NetTimeout": "many"}}),
        ("vmx_option", vm | {"options": dict.fromkeys(REPLAY, "true")}),
        ("vmx_option", vm | {"options": {"guestinfo.a": "<&>"}}),
        ("vmx_option", place | {"options": {"guestinfo.a": None}, "state": "absent"}),
        ("vmx_option", {"name": "twin", "options": {"guestinfo.a": "1"}}),
        ("vm_power", place | {"state": "powered_off"}),
        ("vm_power", vm | {"state": "powered_on"}),
        ("vm_power", vm | {"state": "shut_down"}),
        ("vm_power", vm | {"state": "powered_on"}),
        ("ft_readiness", vm | {"probe_network": True}),
        ("fault_tolerance", vm | {"state": "present", "secondary_host": facts["hosts"][-1]}),
        ("ft_readiness", {"uuid": "00000000-0000-0000-0000-000000000000"}),
        ("ft_failover", vm | {"action": "test_failover"}),
        ("ft_failover", vm | {"action": "restart_secondary"}),
        ("fault_tolerance", vm | {"state": "suspended"}),
        ("fault_tolerance", vm | {"state": "present"}),
        ("fault_tolerance", vm | {"state": "absent"}),
        # Not with record/replay FT: its pairs share their disks.
        ("fault_tolerance", vm | {"state": "present", "datastore": "shared01"}),
        ("fault_tolerance", vm | {"state": "absent"}),
        ("fault_tolerance", vm | {"state": "present", "encryption": "required"}),
        ("ft_diagnose", vm | {"host_logs": True}),
        ("ft_diagnose", vm | {"since": "2011-07-31T17:00:00+02:00"}),
    ]


def run(simulator, port=None):
    """Runs every action in a lab. Some cannot succeed in it, but each gets an answer."""
    facts = simulator.facts | ({"port": port} if port else {})
    for module, args in actions(facts):
        result = run_module(module, connection(facts) | args)
        assert result.kind not in {"connection", "tls", "authentication", "internal", "io"}, result.msg


def exercise(personality, rewrites=(), **flags):
    """Runs every action in a lab, and replaces some words in its replies to the modules."""

    def rewrite(text):
        for old, new in rewrites:
            text = text.replace(old, new)
        return text

    flags = {"scenario": "healthy", "task_ms": 5} | flags
    with lab.Simulator(personality, http=bool(rewrites), **flags) as simulator:
        if not rewrites:
            run(simulator)
            return
        with relay(simulator.facts["port"], rewrite=rewrite) as (port, _):
            run(simulator, port)


@pytest.fixture
def judged(tmp_path, monkeypatch):
    """Exercises labs in parallel, and judges what they recorded."""
    monkeypatch.setenv("SIM_RECORD", str(tmp_path))

    def judged(*labs):
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for one in [pool.submit(exercise, **flags) for flags in labs]:
                one.result()
        found = judge_folder(tmp_path)
        print(found)
        return found

    return judged


def test_requests_and_replies_have_the_official_types(judged):
    # The oldest personality of the simulator is 5.0.
    old = [(b"<apiVersion>5.0<", b"<apiVersion>4.1<"), (b"<version>5.0.0<", b"<version>4.1.0<")]
    labs = [{"personality": "5.0", "rewrites": old}]
    for personality in ("5.0", "6.7", "8.0"):
        labs += [
            {"personality": personality},
            {"personality": personality, "direct": True},
            {"personality": personality, "scenario": "duplicates", "page": 1},
        ]
    found = judged(*labs)
    assert {"4.1", "5.0", "6.7", "8.0.0.0"} <= found.versions
    assert found.problems("request") == []
    # WRITE_API=1 in the environment rewrites the table.
    if "WRITE_API" in os.environ:
        TABLE.write_text(found.table())
    assert TABLE.read_text() == found.table()
    assert found.problems("reply") == []


def test_for_an_unknown_version_the_modules_use_only_what_the_spoken_version_has(judged):
    unnumbered = [(b"<apiVersion>8.0.2.0<", b"<apiVersion>uA046D008<")]
    found = judged({"personality": "8.0", "rewrites": unnumbered})
    assert found.versions == {"4.1"} and found.problems("request") == []
