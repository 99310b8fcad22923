"""The page about AWX: its snippets are valid, and a play runs with what AWX makes of them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest
import yaml

from modules import MODULES, ROOT, TARBALL

BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "playbooks" / "awx.md").read_text(), re.MULTILINE | re.DOTALL)
REQUIREMENTS, INPUTS, INJECTORS, VARIABLES = (yaml.safe_load(block) for block in BLOCKS)
# This is how AWX does it: awx.main.models.credential, CredentialType.inject_credential.
RENDER = """
import json, sys
from jinja2.sandbox import ImmutableSandboxedEnvironment
texts, values = json.load(sys.stdin)
environment = ImmutableSandboxedEnvironment()
json.dump({name: environment.from_string(text).render(**values) for name, text in texts.items()}, sys.stdout)
"""


def injected(ansible, part: str, filled_in: dict) -> dict[str, str]:
    """Returns what AWX renders from one part of the injectors. It drops empty fields, and an unticked box is false."""
    booleans = {entry["id"]: False for entry in INPUTS["fields"] if entry["type"] == "boolean"}
    values = booleans | {name: value for name, value in filled_in.items() if value != ""}
    done = subprocess.run(
        [ansible.commands / "python", "-c", RENDER],
        input=json.dumps([INJECTORS[part], values]),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def run(
    ansible, lab, env: dict[str, str], extra_vars: dict[str, str], playbook: str = "nested_vft.yml"
) -> subprocess.CompletedProcess:
    """Runs a playbook in check mode with the page's inventory."""
    inventory = ansible.folder / "hosts.yml"
    inventory.write_text(yaml.safe_dump({"all": {"hosts": {"localhost": VARIABLES}}}))
    flags = ["--inventory", str(inventory), "--check", "-vvvv", "--extra-vars", json.dumps(extra_vars)]
    # AWX would use the default port of vCenter.
    env = env | {"VMWARE_PORT": str(lab.facts["port"])}
    return ansible.command("ansible-playbook", str(ROOT / "playbooks" / playbook), *flags, env=env)


def filled_in(lab, **more) -> dict:
    return {"host": lab.facts["hostname"], "username": lab.facts["username"], "password": lab.facts["password"]} | more


def test_a_project_can_bring_the_tarball(ansible):
    project = ansible.folder / "project"
    (project / "collections").mkdir(parents=True)
    shutil.copyfile(TARBALL, project / TARBALL.name)
    (project / "collections" / "requirements.yml").write_text(yaml.safe_dump(REQUIREMENTS))
    # AWX does the same: see awx/playbooks/project_update.yml. The Galaxy credential's server does not answer.
    credential = {"ANSIBLE_GALAXY_SERVER_LIST": "server0", "ANSIBLE_GALAXY_SERVER_SERVER0_URL": "http://127.0.0.1:9/"}
    words = ["collection", "install", "-r", "collections/requirements.yml", "-p", "installed"]
    done = subprocess.run(
        [ansible.commands / "ansible-galaxy", *words],
        cwd=project,
        env=ansible.environment({"ANSIBLE_COLLECTIONS_PATH": str(project / "installed")} | credential),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert (project / "installed" / "ansible_collections" / "nested" / "vft" / "plugins" / "bin").is_dir()


def test_the_credential_type_is_valid():
    fields = {entry["id"]: entry for entry in INPUTS["fields"]}
    assert len(fields) == len(INPUTS["fields"]) and set(INPUTS["required"]) <= fields.keys()
    assert all(entry["type"] in ("string", "boolean") and entry["label"] for entry in fields.values())
    assert [name for name, entry in fields.items() if entry.get("secret")] == ["password"]
    used = re.findall(r"\{\{ (?:not )?(\w+) \}\}", json.dumps(INJECTORS))
    assert sorted(used) == sorted(fields)


@pytest.mark.parametrize("name", MODULES)
def test_every_module_reads_the_variables_of_the_credential(name):
    arguments = json.loads((ROOT / "schemas" / f"{name}.args.json").read_text())
    read = {argument.get("x-env") for argument in arguments["properties"].values()}
    assert INJECTORS["env"].keys() <= read


def test_a_play_needs_only_the_variables_of_the_credential(ansible, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    given = filled_in(lab, thumbprint=lab.facts["thumbprint"])
    done = run(ansible, lab, injected(ansible, "env", given), injected(ansible, "extra_vars", given))
    assert done.returncode == 0, done.stdout
    assert re.search(r"^localhost .* changed=[1-9]", done.stdout, re.MULTILINE)
    assert lab.facts["password"] not in done.stdout


@pytest.mark.parametrize("playbook", ["prerequisites.yml", "status.yml", "undo.yml"])
def test_the_other_playbooks_need_only_them_too(ansible, simulator, playbook):
    lab = simulator(personality="6.7", scenario="healthy")
    given = filled_in(lab, thumbprint=lab.facts["thumbprint"])
    page = ansible.folder / "status.html"
    variables = injected(ansible, "extra_vars", given) | {"status_file": str(page)}
    done = run(ansible, lab, injected(ansible, "env", given), variables, playbook)
    assert done.returncode == 0, done.stdout
    if playbook == "status.yml":
        assert lab.facts["hostname"] in page.read_text()


def test_the_certificate_is_checked_unless_insecure_is_ticked(ansible, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    for insecure, trusted in ((False, False), (True, True)):
        given = filled_in(lab, thumbprint="", **({"insecure": True} if insecure else {}))
        done = run(ansible, lab, injected(ansible, "env", given), injected(ansible, "extra_vars", given))
        assert (done.returncode == 0) is trusted, done.stdout
        assert ("certificate is not trusted" in done.stdout) is not trusted
        assert lab.sessions()["logins"] == 0 or trusted


def test_a_thumbprint_is_checked_whatever_awx_sets(ansible, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    env = injected(ansible, "env", filled_in(lab, insecure=True))
    assert env["VMWARE_VALIDATE_CERTS"] == "False"
    done = run(ansible, lab, env, {"vcenter_thumbprint": "00" * 32})
    assert done.returncode != 0 and "not the expected one" in done.stdout
    assert lab.sessions()["logins"] == 0
