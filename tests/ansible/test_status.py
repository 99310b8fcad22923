"""The report of playbooks/status.yml in a real browser."""

from __future__ import annotations

import contextlib
import html.parser
import json
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml
from browser import CONTRASTS, TAGS, Page

from modules import MODULES, READS, ROOT, connection, run_module

PICTURES = ROOT / "target" / "status"
# Elements without an end tag.
VOID = {"meta", "br", "hr", "img", "input", "link"}
EVIL = """<script>document.title='owned';alert(1)</script>&"'{{ 7*7 }}<img src=x onerror=alert(2)>"""


class Tags(html.parser.HTMLParser):
    """The elements in the file. Asserts that each is closed, in order."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open and self._open.pop() == tag, f"</{tag}> closes nothing"


@pytest.fixture
def browse(tmp_path) -> Iterator:
    """Opens a file. After the test, asserts that the page requested only itself, and that the browser reported no problem."""
    opened = []
    with contextlib.ExitStack() as stack:

        def browse(file: Path) -> Page:
            page = stack.enter_context(Page(file, tmp_path / f"profile{len(opened)}"))
            opened.append((file, page))
            return page

        yield browse
    for file, page in opened:
        assert page.requests() == [file.as_uri()]
        assert page.complaints() == []


def report(ansible, lab, file: Path, *flags: str, **variables):
    """Runs the playbook. Asserts that it writes nothing to vSphere."""
    lab.clear_log()
    play = ansible.play("status.yml", lab, *flags, status_file=str(file), **variables)
    assert play.exit == 0, play.output
    assert play.task("Read the state of the cluster")["changed"] is False
    assert set(lab.methods()) <= READS | {"GET"}
    return play


def protect(lab) -> None:
    """Turns Fault Tolerance on for the inner virtual machine."""
    done = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert not done.json["failed"], done.msg


def look(lab) -> dict:
    """Returns the ft_readiness result from which the page is made."""
    return run_module("ft_readiness", connection(lab.facts) | {"cluster_name": lab.facts["cluster"]}).json


def well_formed(file: Path, page: Page) -> None:
    """Asserts that the browser parsed every element as written, without corrections."""
    written = Tags(file.read_text())
    assert page.ask(TAGS) == written.tags
    assert len(written.ids) == len(set(written.ids))
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(written.tags)


def rows(page: Page, table: str = ".vms") -> list[list[str]]:
    """Returns a table with five columns, cell by cell, also one that is folded."""
    found = page.ask(f"[...document.querySelectorAll('{table} tbody td')].map(cell => cell.textContent)")
    cells = [" ".join(text.split()) for text in found]
    return [cells[at : at + 5] for at in range(0, len(cells), 5)]


def tasks(page: Page) -> list[dict]:
    """Returns the tasks that the page shows, in order. Asserts that each fits the schema of its module."""
    shown = page.ask("[...document.querySelectorAll('#remedies pre')].map(text => text.textContent)")
    found = [task for text in shown for task in yaml.safe_load(text)]
    for task in found:
        (name,) = task.keys() - {"name"}
        module = name.removeprefix("nested.vft.")
        assert module in MODULES and task["name"]
        schema = json.loads((ROOT / "schemas" / f"{module}.args.json").read_text())
        jsonschema.validate({"hostname": "vcenter", "username": "user", "password": "secret"} | task[name], schema)
    return found


def paste(ansible, lab, tasks: list[dict]):
    """Runs the tasks as the page says: in a play on localhost, with the server in the environment."""
    facts = lab.facts
    play = {"name": "Paste", "hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    file = ansible.folder / "pasted.yml"
    file.write_text(yaml.safe_dump([play], sort_keys=False))
    server = {"HOST": facts["hostname"], "PORT": str(facts["port"]), "USER": facts["username"], "PASSWORD": facts["password"]}
    env = {f"VMWARE_{name}": value for name, value in server.items()} | {"SSL_CERT_FILE": facts["ca"]}
    (ansible.folder / "journal").touch()
    env["ANSIBLE_JOURNAL"] = str(ansible.folder / "journal")
    return ansible.command("ansible-playbook", str(file), env=env)


def test_a_cluster_that_is_not_prepared(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="bare", certificate_dir=tmp_path)
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    well_formed(file, page)
    found = look(lab)
    assert page.texts("h2")[0] == "What to do"

    assert page.texts("h1") == [f"Fault Tolerance of {lab.facts['cluster']}"]
    (verdict,) = page.texts("#verdict")
    assert verdict.startswith("✗ Not ready") and found["msg"] in verdict
    assert f"{found['counts']['met']} met, {found['counts']['unmet']} unmet" in verdict
    (summary,) = page.texts(".sub")
    assert "2 hosts · vSphere HA off · SMP-FT" in summary and lab.facts["hostname"] in summary
    assert [f"{vm['name']} {vm['moid']}" for vm in found["vms"]] == [row[0] for row in rows(page)]
    assert not any(row[0].startswith("template") for row in rows(page))
    build = found["hosts"][0]["build"]
    assert rows(page, "#hosts") == [[host, "in service", "6.7.0", build, "0: streams are on"] for host in lab.facts["hosts"]]
    (inner,) = [row for row in rows(page) if row[0].startswith("inner ")]
    assert inner[1:3] == ["notConfigured", ""] and inner[3] in lab.facts["hosts"] and inner[4] == "poweredOn"

    # Hosts with an unmet check are expanded. Each row shows what is required, what was found and why it is unmet.
    unmet = [check for check in found["checks"] if check["status"] == "unmet"]
    shown = page.texts("tr:has(> td.unmet)")
    assert len(shown) == len(unmet) == found["counts"]["unmet"] > 0
    assert sorted(shown) == sorted(" ".join(["✗ unmet", check["required"], check["observed"], check["why"]]) for check in unmet)
    steps = page.texts("#remedies > li")
    assert len(steps) == len(found["remedies"]) > 0
    for step, text in zip(found["remedies"], steps, strict=True):
        assert text.removeprefix("optional ").startswith(step["text"]) and text.startswith("optional") is step["advisory"]
    # Advice for a person, such as a third host, has no task.
    callable = [step for step in found["remedies"] if step["args"]]
    assert [task[f"nested.vft.{step['module']}"] for step, task in zip(callable, tasks(page), strict=True)] == [
        step["args"] for step in callable
    ]
    assert f"Do steps 1 to {len(callable)}" in verdict
    done = paste(ansible, lab, tasks(page))
    assert done.returncode == 0, done.stdout
    assert look(lab)["ready"]


def test_a_machine_without_a_secondary_gets_one_by_what_the_page_says(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="article", certificate_dir=tmp_path)
    done = run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]})
    assert done.json["failed"]
    file = tmp_path / "status.html"
    report(ansible, lab, file, vm_name="")
    page = browse(file)
    well_formed(file, page)
    (verdict,) = page.texts("#verdict.bad")
    assert verdict.startswith("✗ 1 virtual machine has no secondary Do step 1.")
    step = page.texts("#remedies > li")[0]
    assert step.startswith("inner has no secondary. Disable vMotion streams") and "lost its peer" in step
    assert "If that does not help" in step
    events = page.texts(".events tbody tr")
    assert any("could not start the secondary of inner" in event and "virtual machine inner" in event for event in events)
    assert events == sorted(events, key=lambda event: event[:19], reverse=True)

    done = paste(ansible, lab, tasks(page))
    assert done.returncode == 0, done.stdout
    assert lab.state()[lab.facts["vm_moid"]]["ft_state"] == "running"
    report(ansible, lab, file)
    again = browse(file)
    assert [row[4] for row in rows(again, "#hosts")] == ["1: streams are off"] * 2
    assert "You" not in again.texts("#verdict.good")[0] and tasks(again) == []


@pytest.mark.parametrize("by", ["nobody", "vm_name", "moid", "uuid"])
def test_events_of_a_machine_without_fault_tolerance_are_read_if_the_user_names_it(ansible, simulator, tmp_path, by):
    lab = simulator(personality="8.0", scenario="healthy")
    lab.post_event(lab.facts["vm_moid"], "VmFailedStartingSecondaryEvent", reason="migrateFailed")
    vm = run_module("vm_power", connection(lab.facts) | {"name": "inner", "state": "powered_on"}, "--check").json["vm"]
    said = {
        "nobody": {"vm_name": ""},
        "vm_name": {"vm_name": "inner", "vm_folder": "nested"},
        "moid": {"vms": [{"moid": vm["moid"]}]},
        "uuid": {"vms": [{"uuid": vm["instance_uuid"], "use_instance_uuid": True, "secondary_host": "esxi02.lab.local"}]},
    }
    file = tmp_path / "status.html"
    report(ansible, lab, file, **said[by])
    assert ("VmFailedStartingSecondaryEvent" in file.read_text()) is (by != "nobody")
    # An attempt to protect another one may have failed too.
    assert "name it in <code>vms</code>" in file.read_text()


MONITOR = "vcpu-0| It is running in a monitor mode that is incompatible for Fault Tolerance"


@pytest.mark.parametrize(
    ("scenario", "log", "event", "modules"),
    [
        ("monitor", [MONITOR], "", ["vm_power", "fault_tolerance", "vm_power"]),
        ("healthy", [], "VmSecondaryDisabledBySystemEvent", ["fault_tolerance"]),
    ],
)
def test_tasks_end_where_a_person_would(ansible, simulator, tmp_path, browse, scenario, log, event, modules):
    lab = simulator(personality="6.7", scenario=scenario)
    lab.set(lab.facts["vm_moid"], ft_state="disabled", vmware_log=log)
    if event:
        lab.post_event(lab.facts["vm_moid"], event)
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    found = [name.removeprefix("nested.vft.") for task in tasks(page) for name in task if name != "name"]
    assert found == modules, page.texts("#remedies > li")


def test_unread_sources_are_not_called_empty(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="article")
    assert run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]}).json["failed"]
    for method in ("GET", "QueryEvents", "QueryDescriptions"):
        lab.inject(method=method, fault="NoPermission", times=99)
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    text = " ".join(browse(file).texts("body"))
    assert "could be read" in text and "No known cause" not in text and "vSphere has no event" not in text


def test_no_list_is_cut(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="8.0", scenario="healthy", hosts=12, vms=40)
    for number in range(20):
        lab.post_event(lab.facts["vm_moid"], "VmFailedStartingSecondaryEvent", reason="migrateFailed", ago_s=100 - number)
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    well_formed(file, page)
    found = look(lab)
    assert {row[0] for row in rows(page)} == {f"{vm['name']} {vm['moid']}" for vm in found["vms"]} and len(found["vms"]) > 40
    absent = "does not exist since 7.0 Update 2"
    hosts = [[host["name"], "in service", host["version"], host["build"], absent] for host in found["hosts"]]
    assert rows(page, "#hosts") == hosts and len(hosts) == 12
    assert page.ask("document.querySelectorAll('.events tbody tr').length") == 20
    assert len([event for event in page.texts(".events tbody tr") if event]) == 10
    # Everything is on paper.
    page.call("Emulation.setEmulatedMedia", media="print")
    assert len([event for event in page.texts(".events tbody tr") if event]) == 20
    assert all(page.texts(".vms tbody tr"))


def test_a_name_that_ansible_would_evaluate_gets_no_task(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="ha-off")
    status = look(lab)
    step = next(step for step in status["remedies"] if step["args"])
    step["args"]["cluster_name"] = "PLACE"
    given = yaml.safe_dump({"status": status, "streams": {}, "diagnosis": {"answers": {}, "failures": {}}})
    (tmp_path / "given.yml").write_text(given.replace("PLACE", """!unsafe "{{ lookup('ansible.builtin.pipe', 'id') }}" """))
    file = tmp_path / "status.html"
    template = {"src": str(ROOT / "playbooks" / "templates" / "status.html.j2"), "dest": str(file)}
    play = {
        "name": "Render",
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        "tasks": [{"name": "Render", "ansible.builtin.template": template}],
    }
    done = ansible.play([play], lab, "-e", f"@{tmp_path / 'given.yml'}")
    assert done.exit == 0, done.output
    page = browse(file)
    assert tasks(page) == [] and step["text"] in page.texts("#remedies > li")[0]


def test_a_protected_machine_and_an_unchanged_second_report(ansible, simulator, tmp_path, browse):
    # With two hosts, a third one would be advice.
    lab = simulator(personality="8.0", scenario="healthy", hosts=3)
    protect(lab)
    file = tmp_path / "status.html"
    assert report(ansible, lab, file, "--check").counts["changed"] == 1
    assert report(ansible, lab, file).counts["changed"] == 0
    page = browse(file)
    well_formed(file, page)

    assert page.texts("#verdict strong") == ["✓ Ready for Fault Tolerance"]
    assert page.texts("#remedies") == [] and page.texts("td.unmet") == []
    pair = [row for row in rows(page) if row[0].startswith("inner ")]
    assert [row[1:3] for row in pair] == [["running", "primary"], ["running", "secondary"]]
    assert len({row[3] for row in pair} & set(lab.facts["hosts"])) == 2
    assert page.texts(".vms .state.good") == ["running", "running"]
    assert any(text.endswith(" in all, 1 protected") for text in page.texts("p"))

    lab.set(lab.facts["vm_moid"], ft_state="needSecondary")
    assert report(ansible, lab, file).counts["changed"] == 1
    again = browse(file)
    assert again.texts(".vms .state.bad") == ["needSecondary"]
    assert any(text.endswith(" in all, 0 protected") for text in again.texts("p"))


def test_a_host_that_is_not_needed_is_shown_but_the_verdict_is_ready(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="healthy", hosts=4)
    out = lab.facts["host_moids"][2]
    lab.set(out, maintenance=True)
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    well_formed(file, page)
    (verdict,) = page.texts("#verdict")
    assert verdict.startswith("✓ Ready") and "not needed" in verdict
    unmet = page.ask("[...document.querySelectorAll('tr:has(> td.unmet)')].map(row => row.id)")
    assert f"host-maintenance-{out}" in unmet and all(row.endswith(out) for row in unmet)
    (step,) = page.texts("#remedies > li")
    assert step.startswith("optional") and lab.facts["hosts"][2] in step and tasks(page) == []
    assert [row[:2] for row in rows(page, "#hosts")][2] == [lab.facts["hosts"][2], "in maintenance mode"]


def test_names_are_escaped(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="article")
    assert run_module("fault_tolerance", connection(lab.facts) | {"name": lab.facts["vm"]}).json["failed"]
    lab.set(lab.facts["vm_moid"], name=EVIL)
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    well_formed(file, page)
    assert page.ask("[...document.querySelectorAll('bdi')].map(name => name.textContent)").count(EVIL) == 1
    assert len(tasks(page)) == 3 and not any("{" in task["name"] for task in tasks(page))
    assert page.ask("document.title") == f"Fault Tolerance of {lab.facts['cluster']}"


def test_unreadable_properties_are_shown_as_unknown(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="healthy")
    moid = lab.facts["vm_moid"]
    lab.set(moid, unreadable=["name", "runtime", "config"])
    lab.set(lab.facts["cluster_moid"], ha_untold=True)
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    well_formed(file, page)
    assert [moid, "unknown", "", "unknown", "unknown"] in rows(page)
    assert "vSphere HA unknown" in page.texts(".sub")[0]
    (verdict,) = page.texts("#verdict.fair")
    assert verdict.startswith("? No known blocker") and look(lab)["msg"] in verdict
    assert "? unknown" in page.texts("td.unknown")


# One version of Ansible is enough, because this is about the browser.
@pytest.mark.parametrize("ansible", ["2.19"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("scenario", ["bare", "healthy"])
def test_the_page_is_readable_on_any_screen(scenario, scheme, ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario=scenario, vms=3)
    if scenario == "healthy":
        protect(lab)
    else:
        lab.set(lab.facts["vm_moid"], name="a-name-as-long-as-vsphere-lets-it-be-" + 43 * "x")
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    for width in (1280, 820, 400):
        page.show(width, scheme)
        page.screenshot(PICTURES / f"{scenario}-{width}-{scheme}.png")
        assert page.ask("document.documentElement.scrollWidth") <= width
        assert page.ask(f"matchMedia('(prefers-color-scheme: {scheme})').matches")
        faint = [(text, ratio) for text, ratio in page.ask(CONTRASTS) if ratio < 4.5]
        assert faint == []
