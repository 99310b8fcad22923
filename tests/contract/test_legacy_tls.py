"""Servers that speak TLS 1.0 and nothing newer, as ESXi 5.0 does: with the build that speaks it too, and without."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import modules
from modules import MODULES, ROOT, connection, example, run_module
from tls_front import tls_front

LEGACY = ROOT / "target" / "legacy-tls"
WAYS_OUT = ("legacy-tls", "connection: shell", "TLS-terminating proxy")


class OldServer:
    """TLS 1.0, and nothing newer."""

    def __init__(self, folder: Path):
        cert, key = folder / "cert.pem", folder / "key.pem"
        subject = ["-subj", "/O=VMware, Inc./CN=localhost.localdomain"]
        subprocess.run(
            ["openssl", "req", "-x509", "-sha1", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, *subject],
            check=True,
            capture_output=True,
        )
        self.sha1 = hashlib.sha1(ssl.PEM_cert_to_DER_cert(cert.read_text())).digest().hex(":").upper()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.set_ciphers("AES128-SHA:AES256-SHA:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            self.context.minimum_version = self.context.maximum_version = ssl.TLSVersion.TLSv1
        self.context.load_cert_chain(cert, key)


@pytest.fixture
def old(simulator, tmp_path) -> Iterator[tuple]:
    """The lab of the article, and the server in front of it."""
    lab = simulator(personality="5.0", scenario="article", http=True)
    server = OldServer(tmp_path)
    with tls_front(server.context, lab.facts["port"]) as server.port:
        yield lab, server


def arguments(lab, server, **more) -> dict:
    args = connection(lab.facts) | {"port": server.port, "cluster_name": lab.facts["cluster"]}
    args["options"] = {"Migrate.VMotionStreamDisable": 1}
    del args["protocol"]
    return args | more


@pytest.fixture
def legacy(monkeypatch) -> None:
    """The modules are those of the build with the feature."""
    monkeypatch.setattr(modules, "BINARIES", LEGACY)


def test_the_build_that_speaks_it_logs_in_reads_and_writes_and_says_what_it_spoke(old, legacy):
    lab, server = old
    args = arguments(lab, server, tls_minimum="1.0", thumbprint=server.sha1)
    first = run_module("host_option", args)
    assert first.changed, first.msg
    assert {"Login", "QueryOptions", "UpdateOptions", "Logout"} <= set(lab.methods())
    again = run_module("host_option", args)
    assert not again.changed and not again.json["failed"]
    for result in (first, again):
        told = " ".join(result.json["warnings"])
        assert "broken" in told and "speaks TLS 1.0 with AES" in told, told
    assert lab.sessions()["live"] == 0


def test_certificates_are_judged_as_strictly_and_before_a_password_is_sent(old, legacy):
    lab, server = old
    wrong = ":".join(["00"] * 20)
    for trust, says in (({}, server.sha1), ({"thumbprint": wrong}, server.sha1)):
        result = run_module("host_option", arguments(lab, server, tls_minimum="1.0", **trust))
        assert result.kind == "tls" and says in result.told, result.msg
        assert "broken" in result.json["warnings"][0], "a run that used it says so, also when it failed"
    assert lab.methods() == []
    trusting = run_module("host_option", arguments(lab, server, tls_minimum="1.0", validate_certs=False))
    assert trusting.changed, trusting.msg


def test_it_is_never_chosen_silently(old, legacy):
    lab, server = old
    for minimum in (None, "1.2", "1.1"):
        result = run_module("host_option", arguments(lab, server, tls_minimum=minimum, thumbprint=server.sha1))
        assert result.kind == "tls" and "no TLS version in common" in result.msg, result.msg
    assert lab.methods() == []


def test_a_server_that_speaks_newer_tls_is_spoken_to_in_that(healthy, legacy):
    args = example("host_option", healthy.facts) | {"tls_minimum": "1.0"}
    result = run_module("host_option", args)
    assert result.changed and "try without `tls_minimum" in result.json["warnings"][1], result.json


@pytest.mark.parametrize("minimum", [None, "1.2"])
def test_without_it_the_error_says_what_the_server_speaks_and_names_three_ways_out(minimum, old):
    lab, server = old
    result = run_module("host_option", arguments(lab, server, tls_minimum=minimum, thumbprint=server.sha1))
    assert result.kind == "tls" and all(way in result.msg for way in WAYS_OUT), result.msg
    assert "older" in result.msg, result.msg


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("minimum", ["1.0", 1.0, "1.1"])
def test_the_usual_build_refuses_to_try_and_contacts_nothing(name, minimum, healthy):
    result = run_module(name, example(name, healthy.facts) | {"tls_minimum": minimum})
    assert result.kind == "invalid_arguments" and result.exit == 2
    assert "`tls_minimum`" in result.msg and all(way in result.msg for way in WAYS_OUT), result.msg
    assert healthy.methods() == []
