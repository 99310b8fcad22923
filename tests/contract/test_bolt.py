"""The modules as Puppet Bolt tasks, called like Bolt calls them, and as stateful commands of Salt.

Bolt's behaviour is documented: it passes the parameters to a task on stdin, with its own keys that begin with an underscore.
All of stdout is one result. A task failed if the result has `_error` or the exit status is not 0.
"""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from modules import (
    CHANGING,
    ERROR_KINDS,
    MODULES,
    ROOT,
    binary,
    environment,
    example,
    run_module,
)


def task(name: str, parameters: dict, noop: bool = False, env: dict | None = None, **more) -> dict:
    """Returns a task's result, as Bolt sees it. A failure has `_error`."""
    own = {"_task": f"nested_vft::{name}", "_installdir": "/tmp/bolt"} | ({"_noop": True} if noop else {}) | more
    ended = subprocess.run(
        [binary(name)],
        input=json.dumps(parameters | own).encode(),
        capture_output=True,
        env=environment(env),
        timeout=60,
        check=False,
    )
    result = json.loads(ended.stdout)
    assert isinstance(result, dict)
    assert (ended.returncode != 0) is ("_error" in result) is result["failed"]
    assert ended.stderr == b""
    assert (parameters.get("password") or "no password").encode() not in ended.stdout
    if "_error" in result:
        assert result["_error"].keys() == {"msg", "kind", "details"}
        space, kind = result["_error"]["kind"].split("/")
        assert space == "nested_vft" and kind in ERROR_KINDS
        assert result["_error"]["msg"] == result["msg"]
    return result


@pytest.mark.parametrize("name", MODULES)
def test_a_task_predicts_its_change_and_makes_it(name, healthy):
    args = example(name, healthy.facts)
    plain = run_module(name, args, "--check").json
    predicted = task(name, args, noop=True)
    # `invocation` echoes the arguments for Ansible; a Bolt result does not have it.
    plain.pop("invocation")
    assert predicted == plain
    assert predicted["changed"] is (name in CHANGING)
    done = task(name, args)
    assert done["changed"] is (name in CHANGING) and not done["failed"]


def test_a_failure_has_bolts_error_object(healthy):
    args = example("host_option", healthy.facts)
    result = task("host_option", args | {"esxi_hostname": "nowhere"})
    assert result["_error"]["kind"] == "nested_vft/not_found" and "nowhere" in result["msg"]
    result = task("host_option", args | {"optoins": {}})
    assert result["_error"]["kind"] == "nested_vft/invalid_arguments"
    assert "options" in result["_error"]["details"]["detail"]
    assert task("host_option", args, _noop="perhaps")["_error"]["kind"] == "nested_vft/invalid_arguments"


def test_bolts_own_keys_are_ignored(healthy):
    result = task("host_option", example("host_option", healthy.facts), _new={"a": 1})
    assert result["changed"]


@pytest.mark.parametrize("form", ["parts", "uri", "host and port"])
def test_a_remote_target_is_the_server(form, healthy):
    args = example("host_option", healthy.facts)
    host, port, user, password = (args.pop(name) for name in ("hostname", "port", "username", "password"))
    account = {"user": user, "password": password, "protocol": "remote", "name": "vcenter"}
    target = {
        "parts": {"host": host, "port": port, "uri": None},
        "uri": {"uri": f"remote://{host}:{port}"},
        "host and port": {"uri": f"{host}:{port}", "host": None},
    }[form]
    result = task("host_option", args, _target=target | account)
    assert result["changed"] and password not in json.dumps(result)
    # An argument of the caller counts more.
    assert task("host_option", args | {"username": "nobody"}, _target=target | account)["_error"]["kind"] == "nested_vft/authentication"
    # Null means not given.
    assert not task("host_option", args | {"hostname": None, "password": None}, _target=target | account)["failed"]
    # The password of one server is not sent to another one.
    refused = task("host_option", args | {"hostname": "192.0.2.1"}, _target=target | account)
    assert refused["_error"]["kind"] == "nested_vft/invalid_arguments" and "`password`" in refused["msg"]


@pytest.mark.parametrize("target", [{}, {"host": None, "uri": None}, {"host": ""}, {"uri": "no host"}, {"uri": 7}])
def test_the_account_of_a_target_without_a_host_is_not_used(target, healthy):
    args = example("host_option", healthy.facts)
    host, port, user, password = (args.pop(name) for name in ("hostname", "port", "username", "password"))
    result = task(
        "host_option",
        args,
        env={"VMWARE_HOST": host, "VMWARE_PORT": str(port)},
        _target=target | {"user": user, "password": password},
    )
    assert result["_error"]["kind"] == "nested_vft/invalid_arguments" and "`password`" in result["msg"]


def test_the_port_of_the_environment_is_not_that_of_a_target(healthy):
    args = example("host_option", healthy.facts)
    host, port = args.pop("hostname"), args.pop("port")
    result = task("host_option", args, env={"VMWARE_PORT": str(port)}, _target={"host": host})
    assert result["_error"]["kind"] == "nested_vft/connection" and f"{host}:443" in result["msg"]


def test_a_call_without_a_task_key_is_not_from_bolt(healthy):
    args = example("host_option", healthy.facts)
    refused = run_module("host_option", args | {"_noop": True})
    assert refused.kind == "invalid_arguments" and "_noop" in refused.msg
    # Ansible passes a file.
    refused = run_module("host_option", args | {"_task": "nested_vft::host_option"}, via="file")
    assert refused.kind == "invalid_arguments" and "_task" in refused.msg


TYPE = re.compile(
    r"(Optional\[)?("
    r"Boolean|Data|Numeric|String(\[1\])?|Integer\[(\d+|default), (\d+|default)\]|Hash\[String\[1\], Data\]"
    r"|Enum\['[^']+'(, '[^']+')*\]"
    r"|Variant\[(?P<item>.+), Array\[(?P=item)\]\]"
    r")\]?"
)


@pytest.mark.parametrize("name", MODULES)
def test_the_metadata_is_current_and_describes_every_argument(name):
    printed = subprocess.run(
        [binary(name), "bolt", "metadata"], capture_output=True, env=environment(), timeout=30, check=True
    )
    metadata = json.loads(printed.stdout)
    assert metadata == json.loads((ROOT / "schemas" / f"{name}.bolt.json").read_text())
    assert metadata["input_method"] == "stdin" and metadata["supports_noop"] is True
    # On a remote target, Bolt only runs what is marked as remote; on any other, only what is not.
    assert [(one["name"], one["remote"]) for one in metadata["implementations"]] == [(name, True), (name, False)]
    arguments = json.loads((ROOT / "schemas" / f"{name}.args.json").read_text())
    assert metadata["parameters"].keys() == arguments["properties"].keys()
    for parameter, described in metadata["parameters"].items():
        assert described["description"], parameter
        assert TYPE.fullmatch(described["type"]), described["type"]
        required = parameter in arguments.get("required", [])
        assert described["type"].startswith("Optional[") is not required
        assert described.get("sensitive", False) is (parameter == "password")


def salt(name: str, args: dict, *flags: str) -> tuple[int, dict]:
    """Runs a stateful command. Returns its exit status and what Salt reads: one JSON object."""
    ended = subprocess.run(
        [binary(name), "--salt", *flags],
        input=json.dumps(args).encode(),
        capture_output=True,
        env=environment(),
        timeout=60,
        check=False,
    )
    return ended.returncode, json.loads(ended.stdout)


@pytest.mark.parametrize("name", MODULES)
def test_salt_gets_the_message_as_a_comment(name, healthy):
    args = example(name, healthy.facts)
    for flags in (["--check"], []):
        status, told = salt(name, args, *flags)
        assert status == 0 and told["changed"] is (name in CHANGING)
        assert told["comment"].endswith((".", "?", "!")) and "msg" not in told
    status, told = salt(name, args | {"hostnam": "?"})
    assert status == 2 and told["changed"] is False and "hostname" in told["comment"]
