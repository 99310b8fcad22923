"""The playbooks and roles cause no warning of Ansible itself. What our modules warn about is in their results."""

from __future__ import annotations

import re

import pytest

from modules import ROOT

PLAYBOOKS = ROOT / "playbooks"
# Run in this order in one lab.
NAMES = ["prerequisites", "nested_vft", "article", "status", "undo", "esxi_shell"]
ALLOWED = dict.fromkeys(["apply_remedies", "choose_vmknics", "power_cycle", "power_on"], True)


def ours(play) -> list[str]:
    """Returns the warnings in the results of the tasks."""
    return [warning for entry in play.journal for warning in entry["result"].get("warnings") or []]


def foreign(play) -> str:
    """Returns the output from the first warning on that is in no result. Ansible wraps warnings as the terminal is wide."""
    text = re.sub(r"\s", "", play.output)
    for warning in ours(play):
        text = text.replace("[WARNING]:" + re.sub(r"\s", "", warning), "")
    found = re.search(r"\[\w*WARNING\].*", text)
    return found[0][:500] if found else ""


def test_all_playbooks_are_run():
    assert {file.stem for file in PLAYBOOKS.glob("*.yml")} == set(NAMES)


@pytest.mark.parametrize("way", ["fqcn", "path"])
def test_no_warning_of_ansible_appears(ansible, simulator, way, tmp_path):
    lab = simulator(personality="6.7", scenario="bare", certificate_dir=tmp_path)
    facts = lab.facts
    (tmp_path / "inner.vmx").write_text('displayName = "inner"\n')
    defaults = tmp_path / "ansible.cfg"
    defaults.write_text("[defaults]\n")
    config = str(PLAYBOOKS / "ansible.cfg" if way == "path" else defaults)
    env = {"ANSIBLE_CONFIG": config, "SSL_CERT_FILE": facts["ca"], "VMWARE_HOST": facts["hostname"]}
    env |= {"VMWARE_PORT": str(facts["port"]), "VMWARE_USER": facts["username"]}
    # Without an inventory, Ansible warns about that.
    inventory = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}, "children": {"esxi": {"hosts": {"localhost": {}}}}}}
    said = ALLOWED | {"record": str(tmp_path / "lab.json"), "status_file": str(tmp_path / "s.html"), "inner_vmx": str(tmp_path / "inner.vmx")}
    for name in NAMES:
        playbook = f"nested.vft.{name}" if way == "fqcn" else f"{name}.yml"
        for flags in (["--check", "--diff"], []) if name in ("nested_vft", "undo") else ([],):
            play = ansible.play(playbook, lab, *flags, inventory=inventory, env=env, **said)
            # The ESXi shell has tools that this machine lacks.
            assert play.exit == 0 or name == "esxi_shell", play.output
            assert foreign(play) == "", (name, flags)


def test_no_warning_appears_when_a_play_of_the_user_calls_the_roles(ansible, simulator, tmp_path):
    lab = simulator(personality="8.0", scenario="bare", certificate_dir=tmp_path)
    facts = lab.facts
    env = {"ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "SSL_CERT_FILE": facts["ca"], "VMWARE_HOST": facts["hostname"]}
    (tmp_path / "ansible.cfg").write_text("[defaults]\n")
    env |= {"VMWARE_PORT": str(facts["port"]), "VMWARE_USER": facts["username"]}
    roles = [f"nested.vft.{name}" for name in ("prepare_cluster", "protect", "unprotect")]
    play = [{"name": "Lab", "hosts": "localhost", "gather_facts": False, "roles": roles}]
    inventory = {"all": {"hosts": {"localhost": {"ansible_connection": "local"}}}}
    done = ansible.play(play, lab, inventory=inventory, env=env, record=str(tmp_path / "lab.json"), **ALLOWED)
    assert done.exit == 0 and foreign(done) == "", done.output
