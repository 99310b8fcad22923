"""vmx_option on a .vmx file, from the view of an administrator with a shell."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from vmx_file import LINES, REPLAY, options, state

from modules import environment, run_module


def values(result) -> dict:
    return {option["key"]: (option["before"], option["after"]) for option in result.json["options"]}


def test_the_articles_options_are_set_changed_and_removed_without_touching_other_bytes(vmx):
    old = vmx.read_bytes()
    first = options(vmx, REPLAY, "--diff")
    assert first.changed and first.json["file"]["encoding"] == "Shift_JIS"
    assert values(first) == {
        "Replay.Supported": ("FALSE", "true"),
        "replay.allowFT": (None, "true"),
        "replay.allowBTOnly": (None, "true"),
    }
    edited = old.replace(b'"FALSE"    # nobody', b'"true"    # nobody')
    assert vmx.read_bytes() == edited + b'replay.allowBTOnly = "true"\r\nreplay.allowFT = "true"\r\n'
    removed, added = (
        [line for line in first.json["diff"]["prepared"].splitlines()[2:] if line.startswith(sign)] for sign in "-+"
    )
    assert removed == ['-Replay.Supported = "FALSE"    # nobody replays here']
    assert added == [
        '+Replay.Supported = "true"    # nobody replays here',
        '+replay.allowBTOnly = "true"',
        '+replay.allowFT = "true"',
    ]

    assert options(vmx, {"REPLAY.allowft": "FALSE"}).changed
    assert b'replay.allowFT = "FALSE"\r\n' in vmx.read_bytes()

    assert options(vmx, dict.fromkeys(REPLAY), state="absent").changed
    assert vmx.read_bytes() == b"".join(
        line + b"\r\n" for line in LINES if not line.lower().startswith(b"replay.supported")
    )


@pytest.mark.parametrize(
    ("wanted", "more"), [(REPLAY, {}), (dict.fromkeys(REPLAY), {"state": "absent"}), ({"replay.filename": None}, {"state": "absent"})]
)
def test_a_second_run_finds_nothing_to_do_and_writes_nothing(wanted, more, vmx):
    assert options(vmx, wanted, **more).changed
    before = state(vmx.parent)
    again = options(vmx, wanted, backup=True, **more)
    assert not again.changed and again.json["file"]["backup"] is None
    assert state(vmx.parent) == before


def test_check_mode_predicts_the_real_run_and_writes_nothing(vmx):
    before = state(vmx.parent)
    foretold = options(vmx, REPLAY, "--check", "--diff", backup=True)
    assert state(vmx.parent) == before
    real = options(vmx, REPLAY, "--diff")
    assert (foretold.changed, foretold.json["diff"], values(foretold)) == (True, real.json["diff"], values(real))


def test_values_in_the_encoding_of_the_file_are_read_and_written(vmx):
    assert values(options(vmx, {"displayName": "x"}, "--check"))["displayName"][0] == "ソ能ポ (inner)"
    assert not options(vmx, {"displayName": "ソ能ポ (inner)"}).changed
    assert options(vmx, {"guestinfo.city": "東京"}).changed
    assert b'guestinfo.city = "' + "東京".encode("shift_jis") + b'"\r\n' in vmx.read_bytes()
    before = vmx.read_bytes()
    refused = options(vmx, {"guestinfo.city": "Łódź"})
    assert refused.kind == "invalid_arguments" and "Shift_JIS" in refused.msg and "guestinfo.city" in refused.msg
    assert vmx.read_bytes() == before


@pytest.mark.parametrize("value", ['a "quoted" | text', "two\nlines", " spaces ", "#", "tab\there", "|22"])
def test_every_value_is_read_back_as_written(value, vmx):
    assert values(options(vmx, {"guestinfo.a": value}))["guestinfo.a"] == (None, value)
    assert not options(vmx, {"guestinfo.a": value}).changed


def in_use(vmx: Path, sign: str) -> None:
    if sign == "checkpoint.vmState":
        vmx.write_bytes(vmx.read_bytes() + b'checkpoint.vmState = "inner-1234abcd.vmss"\r\n')
    elif sign.endswith("/"):
        (vmx.parent / sign).mkdir()
    else:
        (vmx.parent / sign).write_bytes(b"")


@pytest.mark.parametrize(
    "sign",
    ["inner.vmx.lck", "inner.vmx.lck/", "inner.vmx~", "inner.vmss", "inner-1234abcd.vmss", "checkpoint.vmState"],
)
def test_a_virtual_machine_in_use_is_not_edited_unless_there_is_nothing_to_do(sign, vmx):
    in_use(vmx, sign)
    before = state(vmx.parent)
    refused = options(vmx, REPLAY)
    place = "inner.vmx" if sign == "checkpoint.vmState" else sign.rstrip("/")
    assert refused.kind == "conflict" and not refused.changed and place in refused.msg, refused.msg
    assert any(place in warning for warning in options(vmx, REPLAY, "--check").json["warnings"])
    assert not options(vmx, {"memsize": "1024"}).json["failed"], "nothing to do is no failure"
    assert state(vmx.parent) == before


def test_unrelated_files_in_the_folder_are_no_sign_of_use(vmx):
    for name in ("inner-Snapshot1.vmsn", "other.vmx.lck", "other.vmss", "inner.vmsd", "vmware.log", "inner-2.vmss"):
        (vmx.parent / name).write_bytes(b"")
    assert options(vmx, REPLAY).changed


def test_a_symbolic_link_is_followed_only_on_request(vmx, tmp_path):
    link = tmp_path / "link.vmx"
    link.symlink_to(vmx)
    refused = options(link, REPLAY)
    assert refused.kind == "conflict" and str(vmx) in refused.msg and "follow" in refused.msg
    followed = options(link, REPLAY, follow=True)
    assert followed.changed and followed.json["file"]["path"] == str(vmx)
    assert link.is_symlink() and b"replay.allowFT" in vmx.read_bytes()
    (vmx.parent / "inner.vmx.lck").write_bytes(b"")
    assert options(link, dict.fromkeys(REPLAY), follow=True, state="absent").kind == "conflict", "the lock is in the folder of the real file"


def fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (lambda path: None, "not_found", "No such file"),
        (lambda path: path.mkdir(), "invalid_arguments", "directory"),
        (fifo, "invalid_arguments", "FIFO"),
        (lambda path: path.symlink_to("/proc/kmsg"), "invalid_arguments", "pseudo-file"),
        (lambda path: path.write_bytes(b"# Disk DescriptorFile\nversion=1\nCID=fffffffe\n"), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes(b"<?xml version='1.0'?>\n<Foundry/>\n"), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes(b'config.version = "8"\n\0\0'), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes('config.version = "8"\n'.encode("utf-16")), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes(b""), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes(b'config.version = "8"\na="1"\nb="1"\nA = "2"\n'), "conflict", "lines 2 and 4"),
    ],
)
def test_a_file_that_cannot_be_edited_is_named_and_left_unchanged(make, kind, says, tmp_path):
    path = tmp_path / "x.vmx"
    make(path)
    before = state(tmp_path)
    result = options(path, {"a": "3"})
    assert result.kind == kind and says in result.msg and os.path.realpath(path) in result.msg, result.msg
    assert state(tmp_path) == before


def test_secrets_in_the_file_are_not_shown(vmx):
    secrets = [("RemoteDisplay.vnc.password", "S3cret-1"), ("guestinfo.userdata", "S3cret-2"), ("dbPasswd", "S3cret-3")]
    vmx.write_bytes(vmx.read_bytes() + b"".join(f'{key} = "{value}"\r\n'.encode() for key, value in secrets))
    result = options(vmx, REPLAY, "--diff")
    assert "guestinfo.userdata" in result.json["diff"]["prepared"], "the secret is in the lines around the change"
    assert b"S3cret" not in result.stdout


def test_existing_duplicates_are_a_warning(vmx):
    vmx.write_bytes(vmx.read_bytes() + b'a="1"\r\nA = "2"\r\n')
    assert "lines 14 and 15" in options(vmx, REPLAY).json["warnings"][0]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"name": "inner"}, "`name` and `path` cannot be used together"),
        ({"path": "[ds] inner/inner.vmx"}, "is a datastore path"),
        ({"path": "~/inner.vmx"}, "`~` is not expanded"),
        ({"path": None, "name": "inner", "backup": True}, "`backup` needs `path`"),
        ({"path": None}, "set one of `name`, `uuid`, `moid` or `path`"),
    ],
)
def test_conflicting_arguments_are_rejected(args, says, vmx):
    result = run_module("vmx_option", {"path": str(vmx), "options": REPLAY} | args)
    assert result.kind == "invalid_arguments" and says in result.msg, result.msg


def test_with_a_path_no_server_is_contacted_and_its_arguments_do_not_matter(vmx):
    server = {"VMWARE_HOST": "127.0.0.1", "VMWARE_PORT": "many", "VMWARE_USER": "me", "VMWARE_PROXY_HOST": "p"}
    assert options(vmx, REPLAY, env=server).changed
    given = {"hostname": "127.0.0.1", "port": 9, "username": "me", "password": "S3cret-word", "datacenter": "Lab"}
    assert not options(vmx, REPLAY, **given).json["failed"], "module_defaults give these to every task"


@pytest.mark.parametrize("path", [None, "", "__omit_place_holder__152339"])
def test_an_omitted_path_is_none(path):
    """Up to ansible-core 2.18 an omitted argument arrives as a string. Then the environment names the server."""
    server = {"VMWARE_HOST": "127.0.0.1", "VMWARE_PORT": "9", "VMWARE_USER": "me", "VMWARE_PASSWORD": "S3cret-word"}
    args = {"path": path, "name": "inner", "options": REPLAY}
    assert run_module("vmx_option", args, env=server).kind == "connection"


def test_mode_and_owner_are_kept_and_a_backup_is_made_on_request(vmx):
    old = vmx.read_bytes()
    vmx.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(vmx, 4711, 4712)
    before = vmx.stat()
    result = options(vmx, REPLAY, backup=True)
    backup = Path(result.json["file"]["backup"])
    assert backup.parent == vmx.parent and backup.read_bytes() == old
    for file in (vmx, backup):
        after = file.stat()
        assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert sorted(path.name for path in vmx.parent.iterdir()) == sorted([vmx.name, backup.name])


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_every_line_ending_is_kept_even_if_the_last_line_has_none(ending, tmp_path):
    file = tmp_path / "x.vmx"
    file.write_bytes(b'\xef\xbb\xbfconfig.version = "8"' + ending + b'a = "1"')
    assert options(file, {"a": "2", "b": "3"}).changed
    assert file.read_bytes() == b'\xef\xbb\xbfconfig.version = "8"' + ending + b'a = "2"' + ending + b'b = "3"'
