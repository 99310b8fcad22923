"""`session_cache`: one login for many runs, in a file that only its user can read."""

from __future__ import annotations

import concurrent.futures
import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from lab import Simulator

from modules import IDEMPOTENT, MODULES, binary, connection, environment, example, interrupt_module, run_module

NAME = "vm_power"


@pytest.fixture
def lab(simulator):
    """A lab whose sessions a test may leave behind."""
    lab = simulator(personality="6.7", scenario="healthy")
    yield lab
    lab.expire_sessions()


@pytest.fixture
def home(tmp_path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    return folder


def run(lab, home: Path, *flags: str, name: str = NAME, **more):
    args = example(name, lab.facts) | {"session_cache": True} | more
    return run_module(name, args, *flags, env={"XDG_RUNTIME_DIR": str(home)})


def files(home: Path) -> list[Path]:
    return sorted((home / "nested_vft").glob("*.json"))


def sessions(home: Path, *flags: str) -> str:
    ended = subprocess.run(
        [binary("nested_vft"), "sessions", *flags],
        env=environment({"XDG_RUNTIME_DIR": str(home)}), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ended.stdout


@pytest.mark.parametrize("name", MODULES)
def test_the_second_run_needs_no_login_and_no_logout(name, lab, home):
    first = run(lab, home, "--check", name=name)
    assert first.did, first.msg
    lab.clear_log()
    second = run(lab, home, "--check", name=name)
    assert second.did, second.msg
    assert not {"RetrieveServiceContent", "Login", "Logout"} & set(lab.methods())
    assert lab.sessions()["live"] == 1
    assert second.json.get("warnings") == first.json.get("warnings")


def test_an_unchanged_run_takes_two_requests(lab, home):
    run(lab, home, state="powered_on")
    lab.clear_log()
    assert not run(lab, home, state="powered_on").changed
    assert len(lab.methods()) == 2


def test_the_file_is_private_and_holds_no_password(lab, home):
    run(lab, home)
    (file,) = files(home)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert lab.facts["password"] not in file.read_text()


@pytest.mark.parametrize("name", IDEMPOTENT)
def test_a_session_that_the_server_ended_is_replaced_within_the_run(name, lab, home):
    run(lab, home, "--check", name=name)
    lab.expire_sessions()
    ended = run(lab, home, name=name)
    assert ended.did, ended.msg
    assert lab.sessions()["live"] == 1
    lab.clear_log()
    assert not run(lab, home, "--check", name=name).json["failed"]
    assert "Login" not in lab.methods()


def test_without_it_no_session_is_left(lab, home):
    run_module(NAME, example(NAME, lab.facts), env={"XDG_RUNTIME_DIR": str(home)})
    assert lab.sessions()["live"] == 0 and not (home / "nested_vft").exists()


@pytest.mark.parametrize(("argument", "value"), [("username", "root"), ("hostname", "localhost"), ("thumbprint", None)])
def test_another_user_server_or_trust_does_not_get_the_session(argument, value, lab, home):
    run(lab, home, "--check")
    lab.clear_log()
    run(lab, home, "--check", **{argument: value or lab.facts["sha1"]})
    assert "Login" in lab.methods()


def damaged(file: Path) -> None:
    file.write_text("{")


def control_character(file: Path) -> None:
    spoiled = file.read_text().replace("vmware_soap_session=", "vmware_soap_session\\\\r=")
    assert spoiled != file.read_text()
    file.write_text(spoiled)


def another_server(file: Path) -> None:
    """Changes one bit of the id of a well-known object."""
    spoiled = file.read_text().replace("group-d1", "group-d0")
    assert spoiled != file.read_text()
    file.write_text(spoiled)


def too_permissive(file: Path) -> None:
    file.chmod(0o644)


def a_link(file: Path) -> None:
    file.rename(file.with_suffix(".moved"))
    file.symlink_to(file.with_suffix(".moved"))


def an_older_format(file: Path) -> None:
    file.write_text(file.read_text().replace('"format":2', '"format":1'))


@pytest.mark.parametrize("spoil", [damaged, control_character, another_server, too_permissive, a_link, an_older_format])
def test_a_file_that_cannot_be_trusted_is_a_warning_and_is_replaced(spoil, lab, home):
    run(lab, home, "--check")
    (file,) = files(home)
    spoil(file)
    lab.clear_log()
    ended = run(lab, home, "--check")
    assert ended.did and "session_cache" in ended.json["warnings"][0]
    assert "Login" in lab.methods()
    lab.clear_log()
    ended = run(lab, home, "--check")
    assert ended.did and "warnings" not in ended.json and "Login" not in lab.methods()


@pytest.mark.parametrize("spoil", [damaged, control_character, another_server])
def test_a_damaged_file_is_removed_instead_of_closed(spoil, lab, home):
    run(lab, home, "--check")
    spoil(files(home)[0])
    command = [binary("nested_vft"), "sessions", "--close"]
    ended = subprocess.run(
        command, env=environment({"XDG_RUNTIME_DIR": str(home)}), capture_output=True, text=True, check=True
    )
    assert ended.stdout == "No session is kept.\n" and "damaged. The file was removed" in ended.stderr
    assert not files(home)


def test_a_folder_that_others_can_read_is_not_used(lab, home):
    (home / "nested_vft").mkdir(mode=0o755)
    ended = run(lab, home, "--check")
    assert ended.did and "other users" in ended.json["warnings"][0]
    assert lab.sessions()["live"] == 0 and not files(home)


@pytest.mark.parametrize(
    ("kept", "expired", "logins"), [(False, False, 1), (True, False, 0), (True, True, 1)], ids=["new", "kept", "expired"]
)
def test_twenty_runs_at_once_share_one_login(kept, expired, logins, lab, home):
    if kept:
        run(lab, home, "--check")
    if expired:
        lab.expire_sessions()
    lab.clear_log()
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        ended = list(pool.map(lambda _: run(lab, home, "--check"), range(20)))
    assert all(one.did for one in ended), [one.msg for one in ended if not one.did]
    assert (lab.methods().count("Login"), lab.sessions()["live"]) == (logins, 1)


def test_an_interrupted_run_leaves_a_whole_file_and_one_session(lab, home):
    args = example(NAME, lab.facts) | {"session_cache": True}
    lab.inject(method="RetrievePropertiesEx", how="hang")
    ended = interrupt_module(NAME, args, lambda: "Login" in lab.methods(), env={"XDG_RUNTIME_DIR": str(home)})
    assert ended.kind == "interrupted"
    assert lab.sessions()["live"] == len(files(home)) == 1
    assert json.loads(files(home)[0].read_text())["format"] == 2


def test_sessions_are_listed_without_cookies_and_closed(lab, home):
    assert sessions(home) == "No session is kept.\n"
    run(lab, home, "--check")
    listed = sessions(home)
    assert f"https://{lab.facts['hostname']}:{lab.facts['port']}" in listed and lab.facts["username"] in listed
    cookie = json.loads(json.loads(files(home)[0].read_text())["session"])[0]
    assert cookie.split("=")[1].strip('"') not in listed
    assert "closed" in sessions(home, "--close")
    assert lab.sessions()["live"] == 0 and not files(home)


@pytest.mark.parametrize("other", [{"personality": "6.7"}, {"personality": "8.0", "direct": True}], ids=["older", "host"])
def test_another_server_at_the_same_address_is_recognized(other, home):
    args = {"esxi_hostname": "esxi01.lab.local", "options": {"Migrate.NetTimeout": 20}, "session_cache": True}
    env = {"XDG_RUNTIME_DIR": str(home)}
    with Simulator(personality="8.0", scenario="healthy", http=True) as first:
        facts = first.facts
        run_module("host_option", connection(facts) | args, "--check", env=env)
        assert len(files(home)) == 1
    second = Simulator(scenario="healthy", http=True, listen=f"{facts['hostname']}:{facts['port']}", **other)
    with second:
        user = {name: second.facts[name] for name in ("username", "password")}
        # The key has the user's name: the same user must exist on both.
        ended = run_module("host_option", connection(facts) | args | user, "--check", env=env)
        # A host has other well-known objects than a vCenter, and the call under way names the old ones.
        if "direct" in other:
            assert "another server answers at this address" in ended.msg
        else:
            assert not ended.json["failed"], ended.msg
        again = run_module("host_option", connection(facts) | args | user, "--check", env=env)
        assert not again.json["failed"], again.msg


def test_a_session_whose_server_does_not_answer_is_not_called_closed(home):
    with Simulator(personality="6.7", scenario="healthy") as lab:
        run(lab, home, "--check")
    ended = subprocess.run(
        [binary("nested_vft"), "sessions", "--close"],
        env=environment({"XDG_RUNTIME_DIR": str(home)}), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1 and "not closed: cannot connect" in ended.stdout
    assert len(files(home)) == 1, "it can be closed later"


def test_a_session_that_cannot_be_stored_is_a_warning_and_is_closed(lab, home):
    (home / "nested_vft").mkdir(mode=0o700)
    (home / "nested_vft" / "lock").mkdir()
    ended = run(lab, home, "--check")
    assert ended.did and "cannot lock" in ended.json["warnings"][0]
    assert lab.sessions()["live"] == 0


@pytest.mark.parametrize("kept", [False, True])
def test_a_refused_login_names_the_server_and_keeps_nothing(kept, lab, home):
    if kept:
        run(lab, home, "--check")
        lab.expire_sessions()
    ended = run(lab, home, "--check", password="wrong")
    assert ended.kind == "authentication"
    assert f"{lab.facts['hostname']}:{lab.facts['port']} refused the login of {lab.facts['username']}" in ended.msg
    assert lab.sessions()["live"] == 0 and not files(home)


def test_json_lines_keep_the_session_too(lab, home):
    lines = "\n".join(json.dumps(example(NAME, lab.facts) | {"session_cache": True}) for _ in range(3))
    subprocess.run(
        [binary(NAME), "--jsonl", "--check"], input=lines.encode(),
        env=environment({"XDG_RUNTIME_DIR": str(home)}), stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    assert lab.sessions()["live"] == 1 and len(files(home)) == 1
    lab.clear_log()
    assert run(lab, home, "--check").did and "Login" not in lab.methods()
