"""host_option against the lab: what a vSphere administrator sees of it."""

from __future__ import annotations

import pytest

from modules import connection, run_module

STREAMS = "Migrate.VMotionStreamDisable"


def options(lab, wanted: dict, *flags: str, **more):
    target = {} if {"esxi_hostname", "cluster_name"} & more.keys() else {"cluster_name": lab.facts["cluster"]}
    return run_module("host_option", connection(lab.facts) | target | {"options": wanted} | more, *flags)


def values(host: dict) -> dict:
    return {option["key"]: (option["before"], option["after"], option["default"]) for option in host["options"]}


@pytest.mark.parametrize("key", [STREAMS, "/Migrate/VMotionStreamDisable"])
def test_both_spellings_of_an_option_mean_the_same(key, healthy):
    first = options(healthy, {key: 1})
    assert first.changed
    for host in first.json["hosts"]:
        assert values(host) == {STREAMS: (0, 1, 0)}
    assert not options(healthy, {STREAMS: "1"}).changed


def test_the_hosts_of_a_cluster_are_all_done_and_reported(healthy):
    result = options(healthy, {STREAMS: 1}, "--diff")
    assert [host["name"] for host in result.json["hosts"]] == sorted(healthy.facts["hosts"])
    assert all(host["changed"] and host["moid"].startswith("host-") for host in result.json["hosts"])
    assert len(result.json["diff"]) == len(result.json["hosts"])
    for host, diff in zip(result.json["hosts"], result.json["diff"], strict=True):
        assert host["name"] in diff["before_header"] and host["name"] in diff["after_header"]


def test_only_the_host_that_differs_changes(healthy):
    one = healthy.facts["hosts"][0]
    assert options(healthy, {STREAMS: 1}, esxi_hostname=one).changed
    rest = options(healthy, {STREAMS: 1})
    assert [host["changed"] for host in rest.json["hosts"]] == [name != one for name in sorted(healthy.facts["hosts"])]


def test_several_hosts_may_be_named_each_once(healthy):
    hosts = healthy.facts["hosts"]
    result = options(healthy, {STREAMS: 1}, esxi_hostname=[*hosts, hosts[0]])
    assert sorted(host["name"] for host in result.json["hosts"]) == sorted(hosts)


def test_the_default_comes_from_the_host(healthy):
    options(healthy, {"Migrate.NetTimeout": 45})
    back = options(healthy, {"Migrate.NetTimeout": None}, state="default")
    assert back.changed
    for host in back.json["hosts"]:
        before, after, default = values(host)["Migrate.NetTimeout"]
        assert (before, after) == (45, default)
    assert not options(healthy, {"Migrate.NetTimeout": None}, state="default").changed


def test_an_option_in_the_wrong_case_is_not_found_and_the_right_name_is_suggested(healthy):
    result = options(healthy, {STREAMS.lower(): 1})
    assert result.kind == "not_found" and result.changed is False
    assert STREAMS in result.json["error"]["hint"]


def test_two_hundred_hosts_are_one_run(simulator):
    lab = simulator(personality="6.7", scenario="healthy", hosts=200, http=True)
    result = options(lab, {STREAMS: 1})
    assert len(result.json["hosts"]) == 200 and all(host["changed"] for host in result.json["hosts"])
    lab.clear_log()
    assert not options(lab, {STREAMS: 1}).changed
    assert len(lab.log()) <= 210
