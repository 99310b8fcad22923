"""The table of requests in modules/lib/vsphere_module/README.md is what runs send."""

from __future__ import annotations

import re

import pytest

from modules import IMPERATIVE, MODULES, READ_ONLY, READS, ROOT, example, run_module

METHODS = {
    "content": "RetrieveServiceContent",
    "login": "Login",
    "logout": "Logout",
    "query": "QueryOptions",
    "check": "QueryFaultToleranceCompatibilityEx",
    "file": "GET",
    "list logs": "QueryDescriptions",
    "log": "BrowseDiagnosticLog",
    "events": "QueryEvents",
    "ask host": "QueryNetConfig",
    "write": "Write",
}
# These repeat until something has happened.
REPEATED = {"poll", "read back"}


def table() -> dict[str, tuple[list[str], list[str]]]:
    """Returns the requests of each module without a change, and those that a change adds."""
    page = (ROOT / "modules/lib/vsphere_module/README.md").read_text().split("## Requests")[1]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|([^|]*)\|$", page, re.MULTILINE)
    return {name: tuple([word.strip() for word in cell.split(",") if word.strip()] for cell in cells) for name, *cells in rows}


def pattern(requests: list[str]) -> str:
    """Returns a pattern for the methods of these requests."""
    method = {word: METHODS.get(word, "RetrievePropertiesEx") + " " for word in requests}
    return "".join(f"({method[word]})+" if word in REPEATED else method[word] for word in requests)


@pytest.mark.parametrize("name", MODULES)
def test_the_requests_of_a_run(name, simulator):
    # A task that needs no second poll, however slow this machine is.
    lab = simulator(personality="6.7", scenario="healthy", task_ms=1)
    same, change = table()[name]
    changing = [*same[:-1], *change, same[-1]]
    runs = [changing] if name in IMPERATIVE else [same] if name in READ_ONLY else [changing, same]
    for expected in runs:
        args = example(name, lab.facts)
        lab.clear_log()
        assert not run_module(name, args).json["failed"]
        sent = "".join(f"{method if method in {*READS, 'GET'} else 'Write'} " for method in lab.methods())
        assert re.fullmatch(pattern(expected), sent), sent
