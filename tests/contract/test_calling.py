"""How to call the programs, and the result of every call."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess

import jsonschema
import pytest
import yaml

from modules import (
    CHANGING,
    MODULES,
    ROOT,
    binary,
    environment,
    example,
    run_module,
    run_on_terminal,
)

pytestmark = pytest.mark.parametrize("name", MODULES)


def run(name: str, *flags: str, stdin: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run(
        [binary(name), *flags], input=stdin, capture_output=True, env=environment(), timeout=30, check=False
    )


def test_every_way_to_pass_arguments_gives_the_same_answer(name, healthy):
    args = example(name, healthy.facts)
    answers = [
        run_module(name, args, "--check"),
        run_module(name, args, "-", "--check"),
        run_module(name, args, "--check", via="file"),
        run_on_terminal(name, args | {"_ansible_check_mode": True}),
    ]
    for answer in answers:
        answer.json.pop("invocation", None)
    assert answers[0].did
    assert all(answer.json == answers[0].json for answer in answers)


def test_with_a_file_a_terminal_is_not_read(name, healthy):
    result = run_on_terminal(name, example(name, healthy.facts), timeout=30)
    assert result.did


def test_a_terminal_without_arguments_shows_the_usage(name):
    ours, theirs = pty.openpty()
    try:
        ended = subprocess.run(
            [binary(name)], stdin=theirs, capture_output=True, env=environment(), timeout=30, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert ended.returncode == 2
    assert b"usage" in ended.stderr.lower()


@pytest.mark.parametrize("text", ["", "   ", "{", "[]", '"text"', "null", "{} {}", '{"hostname": }'])
def test_anything_but_one_json_object_is_rejected(name, text):
    result = run_module(name, text)
    assert result.kind == "invalid_arguments"


def test_a_missing_arguments_file_is_named(name, tmp_path):
    ended = run(name, str(tmp_path / "nowhere"))
    answer = json.loads(ended.stdout)
    assert answer["error"]["kind"] == "invalid_arguments" and ended.returncode == 2
    assert "nowhere" in answer["msg"]
    assert ended.stderr == b""


def test_help_and_version_name_the_module(name):
    for flag in ("--help", "--version"):
        ended = run(name, flag)
        assert ended.returncode == 0
        assert name in ended.stdout.decode()
    text = run(name, "--help").stdout.decode()
    assert all(flag in text for flag in ("--check", "--diff", "--schema", "--doc", "--trace"))
    arguments = json.loads(run(name, "--schema", "args").stdout)
    for argument, schema in arguments["properties"].items():
        (line,) = re.findall(rf"^  {argument}\*? .*$", text, re.M)
        assert schema.get("x-env", "") in line
    shown = json.loads(re.search(r"echo '(.*)' \| " + name, text)[1])
    jsonschema.Draft202012Validator(arguments).validate(shown)


@pytest.mark.parametrize("words", [[], ["--jsonl"], ["--nonsense"], ["--doc"]])
def test_a_result_that_cannot_be_written_is_reported(name, words):
    with open("/dev/full", "wb") as full:
        ended = subprocess.run(
            [binary(name), *words], input=b"{}", stdout=full, stderr=subprocess.PIPE, env=environment(), timeout=30, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == b"error: cannot write to standard output: No space left on device (os error 28)"


def test_an_unknown_flag_is_rejected(name):
    assert run(name, "--nonsense", stdin=b"{}").returncode == 2


@pytest.mark.parametrize("half", ["args", "result"])
def test_the_schemas_are_valid_and_current(name, half):
    printed = run(name, "--schema", half)
    assert printed.returncode == 0
    schema = json.loads(printed.stdout)
    jsonschema.validators.validator_for(schema).check_schema(schema)
    assert schema == json.loads((ROOT / "schemas" / f"{name}.{half}.json").read_text())


def test_the_documentation_matches_the_schemas(name):
    printed = run(name, "--doc")
    assert printed.returncode == 0
    doc = yaml.safe_load(printed.stdout)
    arguments = json.loads(run(name, "--schema", "args").stdout)
    results = json.loads(run(name, "--schema", "result").stdout)

    assert doc["DOCUMENTATION"]["module"] == name
    assert doc["DOCUMENTATION"]["options"].keys() == arguments["properties"].keys()
    for option, described in doc["DOCUMENTATION"]["options"].items():
        assert described["description"] and described["type"], option
        told = re.sub(r"\b(?:RV|O|V|E|C)\(([^)]*)\)", r"`\1`", "\n".join(described["description"]))
        assert told.startswith(arguments["properties"][option]["description"]), "a line break changed the text"
    assert all(f"O({one})" in doc["DOCUMENTATION"]["description"][-1] for one in ("proxy_host", "proxy_port"))
    assert max(len(line) for line in printed.stdout.splitlines()) <= 160, "the sanity tests allow only this"
    assert doc["RETURN"].keys() <= results["properties"].keys()
    assert all(described["description"] for described in doc["RETURN"].values())


def test_the_examples_in_the_documentation_are_valid_calls(name):
    doc = yaml.safe_load(run(name, "--doc").stdout)
    arguments = json.loads(run(name, "--schema", "args").stdout)
    validator = jsonschema.validators.validator_for(arguments)(arguments)
    tasks = yaml.safe_load(doc["EXAMPLES"])
    calls = [task[f"nested.vft.{name}"] for task in tasks if f"nested.vft.{name}" in task]
    assert calls
    for call in calls:
        problems = [problem.message for problem in validator.iter_errors(call) if problem.validator != "required"]
        assert not problems


def test_progress_goes_to_stderr_as_text_and_never_as_json(name, simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=400)
    result = run_module(name, example(name, lab.facts))
    assert result.did
    told = result.stderr.decode().splitlines()
    # Read-only modules wait for nothing worth reporting.
    assert name not in CHANGING or any("waiting for" in line or "setting" in line for line in told)
    assert not any(line.lstrip().startswith("{") for line in told)


def test_with_a_file_a_closed_stdin_does_not_matter(name, tmp_path):
    path = tmp_path / "args"
    path.write_text("{}")
    ended = subprocess.run(
        ["sh", "-c", 'exec "$0" "$1" <&-', binary(name), path],
        capture_output=True,
        env=environment(),
        timeout=30,
        check=False,
    )
    assert ended.returncode == 2 and ended.stderr == b""
    assert json.loads(ended.stdout)["error"]["kind"] == "invalid_arguments"


def test_no_log_hides_arguments_and_diffs(name, healthy):
    args = example(name, healthy.facts) | {"_ansible_no_log": True, "_ansible_diff": True, "_ansible_check_mode": True}
    answer = run_module(name, args, via="file").json
    assert answer["changed"] is (name in CHANGING) and not {"invocation", "diff"} & answer.keys()


@pytest.mark.parametrize("path", ["/proc/kmsg", "/proc/self/status", "/sys/kernel/mm", "/dev/zero", "/dev/kmsg", "/tmp"])
def test_anything_but_a_regular_arguments_file_is_rejected_before_it_is_opened(name, path):
    answer = json.loads(run(name, path).stdout)
    assert answer["error"]["kind"] == "invalid_arguments" and f"{path} is a " in answer["msg"]


@pytest.mark.parametrize("path", ["/dev/stdin", "<(cat)", "pipe"])
def test_arguments_may_come_through_a_pipe(name, path, tmp_path):
    script = f"mkfifo pipe; {{ test {path!r} != pipe || cat >pipe; }} <&3 & exec \"$0\" {path}"
    ended = subprocess.run(
        ["bash", "-c", f"exec 3<&0; {script}", binary(name)],
        input=b'{"from_a_pipe": 1}',
        capture_output=True,
        env=environment(),
        cwd=tmp_path,
        timeout=30,
        check=False,
    )
    assert "from_a_pipe" in json.loads(ended.stdout)["msg"]
