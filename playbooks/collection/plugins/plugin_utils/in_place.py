# Copyright: (c) The nested-vft authors
# SPDX-License-Identifier: Apache-2.0
"""Runs a program of the collection where it is, on the machine that Ansible runs on."""

from __future__ import annotations

import json
import os
import subprocess

from ansible.module_utils.common.text.converters import to_text
from ansible.utils.unsafe_proxy import wrap_var

try:
    # ansible-core 2.19 and later. Its values carry tags, and plain json does not know all of them.
    from ansible.module_utils.common.json import Direction, get_module_encoder

    ENCODER = get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE)
except ImportError:
    ENCODER = None

# The program needs this time, in seconds, to close its session after a signal.
LAST_WORDS = 5


def run(program, args, environment, folder, running=None):
    """Runs the program with these arguments and returns its result. Raises OSError if it cannot start.

    The arguments go through a pipe, so a password is in no file. `running` is a set that holds the process meanwhile.
    """
    variables = {to_text(name): to_text(value) for name, value in environment.items()}
    process = subprocess.Popen(
        [program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | variables,
        cwd=folder,
    )
    running = set() if running is None else running
    running.add(process)
    try:
        stdout, stderr = process.communicate(json.dumps(args, cls=ENCODER).encode())
    except BaseException:
        # Such as the end of the task's `timeout`, which arrives as an exception.
        process.terminate()
        try:
            process.wait(LAST_WORDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    finally:
        running.discard(process)
    return result(program, process.returncode, stdout, stderr)


def result(program, status, stdout, stderr):
    """Returns the result that a program printed as its last line. A shell profile may print lines before it."""
    try:
        # What a program returns is no template.
        return wrap_var(json.loads(to_text(stdout).splitlines()[-1]))
    except (IndexError, ValueError):
        return {
            "failed": True,
            "msg": f"{program} ended with the status {status} and without a result",
            "module_stdout": to_text(stdout),
            "module_stderr": to_text(stderr),
            "rc": status,
        }
