# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Says why a program could not start, and what to do."""

from __future__ import annotations

import errno
import re

# What a shell prints for each of these errors, whatever its language: the kernel's own words come from the C library, and
# those of bash, dash and busybox differ.
CAUSES = (
    (
        errno.EACCES,
        re.compile(r"permission denied", re.IGNORECASE),
        "the file may not be executed",
        "Its file system may be mounted with noexec: set `ansible_remote_tmp` to a folder where programs may run.",
    ),
    (
        errno.ENOEXEC,
        re.compile(r"exec format error|cannot execute binary file|syntax error", re.IGNORECASE),
        "it is built for another processor or system",
        "Set the variable `nested_vft_system` of that host to the right program, or assemble the collection with"
        " --target TRIPLE for that kind of machine.",
    ),
    (
        errno.ENOENT,
        # With the path of the copied program: a shell says the same of any other command that it cannot find.
        re.compile(
            r"AnsiballZ_\S*: (?:.*: )?(?:not found|no such file|required file not found)|cannot execute: required file",
            re.IGNORECASE,
        ),
        "the C library that it needs is not there",
        "Assemble the collection with a static program for that kind of machine: --target x86_64-unknown-linux-musl.",
    ),
)
# The hint for EACCES if the program runs where the collection is installed.
INSTALL = (
    "The file has no execute permission, or its file system is mounted with noexec. Install the collection again with --force; in the"
    " second case with -p FOLDER too, where programs may run, and name that folder in ANSIBLE_COLLECTIONS_PATH."
)
# The exit statuses of a shell that cannot start a program.
SHELL = (126, 127)


def failure(program, code, text, copied=False):
    """Returns the result of a task whose program could not start. `code` is the system's error number, or None.

    `copied` says that Ansible copied the program to a temporary folder.
    """
    cause, hint = "the system refused", "See the text of the error."
    for known in CAUSES:
        if known[0] == code:
            cause, hint = known[2:]
    if code == errno.EACCES and not copied:
        hint = INSTALL
    detail = f"{program} cannot be started: {cause} ({text})"
    return {
        "changed": False,
        "failed": True,
        "msg": f"{detail}. {hint}",
        "error": {"kind": "io", "detail": detail, "hint": hint},
    }


def explained(answer, host):
    """Returns the answer of a task, with the cause and the remedy if the shell of the host could not start the program."""
    if not answer.get("failed") or "error" in answer or answer.get("rc") not in SHELL:
        return answer
    text = " ".join(f"{answer.get('module_stderr') or ''} {answer.get('module_stdout') or ''}".split())
    code = next((known[0] for known in CAUSES if known[1].search(text)), None)
    # An unknown text is better shown as Ansible shows it than explained wrongly.
    return answer if code is None else failure(f"the program on {host}", code, text, copied=True)
