"""Measures tasks of the collection in real Ansible: on this machine, and over ssh."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import Simulator
from ssh import Ssh

from modules import BINARIES, IDEMPOTENT, ROOT, binary, connection, example
from single import LAB, UNDO
from timing import Command, Report, interleave

# The number of tasks in a playbook.
TASKS = 11
# The time of a slow login, in milliseconds.
LOGIN = 500


def ansible() -> Path:
    """Returns the folder of the newest Ansible that tests/env/setup made."""
    folders = [ROOT / "target" / "env" / f"ansible-{version}" / "bin" for version in ("2.21", "2.19", "2.16")]
    return next(folder for folder in folders if (folder / "ansible-playbook").exists())


def version() -> str:
    """Returns the version of that Ansible."""
    words = [ansible() / "python", "-c", "import ansible.release as r; print(r.__version__)"]
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def collections(folder: Path) -> Path:
    """Assembles the collection from the program under test."""
    target = folder / "target"
    target.mkdir()
    (target / "release").symlink_to(BINARIES.resolve())
    words = [sys.executable, ROOT / "playbooks" / "collection" / "assemble", "--no-build", "--here", "--output", folder]
    subprocess.run(words, check=True, capture_output=True, env=os.environ | {"CARGO_TARGET_DIR": str(target)})
    return folder / "collections"


class Playbook:
    """A playbook for `host`, in a folder of its own."""

    def __init__(self, folder: Path, collection: Path, tasks: list[dict], variables: dict[str, object]):
        folder.mkdir()
        self.folder = folder
        play = {"hosts": "host", "gather_facts": False, "tasks": tasks}
        (folder / "play.json").write_text(json.dumps([play]))
        (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": {"host": variables}}}))
        self.journal = folder / "journal"
        env = {
            "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "ansible" / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "journal",
            "ANSIBLE_COLLECTIONS_PATH": str(collection),
            "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_JOURNAL": str(self.journal),
            "ANSIBLE_LIBRARY": str(folder.parent / "library"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "remote"),
            "XDG_RUNTIME_DIR": str(folder / "run"),
        }
        words = [ansible() / "ansible-playbook", "-i", folder / "hosts.json", folder / "play.json"]
        self.command = Command(words, self.fresh, env)

    def fresh(self) -> None:
        """Forgets the last run."""
        shutil.rmtree(self.folder / "run", ignore_errors=True)
        (self.folder / "run").mkdir(mode=0o700)
        (self.folder / "ansible.cfg").touch()
        self.journal.write_text("")

    def entries(self) -> list[dict]:
        """Returns what the tasks of the last run did."""
        return [json.loads(line) for line in self.journal.read_text().splitlines()]


def unchanged(facts: dict, **more: object) -> list[dict]:
    """Returns tasks that change nothing on a fresh simulator."""
    names = itertools.islice(itertools.cycle(IDEMPOTENT), TASKS)
    return [{f"nested.vft.{name}": example(name, facts) | UNDO[name] | more} for name in names]


def local(report: Report, folder: Path) -> None:
    """Measures eleven tasks on this machine, with a fast and a slow login."""
    collection = collections(folder)
    (folder / "library").mkdir()
    # A small program that Ansible copies and runs, and that does nothing: it returns its arguments.
    shutil.copy(shutil.which("cat"), folder / "library" / "empty")
    here = {"ansible_connection": "local"}
    with Simulator(**LAB) as near, Simulator(**LAB, login_ms=LOGIN) as slow:
        plays = {
            "`debug`": [{"debug": {"msg": "x"}}] * TASKS,
            "an empty program": [{"empty": {"changed": False}}] * TASKS,
            "unchanged": unchanged(near.facts),
            "unchanged, cached session": unchanged(near.facts, session_cache=True),
            f"unchanged, login of {LOGIN} ms": unchanged(slow.facts),
            f"unchanged, login of {LOGIN} ms, cached session": unchanged(slow.facts, session_cache=True),
        }
        books = [Playbook(folder / f"play{number}", collection, tasks, here) for number, tasks in enumerate(plays.values())]
        for book in books:
            book.command.run()
            done = book.entries()
            if len(done) != TASKS or any(entry["changed"] or entry["outcome"] != "ok" for entry in done):
                raise SystemExit(f"a playbook did not do what is measured: {done}")
        times = interleave([book.command for book in books], report.few)
    bounds = {2: f"1.25 × `debug`: {1.25 * times[0]:.0f} ms", 5: f"that and one login: {1.25 * times[0] + LOGIN:.0f} ms"}
    measured = enumerate(zip(plays, times, strict=True))
    rows = [[what, took / times[0], took, bounds.get(row, "")] for row, (what, took) in measured]
    text = f"ansible-core {version()}, local connection. The time is that of the whole `ansible-playbook`."
    report.table(f"A playbook of {TASKS} tasks", "tasks | ratio to `debug` | ms | at most", rows, text)
    report.headline(f"{TASKS} unchanged tasks : {TASKS} `debug` tasks", f"{times[2] / times[0]:.2f}", "1.25")
    report.headline(
        f"{TASKS} unchanged tasks with a login of {LOGIN} ms and `session_cache` : 1.25 × {TASKS} `debug` tasks and one login",
        f"{times[5] / (1.25 * times[0] + LOGIN):.2f} (without the cache {times[4] / (1.25 * times[0] + LOGIN):.2f})", "1",
    )  # fmt: skip


def durations(book: Playbook) -> list[float]:
    """Runs a playbook. Returns how many milliseconds each of its tasks took, except for the first."""
    book.command.run()
    ended = [entry["ended"] for entry in book.entries()]
    return [(later - earlier) * 1000 for earlier, later in itertools.pairwise(ended)]


def over_ssh(report: Report, folder: Path) -> None:
    """Measures the first and the second task on a machine that is reached by ssh."""
    collection = collections(folder)
    # The usual temporary folder may have a path that is too long for sockets.
    with tempfile.TemporaryDirectory(prefix="nested-vft-", dir="/tmp") as place, Simulator(**LAB) as lab:
        ssh = Ssh(Path(place))
        cache = folder / "cache"
        task = {"nested.vft.vm_power": connection(lab.facts) | {"name": lab.facts["vm"], "state": "powered_on"}}
        task["environment"] = {"XDG_CACHE_HOME": str(cache)}
        tasks = [{"debug": {"msg": "The next task starts now."}}, task, task]
        try:
            machine = ssh.variables | ssh.serve()
            books = [
                Playbook(folder / name, collection, tasks, machine | {"nested_vft_keep_program": name == "keep"})
                for name in ("copy", "keep")
            ]
            rounds = []
            for _ in range(report.few + 1):
                rounds.append([])
                for book in books:
                    shutil.rmtree(cache, ignore_errors=True)
                    disconnect(Path(place))
                    rounds[-1] += durations(book)
        finally:
            disconnect(Path(place))
            ssh.close()
    # The first round is not counted.
    first, second, first_kept, second_kept = (statistics.median(times) for times in zip(*rounds[1:], strict=True))
    rows = [["first", first_kept / first, first, first_kept], ["second", second_kept / second, second, second_kept]]
    size = os.path.getsize(binary("nested_vft")) / 1e6
    text = f"ansible-core {version()}. The program has {size:.1f} MB. The first task also opens the connection."
    report.table("A task over ssh, with and without `nested_vft_keep_program`", "task | ratio | ms | ms, kept", rows, text)
    report.headline("the second task over ssh with `nested_vft_keep_program` : without", f"{second_kept / second:.2f}")


def disconnect(place: Path) -> None:
    """Ends the connections that ssh keeps open for later tasks."""
    for socket in filter(Path.is_socket, place.iterdir()):
        subprocess.run(["ssh", "-O", "exit", "-S", socket, "any"], check=False, stderr=subprocess.DEVNULL)
