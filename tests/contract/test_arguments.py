"""The meaning of arguments: Ansible's coercions, and one message with all problems."""

from __future__ import annotations

import json

import pytest

from modules import MODULES, connection, example, run_module

every_module = pytest.mark.parametrize("name", MODULES)

# Nothing contacts this address: the arguments are rejected before that.
NOWHERE = {"hostname": "vcenter.invalid", "username": "someone", "password": "not-told"}
VM = NOWHERE | {"name": "inner"}


@every_module
def test_all_problems_come_in_one_message_before_anything_is_contacted(name, healthy):
    args = example(name, healthy.facts)
    args["hostnam"] = args.pop("hostname")
    # The argument that sets the state or the action.
    wish = {"ft_failover": "action", "ft_readiness": "engine", "ft_diagnose": "tail_lines"}.get(name, "state")
    args |= {"port": "many", "validate_certs": "maybe", wish: "sideways"}
    result = run_module(name, args)
    assert result.kind == "invalid_arguments"
    for word in ("hostnam", "hostname", "port", "many", "validate_certs", "maybe", wish, "sideways"):
        assert word in result.msg, word
    assert "did you mean" in result.msg.lower()
    assert healthy.log() == []


@every_module
@pytest.mark.parametrize(
    ("typo", "meant"), [("hostnam", "hostname"), ("user_name", "username"), ("valdate_certs", "validate_certs")]
)
def test_an_unknown_argument_names_the_nearest_one(name, typo, meant):
    args = {key: value for key, value in NOWHERE.items() if key != meant} | {typo: "x"}
    result = run_module(name, args)
    assert result.kind == "invalid_arguments"
    assert typo in result.msg and meant in result.msg


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("vmx_option", NOWHERE | {"options": {"a": "1"}}, ["name", "uuid", "moid"]),
        ("vmx_option", VM | {"moid": "vm-1", "options": {"a": "1"}}, ["name", "moid"]),
        ("vmx_option", VM, ["options"]),
        ("vmx_option", VM | {"options": ["a"]}, ["options"]),
        ("vmx_option", VM | {"options": {"a": {"deep": 1}}}, ["options", "a"]),
        ("vmx_option", VM | {"options": {}}, ["options"]),
        ("vm_power", VM, ["state"]),
        ("vm_power", VM | {"state": "on"}, ["state", "powered_on", "powered_off"]),
        ("vm_power", VM | {"state": "powered_on", "timeout": "soon"}, ["timeout"]),
        ("vm_power", VM | {"state": "powered_on", "timeout": -1}, ["timeout"]),
        ("vm_power", VM | {"state": "powered_on", "port": 70000}, ["port"]),
        ("vm_power", VM | {"state": "powered_on", "protocol": "ftp"}, ["protocol", "https", "http"]),
        ("vm_power", VM | {"state": "powered_on", "thumbprint": "AA:BB"}, ["thumbprint"]),
        ("host_option", NOWHERE | {"options": {"Migrate.X": 1}}, ["esxi_hostname", "cluster_name"]),
        (
            "host_option",
            NOWHERE | {"esxi_hostname": "a", "cluster_name": "b", "options": {"Migrate.X": 1}},
            ["esxi_hostname", "cluster_name"],
        ),
        ("host_option", NOWHERE | {"cluster_name": "b"}, ["options"]),
        ("fault_tolerance", VM | {"state": "enabled"}, ["state", "present", "suspended", "absent"]),
        ("fault_tolerance", VM | {"wait": "perhaps"}, ["wait"]),
    ],
)
def test_conflicting_or_invalid_arguments_are_rejected(name, args, words):
    result = run_module(name, args)
    assert result.kind == "invalid_arguments"
    for word in words:
        assert word in result.msg, f"{word} in {result.msg}"


@every_module
@pytest.mark.parametrize("missing", ["hostname", "username", "password"])
def test_a_missing_connection_argument_is_named_with_its_variable(name, missing, healthy):
    args = example(name, healthy.facts)
    del args[missing]
    result = run_module(name, args)
    assert result.kind == "invalid_arguments"
    variable = {"hostname": "VMWARE_HOST", "username": "VMWARE_USER", "password": "VMWARE_PASSWORD"}[missing]
    assert missing in result.msg and variable in result.told


@every_module
def test_the_connection_comes_from_the_environment_when_it_is_not_given(name, healthy):
    args = example(name, healthy.facts)
    env = {
        "VMWARE_HOST": args.pop("hostname"),
        "VMWARE_USER": args.pop("username"),
        "VMWARE_PASSWORD": args.pop("password"),
        "VMWARE_PORT": str(args.pop("port")),
    }
    del args["thumbprint"]
    result = run_module(name, args, "--check", env=env | {"VMWARE_VALIDATE_CERTS": "no"})
    assert result.did, result.msg
    assert env["VMWARE_PASSWORD"].encode() not in result.stdout + result.stderr


@every_module
def test_scalars_are_coerced_like_in_ansible(name, healthy):
    plain = example(name, healthy.facts)
    spellings = [
        {"port": str(plain["port"])},
        {"port": f" {plain['port']} "},
        {"port": float(plain["port"])},
        {"port": f"{plain['port']}.0"},
        {"validate_certs": "yes"},
        {"validate_certs": "Y"},
        {"validate_certs": 1},
        {"validate_certs": "on"},
        {"proxy_host": None, "proxy_port": None},
        {"proxy_host": "__omit_place_holder__0123456789abcdef0123456789abcdef01234567"},
        {"_ansible_verbosity": 3, "_ansible_no_such_thing": {"a": [1]}, "_ansible_tmpdir": None},
    ]
    for spelling in spellings:
        result = run_module(name, plain | spelling, "--check")
        assert result.did, (spelling, result.msg)


@every_module
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "123456789012345678901234567890", "1.5"])
def test_an_invalid_port_number_gets_a_message_about_the_port(name, number):
    text = json.dumps(VM | {"port": "HERE"}).replace('"HERE"', number)
    result = run_module(name, text)
    assert result.kind == "invalid_arguments"
    assert "port" in result.msg


def test_lists_and_dictionaries_may_be_strings(healthy):
    args = connection(healthy.facts)
    hosts = run_module(
        "host_option",
        args | {"esxi_hostname": ",".join(healthy.facts["hosts"]), "options": "Migrate.VMotionStreamDisable=1"},
        "--check",
    )
    assert [host["name"] for host in hosts.json["hosts"]] == healthy.facts["hosts"]
    for options in (
        '{"guestinfo.a": "1", "guestinfo.b": "2"}',
        "guestinfo.a=1,guestinfo.b=2",
        "guestinfo.a=1 guestinfo.b=2",
    ):
        result = run_module("vmx_option", args | {"name": healthy.facts["vm"], "options": options}, "--check")
        assert {option["key"]: option["after"] for option in result.json["options"]} == {
            "guestinfo.a": "1",
            "guestinfo.b": "2",
        }


@every_module
def test_arguments_are_reported_as_parsed_with_secrets_masked(name, healthy):
    args = example(name, healthy.facts) | {"port": str(healthy.facts["port"])}
    shown = run_module(name, args, "--check").json["invocation"]["module_args"]
    assert shown["port"] == healthy.facts["port"]
    assert shown["hostname"] == healthy.facts["hostname"]
    assert shown["password"] != args["password"]


@pytest.mark.parametrize("name", ["vm_power", "vmx_option", "host_option"])
@pytest.mark.parametrize("argument", ["hostname", "proxy_host"])
@pytest.mark.parametrize(
    ("host", "remedy"),
    [
        ("host:443", "port"),
        ("10.0.0.1:443", "port"),
        ("[::1]:443", "port"),
        ("root:S3cret@host", "only a name"),
        ("https://root:S3cret@host/sdk", "only a name"),
        ("host/sdk", "only a name"),
        ("host?S3cret", "only a name"),
        ("host#S3cret", "only a name"),
        ("host\\S3cret", "only a name"),
        ("a host", "only a name"),
        ("host\t", "only a name"),
        ("fe80::1%eth0", "only a name"),
        ("localhost", None),
        ("127.0.0.1", None),
        ("::1", None),
        ("[::1]", None),
        ("lab_1.b-c.invalid", None),
    ],
)
def test_a_hostname_must_be_a_bare_name_or_address(name, argument, host, remedy):
    args = VM | {"proxy_host": "127.0.0.1", "proxy_port": 1, "timeout": 1, argument: host}
    args |= {
        "vm_power": {"state": "powered_on"},
        "vmx_option": {"options": {"a": "1"}},
        "host_option": {"cluster_name": "a", "options": {"Misc.A": 1}},
    }[name]
    if name == "host_option":
        del args["name"]
    result = run_module(name, args)
    if remedy is None:
        assert result.kind == "connection", result.msg
        return
    # Another problem hides neither this one nor the password.
    for more in ({}, {"port": "many"}, {"password": None}, {"hostnam": "x"}):
        result = run_module(name, args | more)
        assert result.kind == "invalid_arguments"
        assert f"`{argument}`: give" in result.msg and remedy in result.msg
        assert b"S3cret" not in result.stdout + result.stderr


def test_a_password_in_an_unused_address_is_not_shown(vmx):
    args = {"path": str(vmx), "hostname": "root:S3cret@host", "options": {"a": "1"}}
    result = run_module("vmx_option", args)
    assert result.changed and b"S3cret" not in result.stdout


@every_module
@pytest.mark.parametrize("variable", ["VMWARE_PASSWORD", "VMWARE_USER", "VMWARE_PORT"])
def test_a_non_utf_8_variable_is_named(name, variable, healthy):
    args = example(name, healthy.facts)
    del args[{"VMWARE_PASSWORD": "password", "VMWARE_USER": "username", "VMWARE_PORT": "port"}[variable]]
    result = run_module(name, args, env={variable: b"S3cret\xff".decode(errors="surrogateescape")})
    assert result.kind == "invalid_arguments"
    assert variable in result.msg and "UTF-8" in result.msg and "missing" not in result.msg
    assert b"S3cret" not in result.stdout


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"password": "S3cret-1", "hostname": "a", "password": "S3cret-2"}', "password"),
        ('{"options": {"x.y": "S3cret-1", "x.y": "S3cret-2"}}', "x.y"),
        ('{"options": "{\\"x.y\\": 1, \\"x.y\\": 1}"}', "x.y"),
        ('{"options": "x.y=1 x.y=2"}', "x.y"),
    ],
)
@pytest.mark.parametrize("flags", [(), ("--jsonl",)])
def test_a_duplicate_key_is_named(text, key, flags):
    result = run_module("vmx_option", text, *flags)
    assert result.kind == "invalid_arguments" and f"the key `{key}` is given twice" in result.msg
    assert b"S3cret" not in result.stdout


MANY = 100_000


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("vmx_option", {"options": {f"guestinfo.a{number}": "1" for number in range(MANY)}, "state": "sideways"}),
        ("vmx_option", {"options": {f"guest info.a{number}": "1" for number in range(MANY)}}),
        ("vmx_option", {"options": {f"a{number}": f"v{number}" for number in range(MANY)}, "_ansible_no_log": True, "port": 0}),
        ("host_option", {"options": {f"Misc.A{number}": 1 for number in range(MANY)}, "state": "sideways"}),
        ("host_option", {"options": {"Misc.A": 1}, "esxi_hostname": [f"esxi{number}" for number in range(MANY)], "port": 0}),
        ("vm_power", {f"hostnam{number}": 1 for number in range(MANY)}),
        ("vm_power", {"h" * 10_000_000: 1}),
    ],
    ids=["options", "wrong options", "secret options", "host options", "hosts", "unknown", "long"],
)
def test_checking_many_arguments_takes_no_quadratic_time(name, args):
    # The limit only catches hangs. A debug build takes two seconds; it took minutes before the fix.
    result = run_module(name, VM | args, timeout=30)
    assert result.kind == "invalid_arguments"
    assert len(result.msg) < 60_000
