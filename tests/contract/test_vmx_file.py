"""vmx_option on a .vmx file: what an administrator with a shell sees of it."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from modules import ROOT, binary, environment, run_module

REPLAY = {"replay.supported": "true", "replay.allowFT": "true", "replay.allowBTOnly": "true"}

# As they are found in the wild: a shebang of old ESX, comments, odd spacing, CRLF, a display name in Shift_JIS whose
# second bytes are the ASCII codes of \ and |, an entry that is none, and an option that FT was given up on once.
LINES = [
    b"#!/usr/bin/vmware",
    b'.encoding = "Shift_JIS"',
    b"",
    b'config.version = "8"',
    b'virtualHW.version="8"',
    b'displayName = "' + "ソ能ポ".encode("shift_jis") + b' (inner)"',
    b"  memsize=1024   # four times what it had",
    b'ethernet0.virtualDev = "e1000"',
    b"this line is not well-formed",
    b'replay.filename = ""',
    b'Replay.Supported = "FALSE"    # nobody replays here',
    b'annotation = "two|0Alines, a |22quote|22 and a |7C"',
    b"guestOS = \tother26xlinux",
]


@pytest.fixture
def vmx(tmp_path) -> Path:
    folder = tmp_path / "inner"
    folder.mkdir()
    file = folder / "inner.vmx"
    file.write_bytes(b"\r\n".join(LINES) + b"\r\n")
    return file


def options(path: Path | str, wanted: dict, *flags: str, env: dict | None = None, **more):
    return run_module("vmx_option", {"path": str(path), "options": wanted} | more, *flags, env=env)


def values(result) -> dict:
    return {option["key"]: (option["before"], option["after"]) for option in result.json["options"]}


def state(folder: Path) -> dict:
    """What is in a folder, and what each file is."""
    seen = {path.name: path.lstat() for path in folder.iterdir()}
    return {name: (it.st_ino, it.st_mtime_ns, it.st_mode, it.st_size) for name, it in seen.items()}


def test_the_articles_options_are_set_changed_and_removed_and_no_other_byte_is(vmx):
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
def test_a_second_run_finds_nothing_to_do_and_touches_nothing(wanted, more, vmx):
    assert options(vmx, wanted, **more).changed
    before = state(vmx.parent)
    again = options(vmx, wanted, backup=True, **more)
    assert not again.changed and again.json["file"]["backup"] is None
    assert state(vmx.parent) == before


def test_a_check_run_says_what_a_real_one_does_and_writes_nothing(vmx):
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
def test_every_value_comes_back_as_it_went_in(value, vmx):
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
def test_a_virtual_machine_in_use_is_left_alone_unless_there_is_nothing_to_do(sign, vmx):
    in_use(vmx, sign)
    before = state(vmx.parent)
    refused = options(vmx, REPLAY)
    place = "inner.vmx" if sign == "checkpoint.vmState" else sign.rstrip("/")
    assert refused.kind == "conflict" and not refused.changed and place in refused.msg, refused.msg
    assert any(place in warning for warning in options(vmx, REPLAY, "--check").json["warnings"])
    assert not options(vmx, {"memsize": "1024"}).json["failed"], "nothing to do is no failure"
    assert state(vmx.parent) == before


def test_what_lies_beside_it_for_other_reasons_is_no_sign_of_use(vmx):
    for name in ("inner-Snapshot1.vmsn", "other.vmx.lck", "other.vmss", "inner.vmsd", "vmware.log", "inner-2.vmss"):
        (vmx.parent / name).write_bytes(b"")
    assert options(vmx, REPLAY).changed


def test_a_link_is_followed_only_when_that_is_asked_for(vmx, tmp_path):
    link = tmp_path / "link.vmx"
    link.symlink_to(vmx)
    refused = options(link, REPLAY)
    assert refused.kind == "conflict" and str(vmx) in refused.msg and "follow" in refused.msg
    followed = options(link, REPLAY, follow=True)
    assert followed.changed and followed.json["file"]["path"] == str(vmx)
    assert link.is_symlink() and b"replay.allowFT" in vmx.read_bytes()
    (vmx.parent / "inner.vmx.lck").write_bytes(b"")
    assert options(link, dict.fromkeys(REPLAY), follow=True, state="absent").kind == "conflict", "locked at its own place"


def fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("make", "kind", "says"),
    [
        (lambda path: None, "not_found", "No such file"),
        (lambda path: path.mkdir(), "invalid_arguments", "directory"),
        (fifo, "invalid_arguments", "FIFO"),
        (lambda path: path.write_bytes(b"# Disk DescriptorFile\nversion=1\nCID=fffffffe\n"), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes(b"<?xml version='1.0'?>\n<Foundry/>\n"), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes(b'config.version = "8"\n\0\0'), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes('config.version = "8"\n'.encode("utf-16")), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes(b""), "invalid_arguments", ".vmx"),
        (lambda path: path.write_bytes(b'config.version = "8"\na="1"\nb="1"\nA = "2"\n'), "conflict", "lines 2 and 4"),
    ],
)
def test_what_cannot_be_edited_is_named_and_left_alone(make, kind, says, tmp_path):
    path = tmp_path / "x.vmx"
    make(path)
    before = state(tmp_path)
    result = options(path, {"a": "3"})
    assert result.kind == kind and says in result.msg and str(path) in result.msg, result.msg
    assert state(tmp_path) == before


def test_other_peoples_secrets_do_not_come_out(vmx):
    secrets = [("RemoteDisplay.vnc.password", "S3cret-1"), ("guestinfo.userdata", "S3cret-2"), ("dbPasswd", "S3cret-3")]
    vmx.write_bytes(vmx.read_bytes() + b"".join(f'{key} = "{value}"\r\n'.encode() for key, value in secrets))
    result = options(vmx, REPLAY, "--diff")
    assert "guestinfo.userdata" in result.json["diff"]["prepared"], "it is in the context"
    assert b"S3cret" not in result.stdout


def test_other_peoples_duplicates_are_a_warning(vmx):
    vmx.write_bytes(vmx.read_bytes() + b'a="1"\r\nA = "2"\r\n')
    assert "lines 14 and 15" in options(vmx, REPLAY).json["warnings"][0]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"name": "inner"}, "`name` and `path` exclude each other"),
        ({"path": "[ds] inner/inner.vmx"}, "path of a datastore"),
        ({"path": "~/inner.vmx"}, "`~` is not expanded"),
        ({"path": None, "name": "inner", "backup": True}, "`backup` means nothing without `path`"),
        ({"path": None}, "give one of `name`, `uuid`, `moid` or `path`"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(args, says, vmx):
    result = run_module("vmx_option", {"path": str(vmx), "options": REPLAY} | args)
    assert result.kind == "invalid_arguments" and says in result.msg, result.msg


def test_a_server_is_not_asked_and_what_is_said_of_it_does_not_matter(vmx):
    server = {"VMWARE_HOST": "127.0.0.1", "VMWARE_PORT": "many", "VMWARE_USER": "me", "VMWARE_PROXY_HOST": "p"}
    assert options(vmx, REPLAY, env=server).changed
    given = {"hostname": "127.0.0.1", "port": 9, "username": "me", "password": "S3cret-word", "datacenter": "Lab"}
    assert not options(vmx, REPLAY, **given).json["failed"], "module_defaults give these to every task"


@pytest.mark.parametrize("path", [None, "", "__omit_place_holder__152339"])
def test_a_path_that_is_not_given_is_none(path):
    """Up to ansible-core 2.18 an omitted argument arrives as a text, and then the environment names the server."""
    server = {"VMWARE_HOST": "127.0.0.1", "VMWARE_PORT": "9", "VMWARE_USER": "me", "VMWARE_PASSWORD": "S3cret-word"}
    args = {"path": path, "name": "inner", "options": REPLAY}
    assert run_module("vmx_option", args, env=server).kind == "connection"


def test_mode_and_owner_are_kept_and_a_copy_of_the_old_file_is_made_on_request(vmx):
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


def test_a_reload_that_is_not_possible_is_refused_before_anything_is_written(vmx):
    before = state(vmx.parent)
    result = options(vmx, REPLAY, reload=True, env={"PATH": "/nonexistent"})
    assert result.kind == "unsupported" and "vim-cmd" in result.msg
    assert state(vmx.parent) == before
    assert "vim-cmd vmsvc/reload" in options(vmx, REPLAY).json["file"]["remains"]


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(vmx):
    def small_files():
        # A write past the limit fails with EFBIG, unless its signal ends the process first.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

    before = state(vmx.parent)
    run = subprocess.run(
        [binary("vmx_option")],
        input=json.dumps({"path": str(vmx), "options": REPLAY}).encode(),
        stdout=subprocess.PIPE,
        env=environment(),
        preexec_fn=small_files,
        check=False,
        timeout=60,
    )
    answer = json.loads(run.stdout)
    assert answer["error"]["kind"] == "io" and not answer["changed"], answer
    assert state(vmx.parent) == before


def test_runs_at_once_lose_nothing(vmx):
    def start(key: str) -> subprocess.Popen:
        run = subprocess.Popen(
            [binary("vmx_option")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        run.stdin.write(json.dumps({"path": str(vmx), "options": {key: "1"}}).encode())
        run.stdin.close()
        return run

    done = 0
    for count in range(20):
        keys = [f"guestinfo.{name}{count}" for name in "abcdefgh"]
        runs = [start(key) for key in keys]
        answers = [json.loads(run.stdout.read()) for run in runs]
        for run in runs:
            run.wait(timeout=60)
        written = vmx.read_bytes()
        for key, answer in zip(keys, answers, strict=True):
            # A run either has its option in the file, or says that others were faster.
            assert answer["failed"] or f'{key} = "1"'.encode() in written, answer
            done += not answer["failed"]
    assert done >= 20 * 4, "most runs get through"


@pytest.fixture
def esxi(vmx, tmp_path) -> Path:
    """A host on which the virtual machine is registered: its folder of state. PATH is its folder `bin`."""
    host = tmp_path / "host"
    subprocess.run([ROOT / "tests" / "esxi" / "state", "5.0", host], check=True)
    # A datastore by its whole path, which leads there without /vmfs.
    table = f"Vmid   Name   File   Guest OS   Version   Annotation\n7   inner   [{vmx.parent}] inner.vmx   other   vmx-08\n"
    (host / "vms").write_text(table)
    return host


def test_the_host_reads_the_file_again_when_that_is_asked_for(vmx, esxi):
    env = {"PATH": str(esxi / "bin")}
    assert options(vmx, REPLAY, "--check", reload=True, env=env).json["file"]["remains"] is None
    first = options(vmx, REPLAY, reload=True, env=env)
    assert first.json["file"]["reloaded"] and first.json["file"]["remains"] is None
    calls = (esxi / "calls").read_text()
    again = options(vmx, REPLAY, reload=True, env=env)
    assert not again.changed and not again.json["file"]["reloaded"]
    assert "vmsvc/reload" in calls and calls.count("reload") == (esxi / "calls").read_text().count("reload")


@pytest.mark.parametrize("first", [{"reload": True, "timeout": 1}, {}])
def test_a_host_that_still_knows_the_old_options_is_made_up_for_by_the_next_run(first, vmx, esxi):
    env = {"PATH": str(esxi / "bin")}
    assert options(vmx, {"guestinfo.other": "1"}, reload=True, env=env).changed
    (esxi / "hang").write_text("set")
    half = options(vmx, REPLAY, env=env, **first)
    assert half.changed and half.json["failed"] is bool(first)
    (esxi / "hang").unlink()
    made_up = options(vmx, REPLAY, reload=True, env=env)
    assert made_up.changed and made_up.json["file"]["reloaded"] and "read" in made_up.msg, made_up.msg
    assert not options(vmx, REPLAY, reload=True, env=env).changed


def test_a_host_that_cannot_be_asked_is_found_out_before_anything_is_written(vmx, esxi):
    (esxi / "vms").write_text("Failed to login: hostd is not there\n")
    before = state(vmx.parent)
    result = options(vmx, REPLAY, reload=True, env={"PATH": str(esxi / "bin")})
    assert result.kind == "fault" and "Failed to login" in result.msg
    assert state(vmx.parent) == before


def test_killed_at_any_instant_the_file_is_the_old_one_or_the_new_one(vmx):
    chance = random.Random(7)
    # Long enough for the write to be worth interrupting.
    filler = b"".join(b'guestinfo.filler%d = "%s"\r\n' % (number, b"x" * 200) for number in range(5000))
    off = vmx.read_bytes() + filler + b'replay.allowFT = "FALSE"\r\n'
    on = off.replace(b'allowFT = "FALSE"', b'allowFT = "TRUE"')
    vmx.write_bytes(off)
    vmx.chmod(0o640)
    args = {True: vmx.parent.parent / "on.json", False: vmx.parent.parent / "off.json"}
    for wanted, path in args.items():
        path.write_text(json.dumps({"path": str(vmx), "options": {"replay.allowFT": wanted}}))

    def run(wanted: bool) -> subprocess.Popen:
        return subprocess.Popen([binary("vmx_option"), str(args[wanted])], stdout=subprocess.DEVNULL, env=environment())

    started = time.monotonic()
    assert run(True).wait(timeout=60) == 0 and vmx.read_bytes() == on
    whole = time.monotonic() - started
    seen = {"old": 0, "new": 0}
    for _ in range(300):
        old = vmx.read_bytes()
        wanted = old == off
        child = run(wanted)
        time.sleep(chance.uniform(0, whole * 1.2))
        child.kill()
        child.wait()
        now = vmx.read_bytes()
        assert now == old or now == (on if wanted else off), "half a file"
        assert stat.S_IMODE(vmx.stat().st_mode) == 0o640
        seen["old" if now == old else "new"] += 1
    assert seen["old"] and seen["new"], seen
    for wanted in (True, False):
        assert options(vmx, {"replay.allowFT": wanted}).json["failed"] is False
    assert vmx.read_bytes() == off
    # What a killed run left behind is hidden, is called after this program, and goes once it is old.
    left = [path for path in vmx.parent.iterdir() if path != vmx]
    for path in left:
        assert path.name.startswith(".inner.vmx.nested-vft-"), path
        os.utime(path, (0, 0))
    assert options(vmx, {"replay.allowFT": True}).changed
    assert [path.name for path in vmx.parent.iterdir()] == [vmx.name]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r"])
def test_every_line_ending_is_kept_also_where_the_last_line_has_none(ending, tmp_path):
    file = tmp_path / "x.vmx"
    file.write_bytes(b'\xef\xbb\xbfconfig.version = "8"' + ending + b'a = "1"')
    assert options(file, {"a": "2", "b": "3"}).changed
    assert file.read_bytes() == b'\xef\xbb\xbfconfig.version = "8"' + ending + b'a = "2"' + ending + b'b = "3"'
