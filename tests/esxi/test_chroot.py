"""The static programs in an empty chroot, and on stand-in hosts with only the ESXi shell's tools."""

from __future__ import annotations

from pathlib import Path

import pytest

VMX = "/vmfs/volumes/datastore1/inner/inner.vmx"
REPLAY = {"replay.supported": True, "replay.allowFT": True, "replay.allowBTOnly": True}
STREAMS = "/Migrate/VMotionStreamDisable"

# System calls added after Linux 2.6.32, and all of epoll, eventfd, timerfd, signalfd and inotify. The VMkernel is known to
# lack epoll_pwait (golang/go#73350). What else it lacks is unknown.
LACKING = """
    clone3 close_range copy_file_range epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd
    eventfd2 execveat faccessat2 fchmodat2 futex_waitv getrandom inotify_init inotify_init1 io_uring_enter
    io_uring_register io_uring_setup membarrier memfd_create name_to_handle_at openat2 pidfd_getfd pidfd_open
    pidfd_send_signal preadv2 prlimit64 process_madvise pwritev2 recvmmsg renameat2 rseq sched_getattr seccomp sendmmsg
    signalfd signalfd4 statx syncfs timerfd_create timerfd_gettime timerfd_settime userfaultfd
""".split()
# `?` ignores calls that this strace does not know.
INJECTION = f"inject={','.join(f'?{call}' for call in LACKING)}:error=ENOSYS"
OLD_KERNEL = ("strace", "-f", "-o", "/dev/null", "-e", INJECTION)


@pytest.fixture(params=[(), OLD_KERNEL], ids=["this kernel", "an old kernel"])
def under(request) -> tuple[str, ...]:
    """Runs the programs directly, or under strace, which answers ENOSYS to calls that an old kernel lacks."""
    return request.param


def test_a_vmx_file_is_edited_in_an_empty_chroot(nothing):
    vmx = nothing.inside("/inner.vmx")
    before = vmx.read_text()
    args = {"path": "/inner.vmx", "options": REPLAY}
    predicted = nothing.run("vmx_option", args, "--check")
    assert predicted.changed and vmx.read_text() == before

    done = nothing.run("vmx_option", args)
    assert done.changed and done.json["options"] == predicted.json["options"]
    after = vmx.read_text()
    assert after.startswith(before) and 'replay.allowFT = "TRUE"' in after

    assert not nothing.run("vmx_option", args).changed
    assert nothing.run("vmx_option", args | {"state": "absent"}).changed
    assert vmx.read_text() == before
    assert {path.name for path in nothing.folder.iterdir()} == {"args.json", "inner.vmx", "vmx_option"}


@pytest.mark.parametrize("sign", ["inner.vmx.lck", "inner.vmx~", "inner.vmss"])
def test_the_file_of_a_running_machine_is_not_edited(sign, nothing):
    nothing.write(sign, "")
    before = nothing.inside("/inner.vmx").read_text()
    refused = nothing.run("vmx_option", {"path": "/inner.vmx", "options": REPLAY})
    assert refused.kind == "conflict" and sign in refused.msg
    assert nothing.inside("/inner.vmx").read_text() == before


def test_a_machine_without_the_tools_is_not_an_esxi_shell(nothing):
    refused = nothing.run("host_option", {"connection": "shell", "options": {STREAMS: 1}})
    assert refused.kind == "unsupported" and "esxcli" in refused.msg


@pytest.mark.parametrize("version", ["4.1", "5.0", "6.7"])
def test_an_option_of_the_host_is_set_and_reset(version, esxi, under):
    host = esxi(version)
    args = {"connection": "shell", "options": {STREAMS: 1}}
    assert host.run("host_option", args, "--check", under=under).changed
    assert host.option(STREAMS) == "0"

    done = host.run("host_option", args, under=under)
    assert done.changed
    [option] = done.json["hosts"][0]["options"]
    assert (option["key"], option["before"], option["after"]) == ("Migrate.VMotionStreamDisable", 0, 1)
    assert host.option(STREAMS) == "1"
    assert not host.run("host_option", args, under=under).changed

    reset = {"connection": "shell", "state": "default", "options": {STREAMS: None}}
    assert host.run("host_option", reset, under=under).changed
    assert host.option(STREAMS) == "0"


def test_a_build_without_the_option_is_an_error_or_a_warning(esxi):
    host = esxi("8.0")
    args = {"connection": "shell", "options": {STREAMS: 1}}
    assert host.run("host_option", args).kind == "not_found"
    skipped = host.run("host_option", args | {"missing": "skip"})
    assert not skipped.changed and "VMotionStreamDisable" in skipped.json["warnings"][0]


def test_hostd_reads_a_changed_file_again(esxi, under):
    host = esxi("6.7")
    args = {"path": VMX, "reload": True, "backup": True, "options": REPLAY}
    before = host.vmx.read_text()
    done = host.run("vmx_option", args, under=under)
    assert done.changed and done.json["file"]["reloaded"]
    assert host.calls("vim-cmd").count(["vmsvc/reload", "1"]) == 1
    assert (host.vmx.parent / Path(done.json["file"]["backup"]).name).read_text() == before

    assert not host.run("vmx_option", args, under=under).changed
    assert host.calls("vim-cmd").count(["vmsvc/reload", "1"]) == 1, "nothing changed, nothing to read"


def test_a_hanging_tool_times_out_and_is_ended(esxi, under):
    host = esxi("6.7")
    (host.state / "hang").touch()
    late = host.run("host_option", {"connection": "shell", "timeout": 1, "options": {STREAMS: 1}}, under=under)
    assert late.kind == "timeout"
    hung = (host.state / "hung").read_text().strip()
    with pytest.raises(FileNotFoundError):
        open(f"/proc/{hung}/stat").close()
