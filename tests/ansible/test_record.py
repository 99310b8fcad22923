"""The record of previous values: what it notes before and after a call."""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import os
import re

import pytest

from modules import ROOT

SOURCE = ROOT / "playbooks" / "collection" / "plugins" / "plugin_utils" / "record.py"
spec = importlib.util.spec_from_file_location("record", SOURCE)
record = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record)


def option(before, after, failed=False, moid="vm-63"):
    """Returns a result of vmx_option."""
    vm = {"name": "inner", "moid": moid}
    return {"vm": vm, "options": [{"key": "a", "before": before, "after": after}], "failed": failed}


@pytest.fixture
def lab(tmp_path):
    return record.Record(str(tmp_path / "lab.json"), "vc:443")


def entry(lab):
    """Returns what the file says about the option."""
    entries = json.loads((open(lab.path, encoding="utf-8")).read())["entries"]
    return [{name: one[name] for name in ("before", "set", "pending") if name in one} for one in entries]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # The value before the first change is the one to restore.
        ([("intend", None, "1"), ("finish", None, "1"), ("intend", "1", "2"), ("finish", "1", "2")], {"before": None, "set": "2"}),
        # An interruption: the value may be either.
        ([("intend", None, "1")], {"before": None, "set": None, "pending": "1"}),
        ([("intend", None, "1"), ("intend", "1", "2")], {"before": None, "set": "1", "pending": "2"}),
        # Somebody else changed it since: their value is the one to restore.
        ([("intend", None, "1"), ("finish", None, "1"), ("intend", "9", "1"), ("finish", "9", "1")], {"before": "9", "set": "1"}),
        # The value is back, as after a power cycle.
        ([("intend", "on", "off"), ("finish", "on", "off"), ("intend", "off", "on"), ("finish", "off", "on")], None),
        # A change that failed may have been made.
        ([("intend", None, "1"), ("fail", None, None)], {"before": None, "set": None, "pending": "1"}),
    ],
)
def test_an_entry_follows_the_changes_of_its_value(lab, steps, expected):
    for step, before, after in steps:
        result = option(before, after, failed=step == "fail")
        (lab.intend if step == "intend" else lab.finish)("vmx_option", result)
    assert entry(lab) == ([expected] if expected else [])
    # Another run reads the same.
    assert record.Record(lab.path, "vc:443").entries == lab.entries


def test_a_value_that_does_not_change_is_not_noted(lab):
    lab.intend("vmx_option", option("1", "1"))
    assert lab.entries == []


def test_a_folder_that_is_not_writable_is_an_error_before_any_change(lab, monkeypatch):
    lab.intend("vmx_option", option(None, "1"))
    # Permissions do not hold for root.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(record.BadRecord, match="its folder does not exist, or is not writable. Set `record` to a path"):
        record.Record(lab.path, "vc:443")


OBJECT = {"type": "VirtualMachine", "name": "inner", "moid": "vm-63"}
ENTRY = {"module": "vmx_option", "object": OBJECT, "key": "a", "before": None, "set": "1"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "cannot read the record"),
        ([], "is no record of nested.vft"),
        ({"format": 9}, "is no record of nested.vft"),
        ({"format": 1, "server": "other:443", "entries": []}, "is the record of the server other:443, not of vc:443"),
        ({"format": 1}, "server is not text"),
        ({"format": 1, "server": "vc:443", "entries": None}, "entries is not a list"),
        ([None], "entries[0] is not a dictionary"),
        ([ENTRY, ENTRY | {"module": []}], "entries[1].module is not one of cluster_ha"),
        ([ENTRY | {"object": None}], "entries[0].object is not a dictionary"),
        ([ENTRY | {"object": OBJECT | {"moid": 63}}], "entries[0].object.moid is not text"),
        ([ENTRY | {"object": OBJECT | {"cluster": None}}], "entries[0].object.cluster is not text"),
        ([{name: ENTRY[name] for name in ENTRY if name != "key"}], "entries[0].key is not text"),
        ([{name: ENTRY[name] for name in ENTRY if name != "before"}], "entries[0].before is not a single value"),
        ([ENTRY | {"pending": ["1"]}], "entries[0].pending is not a single value"),
        ([ENTRY | {"module": "vmkernel_service", "before": []}], "entries[0].set is not a list of vmknics"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_or_a_damaged_file_is_not_taken_for_the_record(lab, content, why):
    if isinstance(content, list) and content:
        content = {"format": 1, "server": "vc:443", "entries": content}
    text = content if isinstance(content, str) else json.dumps(content)
    with open(lab.path, "w", encoding="utf-8") as file:
        file.write(text)
    with pytest.raises(record.BadRecord, match=re.escape(why)):
        record.Record(lab.path, "vc:443")
    assert open(lab.path, encoding="utf-8").read() == text


def change(path, number):
    """Notes the changes of several virtual machines, as the task of one host does."""
    lab = record.Record(path, "vc:443")
    for each in range(10):
        result = option(None, "1", moid=f"vm-{number}-{each}")
        lab.intend("vmx_option", result)
        lab.finish("vmx_option", result)


def test_processes_that_share_a_record_lose_no_entry(lab):
    context = multiprocessing.get_context("fork")
    hosts = [context.Process(target=change, args=(lab.path, number)) for number in range(4)]
    for host in hosts:
        host.start()
    for host in hosts:
        host.join(60)
    assert [host.exitcode for host in hosts] == [0] * 4
    assert entry(lab) == [{"before": None, "set": "1"}] * 40


def test_a_record_that_stays_locked_is_an_error_after_a_while(lab, monkeypatch):
    monkeypatch.setattr(record, "PATIENCE", 0.1)
    with lab._locked(), pytest.raises(record.BadRecord, match="another process has locked .*lab.json.lock"):
        record.Record(lab.path, "vc:443").intend("vmx_option", option(None, "1"))
    assert not record.Record(lab.path, "vc:443").exists
