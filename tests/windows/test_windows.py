"""The program for Windows, run with wine: its results are those of the native program."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import ssl
import struct
import subprocess
from pathlib import Path

import pytest
from wine import wine

from modules import IDEMPOTENT, MODULES, ROOT, binary, environment, example, interrupt_module, judge, run_module
from vmx_file import LINES, REPLAY, options

every_module = pytest.mark.parametrize("name", MODULES)


def run(name: str, *words: str, stdin: bytes = b"", env: dict | None = None) -> subprocess.CompletedProcess:
    return subprocess.run(
        [binary(name), *words], input=stdin, capture_output=True, env=environment(env), timeout=60, check=False
    )


@every_module
@pytest.mark.parametrize("flags", [["--check", "--diff"], ["--diff"]], ids=["check", "real"])
def test_a_call_has_the_result_of_the_native_program(name, flags, healthy, on_windows):
    native = run_module(name, example(name, healthy.facts), *flags)
    assert native.did, native.msg
    healthy.reset()
    with on_windows():
        result = run_module(name, example(name, healthy.facts), *flags)
    # The simulator makes a new identity for a secondary.
    identity = re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\bvm-10\d\b")
    assert identity.sub("ID", result.stdout.decode()) == identity.sub("ID", native.stdout.decode())


@every_module
def test_a_failure_has_the_result_of_the_native_program(name, healthy, on_windows):
    args = example(name, healthy.facts) | {"password": "not-the-password"}
    native = run_module(name, args, via="file")
    with on_windows():
        result = run_module(name, args, via="file")
    assert native.kind == "authentication" and (result.json, result.exit) == (native.json, native.exit)


@pytest.mark.parametrize("name", IDEMPOTENT)
def test_dsc_gets_the_states_of_the_native_program(name, healthy, on_windows):
    args = example(name, healthy.facts)
    if name == "host_option":
        args["options"] = {"Migrate.NetTimeout": 45}
    desired = json.dumps(args | {"password": {"secureString": args["password"]}}).encode()
    manifest = json.loads((ROOT / "schemas" / f"{name}.dsc.resource.json").read_text())
    calls = [manifest[operation]["args"] for operation in ("get", "test", "set", "set", "test", "get")]
    calls = [[word if isinstance(word, str) else word["whatIfArg"] for word in words] for words in calls]
    calls[3] = calls[3][:2]

    def states() -> list:
        healthy.reset()
        return [(ended.returncode, ended.stdout) for ended in [run(name, *words, stdin=desired) for words in calls]]

    native = states()
    assert [status for status, _ in native] == [0] * len(calls)
    with on_windows():
        assert states() == native


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_lines_in_every_encoding_share_a_session(encoding, healthy, windows, tmp_path):
    lines = [json.dumps(example("vm_power", healthy.facts)), '{"name": "zażółć 🖥"}', ""]
    mark = "\ufeff" * (encoding == "utf-16-be")
    file = tmp_path / "lines.json"
    file.write_bytes((mark + "\r\n".join(lines)).encode(encoding))
    for ended in (run("vm_power", "--jsonl", str(file)), run("vm_power", "--jsonl", stdin=file.read_bytes())):
        done, refused = map(json.loads, ended.stdout.splitlines())
        assert not done["failed"] and refused["error"]["kind"] == "invalid_arguments"
        assert refused["invocation"]["module_args"]["name"] == "zażółć 🖥"
    assert healthy.sessions()["logins"] == 2


def test_an_authority_is_trusted_by_the_environment_or_by_the_store_of_windows(simulator, windows, tmp_path):
    lab = simulator(personality="6.7", scenario="healthy", certificate_dir=tmp_path)
    args = example("vm_power", lab.facts)
    thumbprint = args.pop("thumbprint")
    unknown = run_module("vm_power", args, "--check")
    assert unknown.kind == "tls" and thumbprint in unknown.msg
    assert run_module("vm_power", args, "--check", env={"SSL_CERT_FILE": lab.facts["ca"]}).did
    der = ssl.PEM_cert_to_DER_cert(Path(lab.facts["ca"]).read_text())
    # The certificate as a property with a header: its number, 1, and the length.
    blob = struct.pack("<III", 32, 1, len(der)) + der
    store = r"HKCU\Software\Microsoft\SystemCertificates\Root\Certificates"
    key = f"{store}\\{hashlib.sha1(der).hexdigest().upper()}"
    wine("reg", "add", key, "/v", "Blob", "/t", "REG_BINARY", "/d", blob.hex(), "/f")
    try:
        assert run_module("vm_power", args, "--check").did
    finally:
        wine("reg", "delete", key, "/f")


def test_ctrl_c_ends_a_run_with_a_result(simulator, windows):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=8000)
    args = example("vm_power", lab.facts)
    # wine makes Ctrl-C of it, and has no signal for the other console events.
    result = interrupt_module("vm_power", args, lambda: "PowerOffVM_Task" in lab.methods(), signal.SIGINT)
    assert result.kind == "interrupted" and "Ctrl-C" in result.msg and result.changed


def test_ctrl_c_ends_the_wait_for_arguments(windows):
    child = subprocess.Popen([binary("vm_power")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment())
    with child:
        child.stdin.write(b"{")
        child.stdin.flush()
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(timeout=3)
        child.send_signal(signal.SIGINT)
        child.wait(timeout=30)
        assert "Ctrl-C while reading the arguments" in json.loads(child.stdout.read())["msg"]


def test_a_vmx_file_is_edited_in_place(windows, tmp_path):
    file = tmp_path / "inner.vmx"
    file.write_bytes(b"\r\n".join(LINES) + b"\r\n")
    path = "Z:" + str(file).replace("/", "\\")
    first, again = options(path, REPLAY, backup=True), options(path, REPLAY, backup=True)
    assert first.changed and first.json["file"]["path"] == path and not again.changed
    text, backup = file.read_bytes(), tmp_path / os.path.basename(first.json["file"]["backup"].replace("\\", "/"))
    assert text.startswith(b"\r\n".join(LINES[:10])) and b'replay.allowFT = "true"\r\n' in text
    assert backup.read_bytes() == b"\r\n".join(LINES) + b"\r\n" and set(tmp_path.iterdir()) == {file, backup}
    diagnosed = run_module("ft_diagnose", {"path": path})
    assert not diagnosed.json["failed"], diagnosed.msg
    (tmp_path / "inner.vmx.lck").mkdir()
    assert options(path, REPLAY | {"x": "1"}).kind == "conflict"
    missing = options(path + "x", REPLAY)
    assert missing.kind == "not_found" and options(str(tmp_path), REPLAY).kind == "invalid_arguments"


@pytest.mark.parametrize(
    ("name", "args", "kind", "told"),
    [
        ("vm_power", {"session_cache": True}, "invalid_arguments", "keep no sessions"),
        ("host_option", {"connection": "shell", "options": {"a.b": 1}}, "unsupported", "this is not an ESXi shell"),
        ("host_option", {"options": {"a.b": 1}}, "invalid_arguments", "`hostname`"),
        ("vmx_option", {"reload": True}, "unsupported", "`reload` needs vim-cmd"),
    ],
)
def test_what_windows_cannot_do_is_refused_in_words(name, args, kind, told, healthy, windows, tmp_path):
    if name == "vm_power":
        args = example(name, healthy.facts) | args
    if name == "vmx_option":
        (tmp_path / "inner.vmx").write_bytes(b"\n".join(LINES))
        args |= {"path": str(tmp_path / "inner.vmx"), "options": REPLAY}
    result = run_module(name, args)
    assert result.kind == kind and told in result.msg, result.msg
    assert b"not kept on Windows" in run("nested_vft", "sessions").stderr


@every_module
def test_the_program_describes_itself_like_the_native_one(name, on_windows):
    flags = [["--version"], ["--doc"], ["--schema", "args"], ["--schema", "result"]]
    native = [run(name, *words).stdout for words in flags]
    with on_windows():
        assert [run(name, *words).stdout for words in flags] == native
        described = run(name, "--help").stdout.decode()
        assert f"Usage: {name}.exe" in described and "$env:VMWARE_PASSWORD = (Get-Credential" in described
        assert run("nested_vft", name, "--version").stdout == native[0]
        metadata = run(name, "bolt", "metadata").stdout
    # Bolt finds a program by its whole name.
    assert metadata.replace(f'"{name}.exe"'.encode(), f'"{name}"'.encode()) == run(name, "bolt", "metadata").stdout


def test_the_commands_of_the_page_answer_as_it_says(healthy, programs, tmp_path):
    page = (ROOT / "playbooks" / "windows.md").read_text().partition("## From cmd")[2].partition("##")[0]
    block = [line.removeprefix("    ") for line in page.splitlines() if line.startswith("    ")]
    commands = [line.removeprefix("C:\\lab>") for line in block if line.startswith("C:\\lab>")]
    shown = [line.removesuffix("[…]") for line in block if not line.startswith("C:\\lab>")]
    script = "\r\n".join(["@echo off", *commands, ""]).replace("vcenter.lab.example", healthy.facts["hostname"])
    (tmp_path / "page.bat").write_text(script)
    (tmp_path / "off.json").write_text(shown[0] + "\r\n")
    given = {"PORT": healthy.facts["port"], "PASSWORD": healthy.facts["password"], "VALIDATE_CERTS": "no"}
    given = {f"VMWARE_{name}": str(value) for name, value in given.items()} | {"WINEPATH": str(programs)}
    lines = wine("cmd", "/c", str(tmp_path / "page.bat"), cwd=tmp_path, env=given).stdout.decode().splitlines()
    assert len(lines) == len(shown) and all(map(str.startswith, lines, shown)), lines
