"""The few lists outside of a module's own folder that name every module; a failure says which line to add."""

import re

import pytest
import yaml

from modules import CALLING_ACTIONS, CHANGING, MODULES, ROOT

every_module = pytest.mark.parametrize("name", MODULES)


def lacks(file, line):
    """True if the file has no such line, whatever the indent."""
    return line not in [found.strip() for found in (ROOT / file).read_text().splitlines()]


@every_module
def test_every_list_names_the_module(name):
    wanted = {
        "modules/nested_vft/Cargo.toml": f'{name} = {{ path = "../{name}" }}',
        "modules/nested_vft/src/modules.rs": f"{name}::PROGRAM,",
        "tests/fuzz/Cargo.toml": f'{name} = {{ path = "../../modules/{name}" }}',
        "tests/fuzz/fuzz_targets/arguments.rs": f"{name}::PROGRAM,",
        "playbooks/collection/meta/runtime.yml": f"- {name}",
    }
    missing = [f"add `{line}` to {file}" for file, line in wanted.items() if lacks(file, line)]
    if f"| [`{name}`](modules/{name}) |" not in (ROOT / "README.md").read_text():
        missing.append(f"add a row `| [`{name}`](modules/{name}) | … | … |` to the table of modules in README.md")
    if f'"{name}": {{' not in (ROOT / "tests" / "modules.py").read_text():
        missing.append(f"add a call of {name} to `example` in tests/modules.py")
    if name in CHANGING and f'"{name}": "' not in (ROOT / "tests" / "contract" / "test_failures.py").read_text():
        missing.append(f"add the method that writes for {name} to `WRITE` in tests/contract/test_failures.py")
    if not (ROOT / "modules" / name / "privileges.yml").exists():
        missing.append(f"write modules/{name}/privileges.yml")
    if f'"{name}": [' not in (ROOT / "tests" / "contract" / "test_privileges.py").read_text():
        missing.append(f"add calls of {name} to `CALLS` in tests/contract/test_privileges.py")
    if name not in (ROOT / "ARCHITECTURE.md").read_text():
        missing.append(f"add {name} to the drawing in ARCHITECTURE.md")
    for file in sorted((ROOT / "playbooks" / "collection" / "tests" / "sanity").iterdir()):
        if f"plugins/modules/{name}.py" not in file.read_text():
            missing.append(f"add a line for plugins/modules/{name}.py to {file.relative_to(ROOT)}")
    assert not missing, "; ".join(missing)


def test_no_list_names_a_module_that_is_gone():
    programs = {
        file: re.findall(r"^\s*(\w+)::PROGRAM,$", (ROOT / file).read_text(), re.MULTILINE)
        for file in ("modules/nested_vft/src/modules.rs", "tests/fuzz/fuzz_targets/arguments.rs")
    }
    runtime = yaml.safe_load((ROOT / "playbooks" / "collection" / "meta" / "runtime.yml").read_text())
    table = re.findall(r"^\| \[`(\w+)`\]\(modules/", (ROOT / "README.md").read_text(), re.MULTILINE)
    lists = programs | {"runtime.yml": set(runtime["action_groups"]["vsphere"]) - set(CALLING_ACTIONS), "README.md": table}
    extra = {file: sorted(set(names) - set(MODULES)) for file, names in lists.items() if set(names) - set(MODULES)}
    assert not extra, f"remove these lines: {extra}"
