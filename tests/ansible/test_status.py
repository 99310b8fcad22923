"""The report of playbooks/status.yml in a real browser."""

from __future__ import annotations

import contextlib
import html.parser
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CONTRASTS, TAGS, Page

from modules import READS, ROOT, connection, run_module

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
    assert set(lab.methods()) <= READS
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


def rows(page: Page) -> list[list[str]]:
    """Returns the table of virtual machines, cell by cell."""
    cells = page.texts("#vms tbody td")
    return [cells[at : at + 5] for at in range(0, len(cells), 5)]


def test_a_cluster_that_is_not_prepared(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="bare")
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    well_formed(file, page)
    found = look(lab)

    assert page.texts("h1") == [f"Fault Tolerance of {lab.facts['cluster']}"]
    (verdict,) = page.texts("#verdict")
    assert verdict.startswith("✗ Not ready") and found["msg"] in verdict
    assert f"{found['counts']['met']} met, {found['counts']['unmet']} unmet" in verdict
    (summary,) = page.texts(".sub")
    assert "2 hosts · vSphere HA off · SMP-FT" in summary and lab.facts["hostname"] in summary
    assert [f"{vm['name']} {vm['moid']}" for vm in found["vms"]] == [row[0] for row in rows(page)]
    (inner,) = [row for row in rows(page) if row[0].startswith("inner ")]
    assert inner[1:3] == ["notConfigured", ""] and inner[3] in lab.facts["hosts"] and inner[4] == "poweredOn"

    # Hosts with an unmet check are expanded. Each row shows what is required, what was found and why it is unmet.
    unmet = [check for check in found["checks"] if check["status"] == "unmet"]
    shown = page.texts("tr:has(> td.unmet)")
    assert len(shown) == len(unmet) == found["counts"]["unmet"] > 0
    for check, row in zip(unmet, shown, strict=True):
        assert row == " ".join(["✗ unmet", check["required"], check["observed"], check["why"]])
    steps = page.texts("#remedies > li")
    assert len(steps) == len(found["remedies"]) > 0
    for step, shown in zip(found["remedies"], steps, strict=True):
        assert shown.startswith(step["text"])
        task = re.search(r"nested\.vft\.(\w+): (\{.*\})$", shown)
        # Advice for a person, such as a third host, has no task.
        told = (task[1], json.loads(task[2])) if task else (None, None)
        assert told == (step["module"], step["args"])
    assert any(step["args"] for step in found["remedies"])


def test_a_protected_machine_and_an_unchanged_second_report(ansible, simulator, tmp_path, browse):
    # With two hosts, a third one would be advice.
    lab = simulator(personality="8.0", scenario="healthy", hosts=3)
    protect(lab)
    file = tmp_path / "status.html"
    assert report(ansible, lab, file, "--check").counts["changed"] == 1
    assert report(ansible, lab, file).counts["changed"] == 0
    page = browse(file)
    well_formed(file, page)

    assert page.texts("#verdict strong") == ["✓ Ready"]
    assert page.texts("#remedies") == [] and page.texts("td.unmet") == []
    pair = [row for row in rows(page) if row[0].startswith("inner ")]
    assert [row[1:3] for row in pair] == [["running", "primary"], ["running", "secondary"]]
    assert len({row[3] for row in pair} & set(lab.facts["hosts"])) == 2
    assert page.texts("#vms .state.good") == ["running", "running"]
    assert any(text.endswith(" in all, 1 protected") for text in page.texts("p"))

    lab.set(lab.facts["vm_moid"], ft_state="needSecondary")
    assert report(ansible, lab, file).counts["changed"] == 1
    again = browse(file)
    assert again.texts("#vms .state.bad") == ["needSecondary"]
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
    assert lab.facts["hosts"][2] in step and "nested.vft" not in step


def test_names_are_escaped(ansible, simulator, tmp_path, browse):
    lab = simulator(personality="6.7", scenario="healthy")
    lab.set(lab.facts["vm_moid"], name=EVIL)
    file = tmp_path / "status.html"
    report(ansible, lab, file)
    page = browse(file)
    well_formed(file, page)
    assert page.ask("[...document.querySelectorAll('bdi')].map(name => name.textContent)").count(EVIL) == 1
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
