"""Shared helpers of the ft_readiness tests."""

from __future__ import annotations

from modules import connection, run_module


def look(lab, flags: tuple[str, ...] = (), **more):
    """Runs ft_readiness for the inner virtual machine, or for the object that `more` names."""
    target = more if {"name", "moid", "uuid", "cluster_name"} & more.keys() else more | {"name": lab.facts["vm"]}
    result = run_module("ft_readiness", connection(lab.facts) | target, *flags)
    if not result.json["failed"]:
        assert result.changed is False
        by_status = [check["status"] for check in result.json["checks"]]
        counts = {status: by_status.count(status) for status in ("met", "unmet", "unknown")}
        assert result.json["counts"] == counts
        decisive = [check for check in result.json["checks"] if check["decisive"]]
        found = {check["status"] for check in decisive}
        if "is already" not in result.msg:
            assert result.json["ready"] is ("unmet" not in found)
            # An unknown requirement may be a blocker.
            words = "is not ready" if "unmet" in found else "No blocker of" if "unknown" in found else "is ready"
            assert words in result.msg
    return result


# What is so in every small lab: two hosts, and a CD drive with the device of a client. Nothing depends on it.
USUAL = {"third-host", "media"}


def ids(result, status: str, usual: frozenset | set = USUAL) -> set[str]:
    """Returns the ids of the checks with this status, without the usual ones."""
    return {check["id"] for check in result.json["checks"] if check["status"] == status} - usual


def steps(result) -> list[dict]:
    """Returns the remedies, without the usual advice."""
    return [step for step in result.json["remedies"] if not set(step["checks"]) <= USUAL]


def check(result, name: str) -> dict:
    """Returns the only check with this id."""
    (found,) = [check for check in result.json["checks"] if check["id"] == name]
    return found


def apply(lab, step: dict) -> None:
    """Applies a remedy with its arguments unchanged."""
    result = run_module(step["module"], connection(lab.facts) | step["args"])
    assert not result.json["failed"] and result.changed, result.msg


def put(lab, what: str, state: dict) -> None:
    moids = {"vm": lab.facts["vm_moid"], "host": lab.facts["host_moids"][1], "cluster": lab.facts["cluster_moid"]}
    lab.set(moids.get(what, "datastore-11"), **state)
