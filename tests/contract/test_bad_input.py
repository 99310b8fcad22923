"""Common mistakes, and the message for each."""

from __future__ import annotations

import json
import socket
import subprocess

import pytest

from modules import CHANGING, MODULES, ROOT, binary, connection, environment, example, judge, run_module

every_module = pytest.mark.parametrize("name", MODULES)
# Modules that act on one virtual machine, which `name` selects.
vm_modules = pytest.mark.parametrize(
    "name", [name for name in CHANGING if {"name", "moid"} <= json.loads((ROOT / "schemas" / f"{name}.args.json").read_text())["properties"].keys()]
)


def assert_says(result, kind: str, *words: str) -> None:
    assert result.json["failed"] is True
    assert result.kind == kind, result.msg
    for word in words:
        assert word.lower() in result.told.lower(), f"{word!r} in {result.told}"
    assert result.changed is False


@every_module
def test_a_closed_port(name, healthy):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    result = run_module(name, example(name, healthy.facts) | {"port": port})
    assert_says(result, "connection", f"127.0.0.1:{port}", "refused")


@every_module
def test_a_host_name_that_does_not_resolve(name, healthy):
    result = run_module(name, example(name, healthy.facts) | {"hostname": "vcenter.invalid"})
    assert_says(result, "connection", "vcenter.invalid", "resolve")


@every_module
def test_a_wrong_password(name, healthy):
    secret = "S3CR3T<&>\"'zażółć\u2028x"
    result = run_module(name, example(name, healthy.facts) | {"password": secret})
    assert_says(result, "authentication", "user name or password")


@every_module
def test_an_untrusted_certificate_shows_its_thumbprint_and_what_to_do(name, healthy):
    args = example(name, healthy.facts)
    seen = args.pop("thumbprint")
    result = run_module(name, args)
    assert_says(result, "tls", seen, "thumbprint")
    assert healthy.log() == [], "a request went to a server that is not trusted"


@every_module
def test_a_certificate_other_than_the_pinned_one(name, healthy):
    args = example(name, healthy.facts)
    seen = args["thumbprint"]
    result = run_module(name, args | {"thumbprint": "00:" * 31 + "00"})
    assert_says(result, "tls", seen)
    assert healthy.log() == []


@every_module
def test_a_pinned_certificate_may_be_spelled_in_every_usual_way(name, healthy):
    args = example(name, healthy.facts)
    sha256, sha1 = healthy.facts["thumbprint"], healthy.facts["sha1"]
    for thumbprint in (sha256, sha256.lower(), sha256.replace(":", ""), sha256.replace(":", " "), sha1, sha1.lower()):
        assert run_module(name, args | {"thumbprint": thumbprint}, "--check").did, thumbprint


@every_module
def test_a_certificate_that_the_system_trusts_needs_no_thumbprint(name, simulator, tmp_path):
    lab = simulator(personality="6.7", scenario="healthy", certificate_dir=tmp_path, listen="0.0.0.0:0")
    args = example(name, lab.facts) | {"hostname": "127.0.0.1"}
    del args["thumbprint"]
    trusted = {"SSL_CERT_FILE": lab.facts["ca"]}
    assert run_module(name, args, "--check", env=trusted).did
    elsewhere = run_module(name, args | {"hostname": "127.0.0.2"}, "--check", env=trusted)
    assert elsewhere.kind == "tls", "the certificate is not for this address"


@every_module
def test_a_password_may_contain_any_character(name, simulator):
    lab = simulator(personality="6.7", scenario="healthy", password="p<&>\"'\\ ]]> zażółć\u2028")
    result = run_module(name, example(name, lab.facts), "--check")
    assert result.did, result.msg


def test_a_plain_http_port_where_tls_is_expected(simulator):
    lab = simulator(personality="6.7", scenario="healthy", http=True)
    args = example("vm_power", lab.facts) | {"protocol": "https"}
    assert_says(run_module("vm_power", args), "tls", "http")


@vm_modules
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"name": "iner"}, ["iner", "inner"]),
        ({"name": "nothing like it"}, ["nothing like it"]),
        ({"moid": "vm-99999"}, ["vm-99999"]),
        ({"moid": "host-12"}, ["The id host-12 belongs to a host"]),
        ({"uuid": "00000000-0000-0000-0000-000000000000"}, ["0000-000000000000", "`use_instance_uuid: true`"]),
        ({"name": "inner", "folder": "nowhere"}, ["nowhere"]),
        ({"name": "inner", "folder": "/Lab/nested"}, ["/Lab/vm/nested"]),
        ({"name": "inner", "datacenter": "Lap"}, ["Lap"]),
    ],
)
def test_a_virtual_machine_that_does_not_exist(name, target, words, healthy):
    args = example(name, healthy.facts)
    del args["name"]
    assert_says(run_module(name, args | target), "not_found", *words)


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("vm_power", ["name=inner", "password=S3cret-word"], ["`name=...`", "| vm_power"]),
        ("vm_power", ["password=S3cret-word"], ["`password=...`"]),
        ("vm_power", ['{"password": "S3cret-word"}'], ["on the command line", "| vm_power"]),
        ("vm_power", ["--dry-run"], ["--dry-run", "`--check`"]),
        ("vm_power", ["a.json", "b.json"], ["more than one file name", "Give one file"]),
        ("vm_power", ["a.json", "dsc", "get"], ["the subcommand 'dsc' cannot be used with"]),
        ("ft_failover", ["dsc", "get"], ["ft_failover is not a DSC resource", "| ft_failover"]),
    ],
)
def test_a_wrong_command_line(name, words, told):
    ended = subprocess.run(
        [binary(name), *words], stdin=subprocess.DEVNULL, capture_output=True, env=environment(), check=False
    )
    result = judge(name, {"password": "S3cret-word"}, ended.returncode, ended.stdout, ended.stderr, "stdin")
    assert_says(result, "invalid_arguments", *told)
    assert "S3cret-word" not in ended.stdout.decode() + ended.stderr.decode()


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ('\ufeff{"zażółć": 1}'.encode(), r"unknown argument `za\u017c\u00f3\u0142\u0107`"),
        ('\ufeff{"zażółć": 1}'.encode("utf-16-le"), r"unknown argument `za\u017c\u00f3\u0142\u0107`"),
        ('\ufeff{"zażółć": 1}'.encode("utf-16-be"), r"unknown argument `za\u017c\u00f3\u0142\u0107`"),
        ('{"name": "inner"}'.encode("utf-16-le"), "UTF-16 without a byte order mark"),
        ('{"name": "inner"}'.encode("utf-16-be"), "UTF-16 without a byte order mark"),
        ("\ufeff{}".encode("utf-16-le") + b"\n", "not valid UTF-16"),
        ("\ufeff{".encode("utf-16-be") + b"\xd8\x3d\0}", "not valid UTF-16"),
    ],
)
def test_the_encoding_of_the_arguments(document, told, tmp_path):
    file = tmp_path / "args.json"
    file.write_bytes(document)
    for words, via in (([file], "file"), ([], "stdin"), (["--jsonl", file], "file")):
        ended = subprocess.run(
            [binary("vm_power"), *words], input=document, capture_output=True, env=environment(), check=False
        )
        assert_says(judge("vm_power", {}, ended.returncode, ended.stdout, ended.stderr, via), "invalid_arguments", told)


def test_the_aliases_of_other_collections(healthy):
    args = example("cluster_ha", healthy.facts)
    for name, alias in [("username", "user"), ("password", "pass"), ("cluster_name", "cluster")]:
        args[alias] = args.pop(name)
    result = run_module("cluster_ha", args, "--check")
    assert result.did, result.msg
    shown = result.json["invocation"]["module_args"]
    assert shown["cluster_name"] == args["cluster"] and args["pass"] not in result.stdout.decode()


@vm_modules
def test_two_virtual_machines_with_one_name_are_listed_with_their_places(name, simulator):
    lab = simulator(personality="6.7", scenario="duplicates")
    args = example(name, lab.facts) | {"name": "twin"}
    result = run_module(name, args)
    assert_says(result, "ambiguous", "twin", "/Lab/vm", "vm-")


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ({"cluster_name": "Clustre"}, ["Clustre", "Cluster"]),
        ({"esxi_hostname": "esxi03.lab.local"}, ["esxi03.lab.local", "esxi0"]),
    ],
)
def test_hosts_that_do_not_exist(target, words, healthy):
    args = connection(healthy.facts) | target | {"options": {"Migrate.VMotionStreamDisable": 1}}
    assert_says(run_module("host_option", args), "not_found", *words)


@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["real", "check"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"Migrate.VMotionStreamDisabel": 1}, ["Migrate.VMotionStreamDisabel", "Migrate.VMotionStreamDisable"]),
        ({"Migrate.VMotionStreamDisable": 2}, ["Migrate.VMotionStreamDisable", "2", "0", "1"]),
        ({"Migrate.VMotionStreamDisable": -1}, ["Migrate.VMotionStreamDisable", "0", "1"]),
        ({"Migrate.VMotionStreamDisable": "yes please"}, ["Migrate.VMotionStreamDisable", "yes please"]),
        ({"Migrate.VMotionStreamDisable": 1.5}, ["Migrate.VMotionStreamDisable", "1.5"]),
        ({"Migrate.NetTimeout": 30, "Migrate.VMotionStreamDisable": 2}, ["Migrate.VMotionStreamDisable"]),
    ],
)
def test_options_that_a_host_cannot_take_are_rejected_before_any_write(options, words, mode, healthy):
    args = connection(healthy.facts) | {"esxi_hostname": healthy.facts["hosts"][0], "options": options}
    result = run_module("host_option", args, *mode)
    assert result.json["failed"] and result.changed is False
    for word in words:
        assert word in result.told, f"{word} in {result.told}"
    assert "UpdateOptions" not in healthy.methods()


def test_an_option_missing_from_the_build_names_the_build_or_is_skipped(simulator):
    lab = simulator(personality="8.0", scenario="healthy")
    args = connection(lab.facts) | {
        "cluster_name": lab.facts["cluster"],
        "options": {"Migrate.VMotionStreamDisable": 1},
    }
    failed = run_module("host_option", args)
    assert failed.json["failed"] and failed.changed is False
    assert "8.0" in failed.told and "Migrate.VMotionStreamDisable" in failed.told
    skipped = run_module("host_option", args | {"missing": "skip"})
    assert not skipped.json["failed"] and not skipped.changed
    assert "Migrate.VMotionStreamDisable" in skipped.json["warnings"][0]


@pytest.mark.parametrize("personality", ["5.0", "6.7"])
def test_ha_off_is_reported_as_the_reason(personality, simulator):
    lab = simulator(personality=personality, scenario="ha-off")
    args = connection(lab.facts) | {"name": lab.facts["vm"], "state": "present"}
    result = run_module("fault_tolerance", args)
    assert result.json["failed"] and result.changed is False
    assert "HA" in result.msg and lab.facts["cluster"] in result.told


@vm_modules
def test_a_template_is_rejected(name, healthy):
    args = example(name, healthy.facts) | {"name": "template01"}
    if name == "vm_power":
        args["state"] = "powered_on"
    result = run_module(name, args)
    # A template's options can be set, but it can be neither powered on nor protected.
    if name != "vmx_option":
        assert result.json["failed"] and "template" in result.msg.lower()
