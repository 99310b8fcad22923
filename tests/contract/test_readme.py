"""The pages' pipelines, run as they stand: every line behind a `$`, block by block, with the output it shows."""

import json
import re
import socket
import subprocess

import jsonschema
import pytest
import yaml

from modules import MODULES, ROOT

INDENT = "    "
PROMPT = INDENT + "$ "
# The pages, and how many console blocks each has.
PAGES = {"README.md": 3, "playbooks/pipelines.md": 6}


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


def tasks(document):
    """Yields the module and the arguments of every task in a YAML document."""
    if isinstance(document, dict):
        for key, value in document.items():
            module = str(key).removeprefix("nested.vft.")
            if module in MODULES and isinstance(value, dict):
                yield module, value
            else:
                yield from tasks(value)
    elif isinstance(document, list):
        for item in document:
            yield from tasks(item)


def documents():
    """Yields the YAML documents that a user may copy, each with the name of its file."""
    files = subprocess.run(["git", "ls-files", "*.md", "*.yml"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in files.stdout.split():
        text = (ROOT / name).read_text()
        blocks = re.findall(r"^( *)```ya?ml\n(.*?)^ *```", text, re.M | re.S)
        parts = [re.sub(f"^{indent}", "", block, flags=re.M) for indent, block in blocks]
        for part in parts if name.endswith(".md") else [text]:
            # Salt's states are templates.
            yield from ((name, document) for document in ([] if "{{ pillar" in part else yaml.safe_load_all(part)))


def test_the_arguments_of_every_example_are_valid():
    checked = []
    for name, document in documents():
        for module, arguments in tasks(document):
            schema = json.loads((ROOT / "schemas" / f"{module}.args.json").read_text())
            problems = jsonschema.Draft202012Validator(schema).iter_errors(arguments)
            # What a template gives is only known in a run.
            wrong = [problem.message for problem in problems if "{{" not in str(problem.instance)]
            assert wrong == [], (name, module)
            checked.append(module)
    assert set(checked) == set(MODULES)


def test_every_json_object_of_a_page_is_a_call():
    schemas = [json.loads((ROOT / "schemas" / f"{name}.args.json").read_text()) for name in MODULES]
    files = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    shown = [(name, text) for name in files for text in re.findall(r"'(\{\"[^']*\})'", (ROOT / name).read_text())]
    assert len(shown) > 10
    for name, text in shown:
        call = json.loads(text)
        assert any(jsonschema.Draft202012Validator(schema).is_valid(call) for schema in schemas), (name, call)


def test_every_link_leads_to_a_file():
    # The links of ARCHIVE.md are right in an archive. tests/dist reads them there.
    wanted = ["*.md", ":!modules/release/ARCHIVE.md"]
    files = subprocess.run(["git", "ls-files", *wanted], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    broken = []
    for name in files:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", (ROOT / name).read_text()):
            if "://" not in link and not (ROOT / name).parent.joinpath(link).exists():
                broken.append((name, link))
    assert broken == []
