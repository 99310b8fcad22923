"""The playbooks of the repository, run by real Ansible."""

from __future__ import annotations

import re

import pytest
import yaml

from modules import ROOT, connection, run_module

PLAYBOOKS = ROOT / "playbooks"
VARIABLES = (PLAYBOOKS / "variables.md").read_text()
DEFAULTS = (PLAYBOOKS / "inventory" / "group_vars" / "all.yml").read_text()
ROLES = PLAYBOOKS / "collection" / "roles"
# The files that a role runs.
USED_BY = {
    "protect": ["protect/*/*.yml", "prepare_cluster/vars/*.yml", "prepare_cluster/tasks/[!m]*.yml"],
    "unprotect": ["unprotect/*/*.yml"],
    "prepare_cluster": ["prepare_cluster/*/*.yml"],
}
ASKED = re.compile(r"(?<![.\w])(?<!\| )(\w+) (?:\| default\(|is (?:not )?defined)")
# Variables of a single task.
LOCAL = {"name", "first"}


def applied(play) -> list[str]:
    """Returns the names of the remedies that a play applied."""
    return [entry["task"] for entry in play.journal if "remedy.yml:" in entry["path"] and entry["outcome"] != "skipped"]


# Tests run with all permissions, except those that are about them.
ALLOWED = dict.fromkeys(["apply_remedies", "choose_vmknics", "power_cycle", "power_on"], True)


def protect(ansible, lab, *flags: str, **variables):
    return ansible.play("nested_vft.yml", lab, *flags, **(ALLOWED | variables))


def outcome(play) -> str:
    """Returns the lines about the virtual machines that end a play."""
    return "\n".join(play.task("Show the outcome")["msg"])


def test_the_readme_shows_the_playbook_of_the_article_and_it_follows_the_article(ansible, simulator, tmp_path):
    text = (PLAYBOOKS / "article.yml").read_text()
    assert f"```yaml\n{text}```\n" in (ROOT / "README.md").read_text()

    lab = simulator(personality="5.0", scenario="article", certificate_dir=tmp_path)
    facts = lab.facts
    server = {"HOST": facts["hostname"], "PORT": str(facts["port"]), "USER": facts["username"], "PASSWORD": facts["password"]}
    env = {f"VMWARE_{name}": value for name, value in server.items()} | {"SSL_CERT_FILE": facts["ca"]}
    words = ["-e", f"vm_name={facts['vm']}", "-e", f"cluster_name={facts['cluster']}"]
    env["ANSIBLE_JOURNAL"] = str(tmp_path / "journal")
    for expected in (r"changed=5 .* failed=0 .* rescued=1", r"changed=0 .* failed=0 .* rescued=0"):
        done = ansible.command("ansible-playbook", "playbooks/article.yml", *words, env=env)
        assert done.returncode == 0 and re.search(expected, done.stdout), done.stdout
    assert lab.state()[facts["vm_moid"]]["ft_state"] == "running"


def test_the_article_from_failure_to_protection_and_back(ansible, simulator):
    lab = simulator(personality="5.0", scenario="article")

    first = protect(ansible, lab)
    assert first.exit == 0, first.output
    assert first.counts["failed"] == 0
    assert "failed to read stream keepalive" in first.task("Turn Fault Tolerance on")["result"]["failures"]["inner"]
    assert any("Disable vMotion streams" in remedy for remedy in applied(first))
    assert "Fault Tolerance is running (legacy)" in outcome(first)

    second = protect(ansible, lab, "--diff")
    assert second.exit == 0 and second.counts["changed"] == 0, second.output

    undone = ansible.play("undo.yml", lab)
    assert undone.exit == 0 and undone.counts["changed"] == 3, undone.output
    again = ansible.play("undo.yml", lab)
    assert again.exit == 0 and again.counts["changed"] == 0, again.output


@pytest.mark.parametrize(("scenario", "power_on"), [("healthy", True), ("off", True), ("off", False)])
@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_check_mode_predicts_exactly_what_the_real_run_changes(ansible, simulator, personality, scenario, power_on):
    lab = simulator(personality=personality, scenario=scenario)

    foretold = protect(ansible, lab, "--check", "--diff", power_on=power_on)
    assert foretold.exit == 0, foretold.output
    done = protect(ansible, lab, "--diff", power_on=power_on)
    assert done.exit == 0, done.output
    assert done.changes == foretold.changes
    assert done.counts["changed"] == foretold.counts["changed"] > 0
    protected = power_on or scenario == "healthy"
    assert f"Fault Tolerance is {'running' if protected else 'enabled'}" in outcome(done)

    assert protect(ansible, lab, power_on=power_on).counts["changed"] == 0

    back_foretold = ansible.play("undo.yml", lab, "--check", "--diff")
    back = ansible.play("undo.yml", lab, "--diff")
    assert back.exit == 0, back.output
    assert back.changes == back_foretold.changes != []
    assert ansible.play("undo.yml", lab).counts["changed"] == 0


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
def test_one_run_takes_a_bare_cluster_to_a_protected_machine(ansible, simulator, personality):
    lab = simulator(personality=personality, scenario="bare")
    foretold = protect(ansible, lab, "--check", "--diff")
    assert foretold.exit == 0, foretold.output
    assert not any(entry["method"].endswith("_Task") for entry in lab.log()), "check mode starts no task"

    done = protect(ansible, lab, "--diff")
    assert done.exit == 0, done.output
    assert "Fault Tolerance is running" in outcome(done)
    assert len(applied(done)) >= 3
    # Check mode cannot predict a failure that has not happened, or its remedy.
    until = next((at for at, entry in enumerate(done.journal) if entry["result"].get("failures")), len(done.journal))
    before = [(entry["task"], entry["diff"]) for entry in done.journal[:until] if entry["changed"]]
    assert before == foretold.changes[: len(before)] != []

    again = protect(ansible, lab)
    assert again.exit == 0 and again.counts["changed"] == 0, again.output


@pytest.mark.parametrize("state", [{"maintenance": True}, {"connection": "notResponding"}, {"power": "standBy"}], ids=str)
def test_a_host_out_of_service_does_not_stop_the_others(ansible, simulator, state):
    lab = simulator(personality="8.0", scenario="bare", hosts=3)
    *good, out = lab.facts["host_moids"]
    lab.set(out, **state)
    done = protect(ansible, lab)
    assert done.exit == 0 and not any(entry["result"].get("failures") for entry in done.journal), done.output
    assert "Fault Tolerance is running" in outcome(done)
    written = {entry["object"] for entry in lab.log() if entry["method"] == "SelectVnicForNicType"}
    assert len(written) == len(good)
    assert protect(ansible, lab).counts["changed"] == 0


def test_problems_of_a_host_that_is_not_needed_are_not_reported_as_the_cause(ansible, simulator):
    lab = simulator(personality="8.0", scenario="no-host", hosts=3)
    lab.set(lab.facts["host_moids"][2], maintenance=True)
    play = protect(ansible, lab, ft_timeout=20)
    assert play.exit != 0
    assert "Missing" not in outcome(play)


@pytest.mark.parametrize("none", [{}, "{}"], ids=["mapping", "text"])
def test_empty_options_can_be_a_mapping_or_a_string(ansible, simulator, none):
    lab = simulator(personality="5.0", scenario="healthy")
    play = ansible.play("undo.yml", lab, vmx_options=none)
    assert play.exit == 0, play.output
    assert play.task("Remove the VMX options of the virtual machines")["outcome"] == "skipped"


def test_requirements_fixed_before_a_failure_are_not_reported_as_missing(ansible, simulator):
    lab = simulator(personality="5.0", scenario="bare")
    play = protect(ansible, lab, power_cycle=False)
    assert play.exit != 0 and len(applied(play)) == 3, play.output
    missing = outcome(play).partition("Missing: ")[2]
    assert "Power inner off" in missing
    assert not any(remedy in missing for remedy in applied(play))


@pytest.mark.parametrize(
    ("personality", "scenario", "cause", "remedies"),
    [
        ("5.0", "ha-off", "HA", ["Turn vSphere HA"]),
        ("8.0", "no-ft-nic", "Fault Tolerance logging", ["Let vmk"]),
        ("5.0", "article", "keepalive", ["Disable vMotion streams"]),
        ("6.7", "article", "keepalive", ["Disable vMotion streams"]),
    ],
)
def test_a_cause_that_a_module_can_fix_is_named_and_fixed(ansible, simulator, personality, scenario, cause, remedies):
    lab = simulator(personality=personality, scenario=scenario)
    play = protect(ansible, lab)
    assert play.exit == 0, play.output
    assert cause in play.output
    assert [any(word in remedy for remedy in applied(play)) for word in remedies] == [True] * len(remedies), applied(play)
    assert "Fault Tolerance is running" in outcome(play)
    assert protect(ansible, lab).counts["changed"] == 0


@pytest.mark.parametrize(
    ("personality", "scenario", "cause"),
    [
        ("5.0", "thin-disk", "thindisk"),
        ("6.7", "nested-hv", "hardware virtualization"),
        ("8.0", "snapshot", "snapshot"),
        ("6.7", "no-host", "host"),
    ],
)
def test_a_cause_that_only_a_person_can_fix_is_named_at_the_end(ansible, simulator, personality, scenario, cause):
    lab = simulator(personality=personality, scenario=scenario)
    play = protect(ansible, lab, ft_timeout=20)
    assert play.exit != 0
    summary = outcome(play)
    assert summary.startswith("inner  not protected") and cause in summary.lower(), summary


@pytest.mark.parametrize("scenario", ["ha-off", "article", "bare"])
def test_without_permission_remedies_are_named_and_nothing_is_fixed(ansible, simulator, scenario):
    lab = simulator(personality="5.0", scenario=scenario)
    play = protect(ansible, lab, apply_remedies=False)
    assert play.exit != 0 and applied(play) == []
    assert "not protected" in outcome(play)
    assert not {"UpdateOptions", "SelectVnicForNicType", "ReconfigureComputeResource_Task"} & set(lab.methods())


def test_what_is_missing_is_said_once_with_all_hosts_the_fix_and_whether_it_blocks(ansible, simulator):
    lab = simulator(personality="8.0", scenario="bare")
    play = protect(ansible, lab, "--check", apply_remedies=False, vms=["inner", "other"])
    told = play.task("Show unmet requirements")["msg"]
    hosts = ", ".join(lab.facts["hosts"])
    assert f"[blocks hosts] {hosts}: no vmknic carries vMotion. Fix: Let vmk2 carry vMotion." in told
    off = "vSphere turns Fault Tolerance on only in a cluster with vSphere HA"
    assert f"[blocks] Cluster: {off}. Fix: Turn vSphere HA of cluster Cluster on." in told
    assert len(told) == len(set(told))
    # What blocks comes first. With two hosts, a third one is advice.
    marks = [line.partition("] ")[0] for line in told]
    assert marks == sorted(marks, key=["[blocks", "[blocks hosts", "[advice"].index) and len(set(marks)) == 3
    assert [line for line in told if line.startswith("[advice]") and "third host" in line]


def test_old_log_lines_lead_to_no_remedy(ansible, simulator):
    lab = simulator(personality="5.0", scenario="article")
    # Everything in the lab's logs is older than one hour from now.
    play = protect(ansible, lab, max_log_age="-3600")
    assert play.exit != 0 and applied(play) == []
    assert "UpdateOptions" not in lab.methods()
    assert "keepalive" in outcome(play)


@pytest.mark.parametrize(
    ("personality", "scenario", "logged"),
    [
        ("6.7", "monitor", {"vmware_log": ["vcpu-0| It is running in a monitor mode that is incompatible for Fault Tolerance"]}),
        # 8.0 has no option to disable streams. The remaining remedy needs a powered-off machine.
        ("8.0", "no-host", {"broken_stream": True}),
    ],
)
def test_a_remedy_that_needs_power_off_is_left_to_people(ansible, simulator, personality, scenario, logged):
    lab = simulator(personality=personality, scenario=scenario)
    moid = lab.facts["vm_moid"]
    lab.set(moid, **logged)
    told = run_module("ft_diagnose", connection(lab.facts) | {"moid": moid}).json["findings"][0]
    # The network probe only reads.
    called = [remedy["module"] for remedy in told["remedies"] if remedy["args"] and remedy["module"] != "ft_readiness"]
    assert called == ["vm_power"], "the test needs a finding whose only remedy is vm_power"

    play = protect(ansible, lab, power_cycle=False, ft_timeout=20)
    assert play.exit != 0
    assert told["title"] in outcome(play)
    assert not any("virtual machine off" in remedy for remedy in applied(play)), applied(play)
    assert "PowerOffVM_Task" not in lab.methods() and lab.state()[moid]["power"] == "poweredOn"


def test_the_prerequisites_are_set_once(ansible, simulator):
    lab = simulator(personality="6.7", scenario="bare")
    devices = {"vmotion_device": "vmk2", "ft_logging_device": "vmk1"}
    foretold = ansible.play("prerequisites.yml", lab, "--check", "--diff", **devices)
    done = ansible.play("prerequisites.yml", lab, "--diff", **devices)
    assert done.exit == 0, done.output
    assert done.changes == foretold.changes and done.counts["changed"] == 2
    carried = {moid: host["services"] for moid, host in lab.dump()["hosts"].items()}
    assert all(["vmotion", "vmk2"] in services and ["faultToleranceLogging", "vmk1"] in services for services in carried.values())
    assert ansible.play("prerequisites.yml", lab, **devices).counts["changed"] == 0


def test_without_permission_a_virtual_machine_is_not_powered_off(ansible, simulator):
    lab = simulator(personality="5.0", scenario="healthy")
    play = protect(ansible, lab, power_cycle=False)
    assert play.exit != 0
    assert "replay" in play.output
    assert "PowerOffVM_Task" not in [entry["method"] for entry in lab.log()]


def test_empty_options_set_nothing(ansible, simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    play = protect(ansible, lab, vmx_options={})
    assert play.exit == 0, play.output
    assert [task for task, _ in play.changes] == ["Turn Fault Tolerance on"]


@pytest.mark.parametrize("personality", ["6.7", "8.0"])
def test_options_without_effect_are_not_set_and_need_no_power_cycle(ansible, simulator, personality):
    lab = simulator(personality=personality, scenario="healthy")
    play = protect(ansible, lab)
    assert play.exit == 0, play.output
    assert not {"ReconfigVM_Task", "PowerOffVM_Task"} & set(lab.methods())


def test_the_next_run_starts_a_secondary_that_did_not_start(ansible, simulator):
    lab = simulator(personality="5.0", scenario="article")
    assert protect(ansible, lab, apply_remedies=False).exit != 0
    foretold = protect(ansible, lab, "--check")
    assert foretold.exit == 0, foretold.output
    play = protect(ansible, lab)
    assert play.exit == 0, play.output
    assert "Fault Tolerance is running" in outcome(play)
    assert play.task("Suspend Fault Tolerance where the secondary did not start")["changed"]
    assert protect(ansible, lab).counts["changed"] == 0


def test_the_next_run_makes_a_missed_power_cycle(ansible, simulator):
    lab = simulator(personality="5.0", scenario="healthy")
    assert protect(ansible, lab, power_cycle=False).exit != 0
    play = protect(ansible, lab, power_cycle=True)
    assert play.exit == 0, play.output
    assert "Fault Tolerance is running" in outcome(play)
    assert protect(ansible, lab).counts["changed"] == 0


def test_the_folder_selects_one_of_two_with_the_same_name(ansible, simulator):
    lab = simulator(personality="6.7", scenario="duplicates")
    lost = protect(ansible, lab, vm_name="twin")
    assert lost.exit != 0 and "ambiguous" in lost.output
    found = protect(ansible, lab, "--check", vm_name="twin", vm_folder="nested", vcenter_datacenter="Lab")
    assert found.exit == 0, found.output


@pytest.mark.parametrize("source", ["environment", "variable"])
@pytest.mark.parametrize("scenario", ["article", "ha-off"])
def test_the_password_is_not_in_the_output(ansible, simulator, scenario, source):
    lab = simulator(personality="5.0", scenario=scenario)
    play = protect(ansible, lab, "-vvv", "--diff", password=source)
    assert lab.facts["password"] not in play.output
    assert "Allow Fault Tolerance" in play.output


def test_the_password_can_come_from_a_vault(ansible, simulator, tmp_path):
    lab = simulator(personality="6.7", scenario="healthy")
    key = tmp_path / "vault-key"
    key.write_text("opens the vault\n")
    vaulted = ansible.command(
        "ansible-vault",
        "encrypt_string",
        "--vault-password-file",
        str(key),
        "--name",
        "vcenter_password",
        lab.facts["password"],
    )
    variables = tmp_path / "vaulted.yml"
    text = vaulted.stdout
    variables.write_text(
        text[text.index("vcenter_password:") : text.rindex("\n") + 1].replace("Encryption successful", "")
    )
    play = ansible.play(
        "nested_vft.yml",
        lab,
        "--check",
        "--extra-vars",
        f"@{variables}",
        "--vault-password-file",
        str(key),
        password="vault",
    )
    assert play.exit == 0, play.output
    assert lab.facts["password"] not in play.output


def test_the_page_lists_every_variable():
    specs = {role: yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text()) for role in USED_BY}
    options = {role: spec["argument_specs"]["main"]["options"] for role, spec in specs.items()}
    # Every role documents every variable that it reads, and no other one.
    for role, documented in options.items():
        text = "".join(file.read_text() for files in USED_BY[role] for file in ROLES.glob(files))
        # A dot comes before keys of results, and a bar before filters.
        asked = set(ASKED.findall(text))
        assert {name for name in asked if not name.startswith(tuple(USED_BY))} - LOCAL == documented.keys(), role
    text = "".join(file.read_text() for file in PLAYBOOKS.glob("*.yml"))
    asked = set(ASKED.findall(text)).union(*options.values())
    rows = re.findall(r"^\| (`.*?) \|", VARIABLES, re.MULTILINE)
    told = re.findall(r"`(\w+)`", "".join(rows))
    assert sorted(told) == sorted(asked)
    assert set(re.findall(r"^(?:# )?([a-z]\w+): ?", DEFAULTS, re.MULTILINE)) <= asked


def test_the_default_options_are_those_of_the_article():
    article = yaml.safe_load(DEFAULTS)["vmx_options"]
    said = yaml.safe_load((PLAYBOOKS / "esxi_shell.yml").read_text())[0]["vars"]["article_options"]
    assert said == article
    for role in ("protect", "unprotect"):
        options = yaml.safe_load((ROLES / role / "vars" / "main.yml").read_text())[f"{role}_said_options"]
        assert yaml.safe_load(re.search(r"default\((\{.*?\})\)", options)[1]) == article
    for page in ("variables.md", "awx.md"):
        blocks = re.findall(r"^```yaml\n(.*?)^```$", (PLAYBOOKS / page).read_text(), re.MULTILINE | re.DOTALL)
        assert article in [yaml.safe_load(block).get("vmx_options") for block in blocks]
