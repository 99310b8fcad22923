"""The README's pipeline, run as it stands: every line behind a `$` in one shell, with the output it shows."""

import socket
import subprocess

from modules import ROOT

PROMPT = "    $ "


def blocks():
    """The console lines of the README, as (command, the output shown for it)."""
    steps = []
    for line in (ROOT / "README.md").read_text().splitlines():
        if line.startswith(PROMPT):
            steps.append((line.removeprefix(PROMPT), []))
        elif steps and line.startswith("    "):
            steps[-1][1].append(line.strip())
        elif steps:
            break
    return steps


def test_the_pipeline_of_the_readme_answers_as_it_says():
    steps = blocks()
    assert any("host_option" in command for command, _ in steps)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = ["set -m"]
    for command, _ in steps:
        script.append(command.replace("8989", port))
        if command.endswith("&"):
            # A person takes longer to type the next line than the simulator to start.
            script.append(f"until (: </dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.05; done")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == [line for _, output in steps for line in output], done.stderr
