"""Servers that fail in the middle of a run. Every run gives one true result, leaves no session, and a rerun converges.

The `simulator` fixture checks the sessions after every test.
"""

from __future__ import annotations

import json
import concurrent.futures
import signal
import threading
import time

import pytest

from modules import CHANGING, IMPERATIVE, connection, example, interrupt_module, run_module
from relay import relay, wire

every_module = pytest.mark.parametrize("name", CHANGING)

# The method with which each module makes its change.
WRITE = {
    "vmx_option": "ReconfigVM_Task",
    "host_option": "UpdateOptions",
    "vm_power": "PowerOffVM_Task",
    "fault_tolerance": "CreateSecondaryVMEx_Task",
    "vmkernel_service": "SelectVnicForNicType",
    "cluster_ha": "ReconfigureComputeResource_Task",
    "ft_failover": "MakePrimaryVM_Task",
}
# Modules whose write is a vSphere task.
with_task = pytest.mark.parametrize("name", [name for name in CHANGING if WRITE.get(name, "").endswith("_Task")])


def assert_converges(name: str, args: dict) -> None:
    """Asserts that another run reaches the desired state, and that the next one finds nothing to do.

    An imperative module acts again in each run.
    """
    finished = run_module(name, args)
    assert not finished.json["failed"], finished.msg
    assert run_module(name, args).changed is (name in IMPERATIVE)


@every_module
@pytest.mark.parametrize("how", ["drop", "http500", "garbage", "fault"])
@pytest.mark.parametrize("method", ["RetrieveServiceContent", "Login", "RetrievePropertiesEx", "write"])
def test_a_permanent_server_failure(name, method, how, healthy):
    # A run retries transient failures until its deadline.
    args = example(name, healthy.facts) | {"timeout": 1}
    call = WRITE[name] if method == "write" else method
    healthy.inject(method=call, how=how, fault="SystemError", times=0)
    result = run_module(name, args)
    assert result.json["failed"] is True
    # On a busy machine, the deadline may pass before the first failure.
    assert result.kind in {"fault" if how == "fault" else "connection", "timeout"}
    assert result.changed is False or method == "write"
    if how in ("http500", "garbage") and method != "RetrieveServiceContent" and result.kind == "connection":
        assert "Run the task again" in result.msg and "`hostname`" not in result.msg, result.msg
    healthy.clear_injections()
    assert_converges(name, args | {"timeout": 60})


@pytest.mark.parametrize("method", ["RetrieveServiceContent", "RetrievePropertiesEx", "PowerOffVM_Task"])
def test_a_request_that_hangs_ends_with_the_timeout(method, healthy):
    healthy.inject(method=method, how="hang", times=0)
    began = time.monotonic()
    result = run_module("vm_power", example("vm_power", healthy.facts) | {"timeout": 2})
    # After that, a last look and a logout are local and short.
    assert time.monotonic() - began < 4
    assert result.kind == "timeout" and f"{method} did not finish within 2 s" in result.msg


@every_module
@pytest.mark.parametrize("how", ["drop", "fault"])
def test_a_transient_server_failure_does_not_end_a_run(name, how, healthy):
    args = example(name, healthy.facts)
    for method in ["RetrieveServiceContent", "Login", "RetrievePropertiesEx"]:
        healthy.inject(method=method, how=how, fault="HostCommunication", times=2)
    result = run_module(name, args)
    assert result.changed and not result.json["failed"], result.msg


@every_module
def test_a_session_is_closed_even_if_the_reply_to_its_logout_is_lost(name, healthy):
    healthy.inject(method="Logout", how="drop", times=2)
    assert run_module(name, example(name, healthy.facts)).changed
    assert healthy.sessions()["live"] == 0


@with_task
@pytest.mark.parametrize("fault", ["SystemError", "NoPermission", "ManagedObjectNotFound"])
def test_a_failed_poll_does_not_end_its_task(name, fault, simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=300)
    args = example(name, lab.facts)
    assert run_module(name, args).changed
    methods = lab.methods()
    reads = methods[: methods.index(WRITE[name])].count("RetrievePropertiesEx")
    for times, fails in ((1, False), (0, True)):
        lab.reset()
        args = example(name, lab.facts)
        lab.inject(method="RetrievePropertiesEx", after=reads, how="fault", fault=fault, times=times)
        result = run_module(name, args | {"timeout": 8})
        assert result.changed and result.json["failed"] is fails, result.msg
        lab.clear_injections()
        if name not in IMPERATIVE:
            assert_converges(name, args)


@pytest.mark.parametrize("damage", ["flipped", "alert", "cut"])
@pytest.mark.parametrize("name", ["vmx_option", "host_option"])
def test_broken_tls_in_the_reply_to_a_write_hides_no_change(name, damage, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    args = example(name, lab.facts) | {"timeout": 20}
    damaged = threading.Event()

    def harm(reply: bytes) -> bytes:
        if damaged.is_set() or WRITE[name] not in lab.methods():
            return reply
        damaged.set()
        broken = {"flipped": reply[:-1] + bytes([reply[-1] ^ 1]), "alert": bytes.fromhex("15030300020250"), "cut": reply[:-9]}
        return broken[damage]

    with wire(lab.facts["port"], harm) as port:
        result = run_module(name, args | {"port": port})
    assert damaged.is_set() and result.changed, result.msg
    assert not result.json["failed"] and "did not confirm it" in result.json["warnings"][0], result.json
    assert_converges(name, args)


@pytest.mark.parametrize("own", [True, False], ids=["own keys", "one key"])
def test_ten_concurrent_writers_to_one_virtual_machine_all_succeed(own, simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=20)
    target = connection(lab.facts) | {"name": lab.facts["vm"], "timeout": 60}
    options = [{f"guestinfo.writer{number if own else ''}": "1"} for number in range(10)]
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda each: run_module("vmx_option", target | {"options": each}), options))
    assert [result.msg for result in results if result.json["failed"]] == []
    assert sum(result.changed for result in results) == (10 if own else 1)


@every_module
def test_a_rejected_change_is_not_a_change(name, healthy):
    args = example(name, healthy.facts)
    healthy.inject(
        method=WRITE[name], how="fault", fault="NoPermission", fields={"privilegeId": "Some.Privilege"}, times=0
    )
    result = run_module(name, args)
    assert result.kind == "permission" and result.changed is False
    assert "Some.Privilege" in result.told
    healthy.clear_injections()
    assert_converges(name, args)


@with_task
def test_a_task_fault_is_reported(name, healthy):
    args = example(name, healthy.facts)
    healthy.inject(method=WRITE[name], how="task-error", fault="InsufficientResourcesFault", times=0)
    result = run_module(name, args)
    assert result.kind == "fault" and result.changed is False
    assert result.json["error"]["fault"]["type"] == "InsufficientResourcesFault"
    healthy.clear_injections()
    assert_converges(name, args)


@with_task
@pytest.mark.parametrize("early", [False, True], ids=["at-its-end", "at-once"])
def test_the_work_of_a_vanished_task_is_a_change(name, early, healthy):
    args = example(name, healthy.facts) | {"timeout": 20}
    healthy.inject(method=WRITE[name], how="task-vanishes", early=early)
    result = run_module(name, args)
    assert result.changed is True, result.msg
    healthy.settle()
    assert_converges(name, args)


@every_module
def test_an_accepted_change_without_effect_is_a_failure(name, healthy):
    # These modules may see a change late. It counts as a change until the module sees that it had no effect.
    late = ("fault_tolerance", "ft_failover", "vmkernel_service")
    args = example(name, healthy.facts) | ({"timeout": 3} if name in ("vm_power", *late) else {})
    healthy.inject(method=WRITE[name], how="silent", times=0)
    result = run_module(name, args)
    assert result.json["failed"] is True and result.changed is (name in late), result.msg
    if name == "vmx_option":
        assert "guestinfo.nested" in result.msg
    if name == "host_option":
        assert "Migrate.VMotionStreamDisable" in result.told
    healthy.clear_injections()
    assert_converges(name, args | ({"timeout": 60} if "timeout" in args else {}))


@every_module
@pytest.mark.parametrize("method", ["RetrievePropertiesEx", "write"])
def test_an_expired_session_is_renewed_once(name, method, healthy):
    args = example(name, healthy.facts)
    healthy.inject(method=WRITE[name] if method == "write" else method, how="expire-session", times=1)
    result = run_module(name, args)
    assert not result.json["failed"], result.msg
    assert result.changed
    assert healthy.methods().count("Login") == 2
    assert run_module(name, args).changed is (name in IMPERATIVE)


@every_module
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_a_signal_ends_the_run_with_a_result_and_no_session(name, number, healthy):
    args = example(name, healthy.facts)
    healthy.inject(method=WRITE[name], how="hang", times=1)
    result = interrupt_module(name, args, lambda: WRITE[name] in healthy.methods(), number)
    assert result.kind == "interrupted"
    assert healthy.sessions()["live"] == 0
    healthy.clear_injections()
    assert_converges(name, args)


def test_a_signal_while_waiting_for_the_secondary_reports_that_the_change_began(simulator):
    lab = simulator(personality="6.7", scenario="slow")
    args = connection(lab.facts) | {"name": lab.facts["vm"], "state": "present"}

    def starting() -> bool:
        return lab.state()[lab.facts["vm_moid"]]["ft_state"] == "starting"

    result = interrupt_module("fault_tolerance", args, starting)
    assert result.kind == "interrupted"
    assert result.changed is True


def test_a_virtual_machine_changed_by_somebody_else_is_read_again(healthy):
    args = example("vmx_option", healthy.facts)
    healthy.inject(method="ReconfigVM_Task", how="fault", fault="ConcurrentAccess", times=1)
    result = run_module("vmx_option", args)
    assert result.changed and not result.json["failed"]
    assert healthy.methods().count("ReconfigVM_Task") == 2


def test_a_virtual_machine_that_keeps_changing_is_a_conflict(healthy):
    args = example("vmx_option", healthy.facts)
    healthy.inject(method="ReconfigVM_Task", how="fault", fault="ConcurrentAccess", times=0)
    result = run_module("vmx_option", args | {"timeout": 2})
    assert result.kind == "conflict" and result.changed is False
    healthy.clear_injections()
    assert_converges("vmx_option", args)


def test_concurrent_writers_lose_nobodys_options(healthy):
    """Another client writes all the time. In the end the options of both are set."""
    facts = healthy.facts
    over = threading.Event()
    count = 0

    def somebody_else():
        nonlocal count
        while not over.wait(0.02):
            count += 1
            healthy.touch(vm=facts["vm_moid"], extraConfig={f"guestinfo.other{count}": "1"})

    other = threading.Thread(target=somebody_else)
    other.start()
    try:
        for number in range(5):
            wanted = connection(facts) | {"name": facts["vm"], "options": {f"guestinfo.mine{number}": "1"}}
            result = run_module("vmx_option", wanted)
            assert not result.json["failed"] or result.kind == "conflict", result.msg
            assert_converges_or_conflicts(wanted)
    finally:
        over.set()
        other.join()
    everything = {f"guestinfo.other{number}": "1" for number in range(1, count + 1)}
    everything |= {f"guestinfo.mine{number}": "1" for number in range(5)}
    final = run_module("vmx_option", connection(facts) | {"name": facts["vm"], "options": everything})
    assert not final.changed


def assert_converges_or_conflicts(args: dict) -> None:
    for _ in range(10):
        result = run_module("vmx_option", args)
        if not result.json["failed"]:
            return
        assert result.kind == "conflict"
    raise AssertionError("ten runs had ten conflicts")


def test_one_failing_host_hides_no_other_host(simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=4)
    args = connection(lab.facts) | {
        "cluster_name": lab.facts["cluster"],
        "options": {"Migrate.VMotionStreamDisable": 1},
    }
    unlucky = lab.facts["hosts"][2]
    manager = f"EsxHostAdvSettings-{lab.facts['host_moids'][2].split('-')[1]}"
    lab.inject(method="UpdateOptions", object=manager, how="fault", fault="NoPermission", times=0)

    result = run_module("host_option", args)
    assert result.json["failed"] is True
    assert result.changed is True, "three hosts were changed"
    by_name = {host["name"]: host for host in result.json["hosts"]}
    assert len(by_name) == 4
    assert unlucky in result.msg
    assert by_name[unlucky]["changed"] is False and by_name[unlucky]["error"]
    for name, host in by_name.items():
        if name != unlucky:
            assert host["changed"] is True and not host.get("error")
    lab.clear_injections()
    rest = run_module("host_option", args)
    assert [host["name"] for host in rest.json["hosts"] if host["changed"]] == [unlucky]


def test_if_the_second_option_fails_the_first_is_reported_as_written(simulator):
    """UpdateOptions is not atomic: options before the failing one are written."""
    lab = simulator(personality="6.7", scenario="healthy", http=True)
    host = lab.facts["host_moids"][0]
    args = connection(lab.facts) | {
        "esxi_hostname": lab.facts["hosts"][0],
        "options": {"Migrate.NetTimeout": 30, "Migrate.VMotionStreamDisable": 1},
    }
    lab.inject(method="UpdateOptions", how="fault", fault="InvalidArgument", times=0)

    def write_the_first(body: bytes) -> None:
        if b"UpdateOptions" in body:
            lab.set(host, options={"Migrate.NetTimeout": 30})

    with relay(lab.facts["port"], before=write_the_first) as (port, _):
        result = run_module("host_option", args | {"port": port})
    assert result.json["failed"] is True and result.changed is True
    after = {option["key"]: option["after"] for option in result.json["hosts"][0]["options"]}
    assert after == {"Migrate.NetTimeout": 30, "Migrate.VMotionStreamDisable": 0}
    lab.clear_injections()
    assert_converges("host_option", args)


def test_a_module_keeps_its_own_deadline(simulator):
    lab = simulator(personality="6.7", scenario="slow")
    args = connection(lab.facts) | {"name": lab.facts["vm"], "state": "present", "timeout": 2}
    result = run_module("fault_tolerance", args)
    assert result.kind == "timeout"
    assert result.changed is True, "the secondary exists, although it does not run yet"


@with_task
@pytest.mark.parametrize("ending", ["signal", "timeout"])
def test_a_task_that_outlives_the_run_counts_as_a_change(name, ending, simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=4000)
    args = example(name, lab.facts)
    if ending == "signal":
        result = interrupt_module(name, args, lambda: WRITE[name] in lab.methods())
        assert result.kind == "interrupted"
    else:
        result = run_module(name, args | {"timeout": 1})
        assert result.kind == "timeout" and "within 1 s" in result.msg
    assert result.changed is True, "vSphere accepted the task and continues it"


def running_in_the_wrong_mode(simulator):
    """Returns a lab in which record/replay FT needs a power cycle, and the arguments for its VM."""
    lab = simulator(personality="5.0", scenario="monitor")
    target = connection(lab.facts) | {"name": lab.facts["vm"]}
    options = {"replay.supported": "true", "replay.allowFT": "true", "replay.allowBTOnly": "true"}
    run_module("vmx_option", target | {"options": options})
    run_module("vm_power", target | {"state": "powered_off"})
    run_module("vm_power", target | {"state": "powered_on"})
    return lab, target


@pytest.mark.parametrize(
    ("injected", "fails"),
    [
        ({"how": "expire-session"}, False),
        ({"how": "fault", "fault": "FileFault"}, True),
        ({"how": "task-error", "fault": "FileFault"}, True),
        ({"how": "task-error", "fault": "TaskInProgress"}, False),
    ],
)
def test_a_power_cycle_ends_with_power_on(injected, fails, simulator):
    lab, target = running_in_the_wrong_mode(simulator)
    lab.inject(method="CreateSecondaryVM_Task", **injected)
    result = run_module("fault_tolerance", target | {"allow_power_cycle": True})
    assert result.json["failed"] is fails, result.msg
    assert result.changed, "the run powered the virtual machine off and on"
    assert result.json["vm"]["power_state"] == "poweredOn"
    # One call prepared the lab, the run made the other.
    assert lab.methods().count("PowerOffVM_Task") == 2
    assert result.json["ft_state"] == ("notConfigured" if fails else "running")
    if fails:
        assert "was powered off for this change, and is powered on again" in result.msg


@pytest.mark.parametrize("method", ["PowerOffVM_Task", "PowerOnVM_Task"])
def test_a_power_cycle_whose_task_is_lost_ends_with_power_on(method, simulator):
    lab, target = running_in_the_wrong_mode(simulator)
    lab.inject(method=method, how="task-vanishes")
    result = run_module("fault_tolerance", target | {"allow_power_cycle": True})
    assert result.changed and result.json["ft_state"] == "running", result.msg
    assert result.json["vm"]["power_state"] == "poweredOn"
    assert "did not confirm it" in result.json["warnings"][0]


def test_a_machine_left_off_by_a_signal_is_reported(simulator):
    lab, target = running_in_the_wrong_mode(simulator)
    lab.inject(method="CreateSecondaryVM_Task", how="hang")
    args = target | {"allow_power_cycle": True}
    result = interrupt_module("fault_tolerance", args, lambda: "CreateSecondaryVM_Task" in lab.methods())
    assert result.changed and "is powered off now; vm_power powers it on" in result.msg


def test_a_transient_server_failure_does_not_end_the_wait(simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=300)
    args = connection(lab.facts) | {"name": lab.facts["vm"], "state": "present"}
    run_module("fault_tolerance", args | {"wait": False})
    lab.inject(method="RetrievePropertiesEx", how="drop", after=3, times=2)
    result = run_module("fault_tolerance", args)
    assert result.json["ft_state"] == "running", result.msg


def test_a_failing_compatibility_query_is_no_failure(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    lab.inject(method="QueryFaultToleranceCompatibilityEx", how="fault", fault="InvalidState", times=0)
    args = connection(lab.facts) | {"name": lab.facts["vm"], "state": "present"}
    assert run_module("fault_tolerance", args, "--check").changed
    assert run_module("fault_tolerance", args).json["ft_state"] == "running"


def test_a_secret_in_the_fault_of_one_host_is_hidden_everywhere(healthy):
    args = example("host_option", healthy.facts)
    healthy.inject(method="UpdateOptions", how="fault", fault="SystemError", fields={"reason": args["password"]}, times=0)
    result = run_module("host_option", args)
    assert result.json["hosts"][0]["error"]["fault"]["fields"]["reason"] == "********"


def test_an_interruption_between_hosts_reports_the_finished_hosts(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    first, second = lab.facts["host_moids"]
    args = connection(lab.facts) | {"cluster_name": lab.facts["cluster"], "options": {"Migrate.VMotionStreamDisable": 1}}
    lab.inject(method="QueryOptions", object=f"EsxHostAdvSettings-{second.rpartition('-')[2]}", how="hang", times=0)

    def first_is_done():
        queries = [entry for entry in lab.log() if entry["object"].endswith(f"-{first.rpartition('-')[2]}")]
        return [entry["method"] for entry in queries].count("QueryOptions") >= 2

    result = interrupt_module("host_option", args, first_is_done)
    assert result.kind == "interrupted" and result.changed is True
    assert [host["changed"] for host in result.json["hosts"]] == [True, False]
    assert "before anything was written" not in result.msg


@pytest.mark.parametrize(
    ("secret", "reason", "shown"),
    [
        ("hunter2<&>", "got hunter2<&> of root", "got ******** of root"),
        ("hunter2<&>", "got hunter2&lt;&amp;&gt; of root", "got ******** of root"),
        ("hunter2<&>", "got hunter2%3C%26%3e of root", "got ******** of root"),
        ("hunter2<&>", "Basic cm9vdDpodW50ZXIyPCY+", "Basic ********"),
        ("pass", "got pass of root", "got ******** of root"),
        ("pass", "the password is wrong", "the password is wrong"),
    ],
)
def test_a_server_that_repeats_the_password(secret, reason, shown, simulator):
    lab = simulator(personality="6.7", scenario="healthy", password=secret)
    lab.inject(method="UpdateOptions", how="fault", fault="SystemError", fields={"reason": reason}, times=0)
    result = run_module("host_option", example("host_option", lab.facts))
    assert result.json["hosts"][0]["error"]["fault"]["fields"]["reason"] == shown


@pytest.mark.parametrize(
    "secret",
    ["pass", "word", "e", "on", "user", "timeout", "host", "vSphere", "changed", "password", "a b", "\xe4", "s", "nobody", "1"],
)
def test_a_password_that_is_an_ordinary_word_is_not_revealed(secret, healthy):
    """The message must be the same with any password: asterisks in place of a known word would reveal it."""

    def told(password: str) -> str:
        args = example("vm_power", healthy.facts) | {"username": "nobody", "password": password}
        # The arguments are text, because run_module would reject a result that contains the password of a dictionary.
        return run_module("vm_power", json.dumps(args)).told

    assert told(secret) == told("Xq7-unlikely")
