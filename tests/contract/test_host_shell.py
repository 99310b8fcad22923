"""host_option on an ESXi shell. Stand-ins for esxcli and esxcfg-advcfg print the documented output of real releases."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from modules import ROOT, interrupt_module, run_module

STREAMS = {"Migrate.VMotionStreamDisable": 1}


class Host:
    """A stand-in host: its state folder, and a PATH like that of its shell."""

    def __init__(self, version: str, folder: Path):
        self.folder = folder
        subprocess.run([ROOT / "tests" / "esxi" / "state", version, folder], check=True)
        self.env = {"PATH": str(folder / "bin")}

    def run(self, wanted: dict, *flags: str, env: dict | None = None, **more):
        args = {"connection": "shell", "options": wanted} | more
        return run_module("host_option", args, *flags, env=self.env | (env or {}))

    def value(self, option: str) -> str:
        return (self.folder / "options" / option / "value").read_text()

    @property
    def calls(self) -> list[list[str]]:
        """Returns every call so far: the tool and its arguments."""
        return [line.split("\t") for line in (self.folder / "calls").read_text().splitlines()]

    @property
    def writes(self) -> list[list[str]]:
        return [call for call in self.calls if "set" in call or "-s" in call or "-d" in call]

    def inject(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)


@pytest.fixture
def host(tmp_path):
    return lambda version="5.0": Host(version, tmp_path / "host")


def options(result) -> dict:
    (report,) = result.json["hosts"]
    return {option["key"]: (option["before"], option["after"], option["default"]) for option in report["options"]}


@pytest.mark.parametrize(("version", "default"), [("4.1", None), ("5.0", 0), ("6.7", 0)])
@pytest.mark.parametrize("name", ["Migrate.VMotionStreamDisable", "/Migrate/VMotionStreamDisable"])
def test_the_articles_option_is_set_and_reset_to_its_default(version, default, name, host):
    lab = host(version)
    first = lab.run({name: 1})
    assert first.changed and options(first) == {"Migrate.VMotionStreamDisable": (0, 1, default)}
    assert lab.value("Migrate/VMotionStreamDisable") == "1"
    (report,) = first.json["hosts"]
    assert report["name"] == os.uname().nodename and report["moid"] is None
    assert not lab.run({name: "1"}).changed and len(lab.writes) == 1
    assert lab.run({name: None}, state="default").changed
    assert lab.value("Migrate/VMotionStreamDisable") == "0"
    assert not lab.run({name: None}, state="default").changed


def test_the_calls_are_those_of_the_article(host):
    lab = host("5.0")
    lab.run(STREAMS)
    assert lab.writes == [
        ["esxcli", "system", "settings", "advanced", "set", "--option=/Migrate/VMotionStreamDisable", "--int-value=1"]
    ]
    old = Host("4.1", lab.folder.parent / "old")
    old.run(STREAMS)
    assert old.writes == [["esxcfg-advcfg", "-s", "1", "/Migrate/VMotionStreamDisable"]]


def test_check_mode_reads_and_writes_nothing(host):
    lab = host("5.0")
    foretold = lab.run(STREAMS, "--check", "--diff")
    assert foretold.changed and not lab.writes
    assert foretold.json["diff"] == lab.run(STREAMS, "--diff").json["diff"]


def test_check_mode_says_if_no_tool_reports_the_default(host):
    lab = host("4.1")
    foretold = lab.run(STREAMS, "--check", state="default")
    assert foretold.changed and "do not show the default" in foretold.json["warnings"][0]
    assert not lab.writes


@pytest.mark.parametrize("wanted", [7, -1, "abc", 1.5, True])
def test_type_and_range_are_checked_before_any_write(wanted, host):
    lab = host("6.7")
    result = lab.run({"Migrate.VMotionStreamDisable": wanted, "Migrate.NetTimeout": 30})
    assert result.kind == "invalid_arguments" and "from 0 to 1" in result.msg
    assert not lab.writes


def test_an_option_missing_from_the_build_fails_or_is_skipped(host):
    lab = host("8.0")
    result = lab.run(STREAMS)
    assert result.kind == "not_found" and "7.0 Update 2" in result.msg
    skipped = lab.run(STREAMS, missing="skip")
    assert not skipped.changed and "VMotionStreamDisable" in skipped.json["warnings"][0]
    assert "Did you mean `Migrate.NetTimeout`" in lab.run({"Migrate.NetTimeOut": 20}).msg


@pytest.mark.parametrize("version", ["4.1", "6.7"])
@pytest.mark.parametrize("text", ["two words", "-d", "$(touch /tmp/owned) `id`; 'x' \"y\" \\ *", "łódź", "5"])
def test_a_string_reaches_the_tool_as_one_argument(version, text, host):
    lab = host(version)
    assert lab.run({"UserVars.LabNote": text}).changed
    assert lab.value("UserVars/LabNote") == text
    assert not lab.run({"UserVars.LabNote": text}).changed


@pytest.mark.parametrize("text", ["a\nDefault String Value: b", " blank", "tab\t"])
def test_a_string_that_the_tools_cannot_show_again_is_not_written(text, host):
    lab = host("5.0")
    result = lab.run({"UserVars.LabNote": text})
    assert result.kind == "invalid_arguments" and "UserVars.LabNote" in result.msg
    assert not lab.writes


def test_a_broken_host_differs_from_one_without_the_option(host, tmp_path):
    broken = tmp_path / "broken"
    broken.mkdir()
    for name, says in (("esxcli", "connection refused"), ("esxcfg-advcfg", "/dev/x: No such file or directory")):
        (broken / name).write_text(f"#!/bin/sh\necho '{says}' >&2; exit 1\n")
        (broken / name).chmod(0o755)
    result = host("5.0").run(STREAMS, env={"PATH": str(broken)}, missing="skip")
    assert result.kind == "fault" and "connection refused" in result.msg and "/dev/x" in result.msg


def test_a_failing_tool_is_quoted_and_one_without_effect_is_detected(host):
    lab = host("5.0")
    lab.inject("fail", "Unable to connect to hostd\n")
    failed = lab.run(STREAMS)
    assert failed.kind == "fault" and "Unable to connect to hostd" in failed.msg and not failed.changed
    lab.inject("ignore")
    ignored = lab.run(STREAMS)
    assert ignored.json["failed"] and "VMotionStreamDisable" in ignored.msg and not ignored.changed


def alive(pid: str) -> bool:
    return Path("/proc", pid.strip()).exists()


@pytest.mark.parametrize(("call", "changed"), [("get", False), ("set", True)])
def test_a_hanging_tool_is_ended_and_its_outcome_is_unknown(call, changed, host):
    lab = host("5.0")
    lab.inject("hang", call)
    result = lab.run(STREAMS, timeout=1)
    assert result.kind == "timeout" and "esxcli" in result.msg
    assert result.changed is changed
    assert not alive((lab.folder / "hung").read_text())


def test_an_interrupted_run_leaves_no_tool_running(host, monkeypatch):
    lab = host("5.0")
    lab.inject("hang", "set")
    monkeypatch.setenv("PATH", lab.env["PATH"])
    hung = lab.folder / "hung"
    result = interrupt_module("host_option", {"connection": "shell", "options": STREAMS}, lambda: hung.exists() and hung.read_text())
    assert result.kind == "interrupted" and result.changed
    assert not alive(hung.read_text())


SERVER = {"VMWARE_HOST": "127.0.0.1", "VMWARE_PORT": "9", "VMWARE_USER": "me", "VMWARE_PASSWORD": "S3cret-word"}


def test_the_shell_is_the_default_if_there_is_one_and_no_server_is_named(host):
    lab = host("5.0")
    assert lab.run(STREAMS, connection=None).changed
    assert not lab.run(STREAMS, env=SERVER).changed, "with an explicit connection, a server in the environment does not matter"
    given = {"hostname": "127.0.0.1", "username": "me", "password": "S3cret-word"}
    assert not lab.run(STREAMS, **given).json["failed"], "connection arguments come from module_defaults"
    odd = {"VMWARE_PORT": "many", "VMWARE_PROXY_HOST": "p", "VMWARE_VALIDATE_CERTS": "perhaps"}
    assert not lab.run(STREAMS, env=odd).json["failed"], "arguments that are not needed are not checked"
    through = lab.run(STREAMS, env=SERVER, connection=None, esxi_hostname="esxi01")
    assert through.kind == "connection", "a named server selects the API"


def test_a_misspelt_connection_is_the_only_reported_problem():
    result = run_module("host_option", {"connection": "shel", "options": {"/Migrate/NetTimeout": 1}})
    assert result.kind == "invalid_arguments" and "`connection`" in result.msg and "shell" in result.msg
    for follow_up in ("hostname", "username", "password", "problems"):
        assert follow_up not in result.msg


@pytest.mark.parametrize(
    ("args", "kind", "says"),
    [
        ({"connection": "shell"}, "unsupported", "neither esxcli nor esxcfg-advcfg is on PATH"),
        ({}, "invalid_arguments", "missing argument `hostname`"),
        ({"connection": "api"}, "invalid_arguments", "missing argument `hostname`"),
        ({"connection": "shell", "esxi_hostname": "a"}, "invalid_arguments", "`esxi_hostname` cannot be used here"),
        ({"options": {"Migrate/NetTimeout": 1}, "connection": "shell"}, "invalid_arguments", "is not the name of an option"),
        ({"connection": "api", "hostname": "a", "username": "b", "password": "c"}, "invalid_arguments", "set one of"),
        ({"connection": "ssh"}, "invalid_arguments", "`connection`"),
    ],
)
def test_missing_and_conflicting_arguments_are_named(args, kind, says):
    result = run_module("host_option", {"options": STREAMS} | args, env={"PATH": "/nonexistent"})
    assert result.kind == kind and says in result.msg, result.msg
