"""The pages' pipelines, run as they stand: every line behind a `$`, block by block, with the output it shows."""

import socket
import subprocess

import pytest

from modules import ROOT

INDENT = "    "
PROMPT = INDENT + "$ "
# The pages, and how many console blocks each has.
PAGES = {"README.md": 3, "playbooks/pipelines.md": 5}


def blocks(page):
    """The console blocks of a page: of each, the commands and all output shown for them."""
    found, inside = [], False
    for line in (ROOT / page).read_text().splitlines():
        if line.startswith(PROMPT):
            if not inside:
                found.append(([], []))
            inside = True
            found[-1][0].append(line.removeprefix(PROMPT))
        elif inside and line.startswith(INDENT):
            found[-1][1].append(line.removeprefix(INDENT))
        else:
            inside = False
    return found


@pytest.mark.parametrize(
    ("page", "number"), [(page, number) for page, count in PAGES.items() for number in range(count)]
)
def test_a_pipeline_of_a_page_answers_as_it_says(page, number):
    commands, output = blocks(page)[number]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = ["set -m"]
    for command in commands:
        script.append(command.replace("8989", port))
        if command.endswith("&"):
            # A person takes longer to type the next line than the simulator to start.
            script.append(f"until (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.05; done")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == output, done.stderr


@pytest.mark.parametrize("page", PAGES)
def test_no_block_of_a_page_is_left_out(page):
    assert len(blocks(page)) == PAGES[page]
