"""Servers that only speak TLS 1.0, like ESXi 5.0: with the build that supports it, and without."""

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
    """TLS 1.0 only."""

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
    """The article's lab, and the TLS 1.0 server in front of it."""
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
    """Uses the modules built with the feature."""
    monkeypatch.setattr(modules, "BINARIES", LEGACY)


def test_the_legacy_build_reads_writes_and_reports_the_tls_version(old, legacy):
    lab, server = old
    args = arguments(lab, server, tls_minimum="1.0", thumbprint=server.sha1)
    first = run_module("host_option", args)
    assert first.changed, first.msg
    assert {"Login", "QueryOptions", "UpdateOptions", "Logout"} <= set(lab.methods())
    again = run_module("host_option", args)
    assert not again.changed and not again.json["failed"]
    for result in (first, again):
        told = " ".join(result.json["warnings"])
        assert "broken" in told and "uses TLS 1.0 with AES" in told, told
    assert lab.sessions()["live"] == 0


def test_certificates_are_checked_as_strictly_and_before_a_password_is_sent(old, legacy):
    lab, server = old
    wrong = ":".join(["00"] * 20)
    for trust, says in (({}, server.sha1), ({"thumbprint": wrong}, server.sha1)):
        result = run_module("host_option", arguments(lab, server, tls_minimum="1.0", **trust))
        assert result.kind == "tls" and says in result.told, result.msg
        assert "broken" in result.json["warnings"][0], "a run that used it says so, also when it failed"
    assert lab.methods() == []
    trusting = run_module("host_option", arguments(lab, server, tls_minimum="1.0", validate_certs=False))
    assert trusting.changed, trusting.msg


def test_old_tls_is_never_used_silently(old, legacy):
    lab, server = old
    for minimum in (None, "1.2", "1.1"):
        result = run_module("host_option", arguments(lab, server, tls_minimum=minimum, thumbprint=server.sha1))
        assert result.kind == "tls" and "no TLS version in common" in result.msg, result.msg
    assert lab.methods() == []


def test_newer_tls_is_used_if_the_server_has_it(healthy, legacy):
    args = example("host_option", healthy.facts) | {"tls_minimum": "1.0"}
    result = run_module("host_option", args)
    assert result.changed and "try without `tls_minimum" in result.json["warnings"][1], result.json


@pytest.mark.parametrize("minimum", [None, "1.2"])
def test_without_permission_the_error_names_the_servers_tls_and_three_ways_out(minimum, old):
    lab, server = old
    result = run_module("host_option", arguments(lab, server, tls_minimum=minimum, thumbprint=server.sha1))
    assert result.kind == "tls" and all(way in result.msg for way in WAYS_OUT), result.msg
    assert "older" in result.msg, result.msg


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("minimum", ["1.0", 1.0, "1.1"])
def test_the_usual_build_rejects_the_argument_and_contacts_nothing(name, minimum, healthy):
    result = run_module(name, example(name, healthy.facts) | {"tls_minimum": minimum})
    assert result.kind == "invalid_arguments" and result.exit == 2
    assert "`tls_minimum`" in result.msg and all(way in result.msg for way in WAYS_OUT), result.msg
    assert healthy.methods() == []
