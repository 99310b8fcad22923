# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a program of the collection that is kept on the target, and sends it first if it is not there."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shlex

from ansible import constants as C
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.utils.display import Display
from ansible_collections.nested.vft.plugins.plugin_utils import in_place, launch

# The host variable that turns this on.
VARIABLE = "nested_vft_keep_program"
# The names of kept programs, and of those that were not sent completely.
NAME = re.compile(r"[0-9a-f]{64}|\.[0-9a-f]{64}\.[0-9a-f]{16}")

# For any POSIX shell. The XDG Base Directory Specification says to ignore a relative path.
FOLDER = """\
case ${XDG_CACHE_HOME-} in /*) d=$XDG_CACHE_HOME;; *) d=${HOME%/}/.cache;; esac
d=$d/nested_vft
"""
# `stop` reads the arguments, because Ansible may still be writing them. The hash tools read standard input: otherwise they
# would print the file's name, which is the hash.
VERIFY = """\
f=$d/DIGEST
stop() { cat >/dev/null; printf 'nested_vft:%s:%s\\n' "$1" "$d"; exit 0; }
sum() { sha256sum <"$1" || shasum -a 256 <"$1" || sha256 -q <"$1" || openssl dgst -sha256 <"$1"; } 2>/dev/null
private() { [ -O "$1" ] && case $(ls -ld "$1") in [d-]rwx------[!+]*) ;; *) false;; esac; }
[ -e "$d" ] || (umask 077 && mkdir -p "$d") 2>/dev/null
[ -d "$d" ] && private "$d" || stop folder
"""
# Renaming is atomic. Over a link to a folder, mv would move the program into that folder.
STORE = """\
[ ! -L "$f" ] || rm -f "$f"
[ ! -d "$f" ] && chmod 700 "$d/SENT" && mv -f "$d/SENT" "$f" || { rm -f "$d/SENT"; stop store; }
"""
RUN = """\
if [ -f "$f" ]; then s=$(sum "$f"); else s=$(sum /dev/null); fi
[ -n "$s" ] || stop tools
[ -e "$f" ] || [ -L "$f" ] || stop missing
case $s in *DIGEST*) private "$f";; *) false;; esac || stop changed
exec "$f" """
# What each reason of `stop` means, except for `missing`.
REASONS = {
    "folder": "{folder} cannot be created, or it is not a folder of the user of the connection with mode 0700",
    "store": "it cannot be stored in {folder}",
    "tools": "the host has none of sha256sum, shasum, sha256 and openssl, one of which must verify it",
    "changed": "the kept one in {folder} was damaged, a link, or open to other users",
}


def wanted(action, said, host):
    """Returns true if the variable asks for a kept program, and the task can have one."""
    try:
        asked = boolean(said or False)
    except TypeError as problem:
        raise AnsibleActionFail(f"{VARIABLE} of {host}: {problem}") from problem
    connection = action._connection
    # These are Ansible's own conditions for pipelining, and a shell that understands the commands. Programs are kept only for
    # the user of the connection.
    return (
        asked
        and not (connection.become or action._task.async_val or C.DEFAULT_KEEP_REMOTE_FILES)
        and connection.has_pipelining
        and getattr(connection._shell, "SHELL_FAMILY", None) == "sh"
    )


def command(exports, text):
    """Returns a command that knows the folder as `$d`. `exports` are the variables of the task, quoted for a shell."""
    return (f"export {exports}\n" if exports else "") + FOLDER + text


def run(action, program, args, host):
    """Runs the program as the action's module, and returns its result, or None if it did not start.

    The same command verifies and runs the program, so a task needs one command. Storing the program needs another one. The
    arguments, which may hold a password, go to the program's standard input.
    """
    with open(program, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    # Each task that sends the program at the same time uses a name of its own.
    sent = f".{digest}.{secrets.token_hex(8)}"
    exports = action._compute_environment_string()
    data = json.dumps(args, cls=in_place.ENCODER).encode()

    def attempt(store=""):
        text = (VERIFY + store + RUN).replace("DIGEST", digest).replace("SENT", sent) + action.module
        answer = action._low_level_execute_command(command(exports, text), sudoable=False, in_data=data)
        words = (answer["stdout"].splitlines() or [""])[-1].split(":", 2)
        return (answer, *words[1:]) if words[0] == "nested_vft" else (answer, "", "")

    def warn(problem, what="sending the program for this task only"):
        Display().warning(f"{VARIABLE} on {host}: {what}, because {problem}")

    answer, reason, folder = attempt()
    if reason in ("missing", "changed"):
        if reason == "changed":
            warn(REASONS[reason].format(folder=folder), "sending the program again")
        try:
            action._transfer_file(program, f"{folder}/{sent}")
        except AnsibleConnectionFailure:
            raise
        except AnsibleError as problem:
            action._low_level_execute_command(f"rm -f {shlex.quote(f'{folder}/{sent}')}", sudoable=False)
            warn(f"it cannot be stored in {folder}: {problem}")
            return None
        answer, reason, folder = attempt(STORE)
    if reason:
        warn(REASONS.get(reason, reason).format(folder=folder))
        return None
    if answer["rc"] in launch.SHELL:
        # Such as in a folder that is mounted with noexec. Nothing has run, so the task may start over.
        warn(f"the kept one cannot be started: {answer['stderr'].strip()}")
        return None
    Display().vvv(f"Running {program} as kept on the host", host=host)
    return in_place.result(f"the program on {host}", answer["rc"], answer["stdout"], answer["stderr"])
