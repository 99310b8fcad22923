"""Shared helpers of the tests of vmx_option on a .vmx file."""

from __future__ import annotations

from pathlib import Path

from modules import run_module

REPLAY = {"replay.supported": "true", "replay.allowFT": "true", "replay.allowBTOnly": "true"}

# Oddities from real files: a shebang of old ESX, comments, odd spacing, CRLF, a display name in Shift_JIS whose second bytes
# are the ASCII codes of \ and |, an invalid entry, and an option that is already set to another value.
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


def options(path: Path | str, wanted: dict, *flags: str, env: dict | None = None, **more):
    return run_module("vmx_option", {"path": str(path), "options": wanted} | more, *flags, env=env)


def state(folder: Path) -> dict:
    """Returns the files in a folder, each with its inode, time, mode and size."""
    seen = {path.name: path.lstat() for path in folder.iterdir()}
    return {name: (it.st_ino, it.st_mtime_ns, it.st_mode, it.st_size) for name, it in seen.items()}
