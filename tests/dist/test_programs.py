"""The programs of every archive, in a bare chroot: they answer as those built for this machine do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import pytest

from modules import MODULES, binary, connection, example, run_module

VMX = 'config.version = "8"\nvirtualHW.version = "8"\n'


def test_every_name_has_the_version(bare):
    for name in [*MODULES, "nested_vft"]:
        native = subprocess.run([binary(name), "--version"], capture_output=True, check=True).stdout
        assert bare.command(name, "--version").stdout == native


def test_the_schemas_are_those_in_the_archive(bare):
    for name in MODULES:
        for half in ("args", "result"):
            assert bare.command(name, "--schema", half).stdout.decode() == bare.read(f"schemas/{name}.{half}.json")


def comparable(answer: dict) -> str:
    """Returns an answer or a state without the UUIDs that vSphere makes up for a new virtual machine."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "random UUID", json.dumps(answer))


@pytest.mark.parametrize("name", MODULES)
def test_a_change_gives_the_same_answer(name, bare, simulator):
    """With TLS: the certificate is checked against its thumbprint."""
    lab = simulator(personality="6.7", scenario="healthy")
    native = run_module(name, example(name, lab.facts), "--diff", via="file")
    assert native.did
    after = lab.dump()
    lab.reset()
    emulated = bare.run(name, example(name, lab.facts), "--diff")
    assert comparable(emulated.json) == comparable(native.json)
    assert comparable(lab.dump()) == comparable(after)


def test_a_failure_gives_the_same_answer(bare, simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    call = connection(lab.facts) | {"name": lab.facts["vm"], "state": "powered_off"}
    for change in ({"password": "not the password"}, {"name": "nobody"}, {"stat": "powered_off"}):
        native = run_module("vm_power", call | change, via="file")
        emulated = bare.run("vm_power", call | change)
        assert native.json["failed"] and (emulated.exit, emulated.json) == (native.exit, native.json)


def test_certificates_are_checked(bare, simulator, tmp_path):
    lab = simulator(personality="6.7", scenario="healthy", certificate_dir=tmp_path)
    call = connection(lab.facts) | {"name": lab.facts["vm"]}
    del call["thumbprint"]
    # The chroot has no certificates yet.
    refused = bare.run("ft_readiness", call)
    assert refused.kind == "tls" and lab.sessions()["logins"] == 0, refused.json
    shutil.copy(lab.facts["ca"], bare.root / "ca.pem")
    assert bare.run("ft_readiness", call).did


def test_a_file_is_edited(bare):
    file = bare.root / "inner.vmx"
    file.write_text(VMX)
    args = {"path": "/inner.vmx", "options": {"replay.supported": True}}
    assert bare.run("vmx_option", args).changed and not bare.run("vmx_option", args).changed
    assert file.read_text() == VMX + 'replay.supported = "TRUE"\n'


def test_bolt_finds_the_tasks(bare):
    """A task of Bolt is a program with this name and its metadata. The program reads its standard input."""
    tasks = bare.top / "bolt" / "modules" / "nested_vft" / "tasks"
    for name in MODULES:
        assert (tasks / name).resolve() == bare.program
        metadata = bare.command(name, "bolt", "metadata").stdout
        assert metadata == (tasks / f"{name}.json").read_bytes()
