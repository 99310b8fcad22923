"""Every kind of certificate with every kind of trust, in TLS 1.2 and 1.3. No password may be sent too early."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from modules import example, run_module
from tls_front import tls_front

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
RSA, EC = ["RSA", "-pkeyopt"], ["EC", "-pkeyopt"]


@dataclass
class Kind:
    """How to create a certificate, and why the certificate store rejects it, if it does."""

    key: list[str]
    refused: str = ""
    extensions: str = "server"
    dates: tuple[str, str] = ("20200101000000Z", "20991231235959Z")
    digest: str = "sha256"
    issuer: str = "rsa_keygen_bits:2048"
    self_signed: bool = False


RSA_2048 = [*RSA, "rsa_keygen_bits:2048"]
KINDS = {
    "RSA 1024": Kind([*RSA, "rsa_keygen_bits:1024"], "its RSA key has 1024 bits"),
    "RSA 2048": Kind(RSA_2048),
    "RSA 4096": Kind([*RSA, "rsa_keygen_bits:4096"]),
    "P-256": Kind([*EC, "ec_paramgen_curve:P-256"]),
    "P-384": Kind([*EC, "ec_paramgen_curve:P-384"]),
    "P-521": Kind([*EC, "ec_paramgen_curve:P-521"]),
    "P-521 and its issuer too": Kind([*EC, "ec_paramgen_curve:P-521"], digest="sha512", issuer="ec_paramgen_curve:P-521"),
    "Ed25519": Kind(["ED25519"]),
    "RSA 1024 issuer": Kind(RSA_2048, "an RSA key of less than 2048 bits", issuer="rsa_keygen_bits:1024"),
    "SHA-1": Kind(RSA_2048, "signed with SHA-1", digest="sha1"),
    "version 1": Kind(RSA_2048, "X.509 certificate of version 1", extensions=""),
    "expired": Kind(RSA_2048, "it has expired", dates=("20200101000000Z", "20210101000000Z")),
    "not yet valid": Kind(RSA_2048, "it is not valid yet", dates=("20980101000000Z", "20991231235959Z")),
    "common name only": Kind(RSA_2048, "a common name is not enough", extensions="nameless"),
    "self-signed CA": Kind(RSA_2048, "it is a CA certificate", extensions="authority", self_signed=True),
}
CONFIG = """
[ca]
default_ca = own
[own]
database = index
serial = serial
new_certs_dir = .
policy = any
[any]
commonName = supplied
[server]
subjectAltName = IP:127.0.0.1
basicConstraints = CA:FALSE
[nameless]
basicConstraints = CA:FALSE
[authority]
subjectAltName = IP:127.0.0.1
basicConstraints = critical,CA:TRUE
"""


def openssl(folder: Path, *arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True).stdout


def make(kind: Kind, folder: Path) -> None:
    """Creates key.pem, cert.pem and the ca.pem to trust."""
    (folder / "config").write_text(CONFIG)
    (folder / "index").touch()
    (folder / "serial").write_text("01")
    openssl(folder, "genpkey", "-algorithm", *kind.key, "-out", "key.pem")
    openssl(folder, "req", "-new", "-config", "/dev/null", "-key", "key.pem", "-subj", "/CN=127.0.0.1", "-out", "request")
    issuer = [*(RSA if kind.issuer.startswith("rsa") else EC), kind.issuer]
    openssl(folder, "genpkey", "-algorithm", *issuer, "-out", "ca.key")
    authority = ["-new", "-x509", "-config", "config", "-extensions", "authority", "-subj", "/CN=CA", "-days", "999"]
    openssl(folder, "req", *authority, "-key", "ca.key", "-out", "ca.pem")
    command = ["ca", "-config", "config", "-batch", "-notext", "-md", kind.digest, "-in", "request", "-out", "cert.pem"]
    command += ["-startdate", kind.dates[0], "-enddate", kind.dates[1]]
    command += ["-extensions", kind.extensions] if kind.extensions else []
    command += ["-selfsign", "-keyfile", "key.pem"] if kind.self_signed else ["-cert", "ca.pem", "-keyfile", "ca.key"]
    openssl(folder, *command)
    if kind.self_signed:
        (folder / "ca.pem").write_bytes((folder / "cert.pem").read_bytes())
    version = b"Version: 3" if kind.extensions else b"Version: 1"
    assert version in openssl(folder, "x509", "-in", "cert.pem", "-noout", "-text")


def thumbprint(folder: Path, algorithm: str) -> str:
    der = ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text())
    return hashlib.new(algorithm, der).digest().hex(":").upper()


def context(folder: Path, version: ssl.TLSVersion, key: str = "key.pem") -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    made.minimum_version = made.maximum_version = version
    made.load_cert_chain(folder / "cert.pem", folder / key)
    return made


def arguments(lab, port: int, **more) -> dict:
    args = example("vm_power", lab.facts) | {"port": port} | more
    del args["protocol"]
    return args


@pytest.fixture
def lab(simulator):
    return simulator(personality="6.7", scenario="healthy", http=True)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_certificate_with_every_kind_of_trust(name, lab, tmp_path):
    kind = KINDS[name]
    make(kind, tmp_path)
    sha256, sha1 = thumbprint(tmp_path, "sha256"), thumbprint(tmp_path, "sha1")
    other = "is not the expected one"
    trusts = [
        ({}, kind.refused),
        ({"thumbprint": sha256}, ""),
        ({"thumbprint": sha1}, ""),
        ({"validate_certs": False}, ""),
        ({"thumbprint": ":".join(["00"] * 32)}, other),
        ({"thumbprint": ":".join(["00"] * 20), "validate_certs": False}, other),
    ]
    environment = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
    for version in VERSIONS:
        with tls_front(context(tmp_path, version), lab.facts["port"]) as port:
            for trust, refused in trusts:
                lab.clear_log()
                result = run_module("vm_power", arguments(lab, port, **trust), "--check", env=environment)
                where = f"{name}, {version.name}, {trust}: {result.told}"
                if not refused:
                    assert result.did, where
                    continue
                assert result.kind == "tls" and refused in result.msg, where
                assert sha256 in result.msg and sha1 in result.msg, where
                assert ("validate_certs" in result.json["error"]["hint"]) is (not trust), where
                assert lab.methods() == [], where


@pytest.mark.parametrize(("name", "why"), [("missing.pem", "No such file"), ("empty.pem", "no CA certificate is in it")])
def test_a_file_of_authorities_that_cannot_be_used_is_named(name, why, lab, tmp_path):
    (tmp_path / "empty.pem").touch()
    file = str(tmp_path / name)
    result = run_module("vm_power", arguments(lab, lab.facts["port"]), "--check", env={"SSL_CERT_FILE": file})
    assert result.kind == "tls" and f"SSL_CERT_FILE is set to {file}, which cannot be used: {why}" in result.msg
    assert "Set SSL_CERT_FILE" in result.json["error"]["hint"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("name", ["RSA 1024", "RSA 2048", "P-256", "P-521"])
def test_a_server_with_the_right_certificate_but_another_key_is_rejected(name, version, lab, tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        make(KINDS[name], folder)
    # OpenSSL compares the public halves, so this private key gets the certificate's public half.
    form = ["rsa", "-traditional"] if name.startswith("RSA") else ["ec"]
    key = openssl(theirs, *form, "-in", "key.pem", "-outform", "DER")
    halves = [public_half(folder, rsa=name.startswith("RSA")) for folder in (theirs, ours)]
    assert key.count(halves[0]) == 1
    (ours / "forged.der").write_bytes(key.replace(*halves))
    openssl(ours, form[0], "-inform", "DER", "-in", "forged.der", "-out", "forged.pem")
    environment = {"SSL_CERT_FILE": str(ours / "ca.pem")}
    with tls_front(context(ours, version, "forged.pem"), lab.facts["port"]) as port:
        pins = [{"thumbprint": thumbprint(ours, algorithm)} for algorithm in ("sha256", "sha1")]
        for trust in (*pins, {"validate_certs": False}, {} if not KINDS[name].refused else pins[0]):
            result = run_module("vm_power", arguments(lab, port, **trust), "--check", env=environment)
            assert result.kind == "tls" and "did not prove" in result.msg, result.told
            assert not {"validate_certs", "thumbprint"} & set(result.json["error"]["hint"].split("`")), result.told
    assert lab.methods() == []


def public_half(folder: Path, *, rsa: bool) -> bytes:
    """Returns the modulus of an RSA key, or the point of an elliptic curve key."""
    if rsa:
        return bytes.fromhex(openssl(folder, "x509", "-in", "cert.pem", "-noout", "-modulus").split(b"=")[1].decode())
    info = openssl(folder, "pkey", "-in", "key.pem", "-pubout", "-outform", "DER")
    # The contents of a bit string begin with the number of unused bits, and a point begins with 4.
    return info[info.rindex(b"\x00\x04", 0, 30) + 1 :]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_server_that_only_offers_p521_key_exchange_works(version, lab, tmp_path):
    make(KINDS["RSA 2048"], tmp_path)
    only = context(tmp_path, version)
    only.set_ecdh_curve("secp521r1")
    with tls_front(only, lab.facts["port"]) as port:
        result = run_module("vm_power", arguments(lab, port, thumbprint=thumbprint(tmp_path, "sha256")), "--check")
    assert result.did, result.told


@pytest.mark.parametrize("bits", [512, 768, 1025, 1031, 2041, 2047])
def test_rsa_keys_of_unusual_lengths_work(bits, lab, tmp_path):
    make(Kind([*RSA, f"rsa_keygen_bits:{bits}"]), tmp_path)
    # TLS 1.3 signatures need longer keys.
    for version in VERSIONS if bits > 528 else VERSIONS[:1]:
        with tls_front(context(tmp_path, version), lab.facts["port"]) as port:
            result = run_module("vm_power", arguments(lab, port, validate_certs=False), "--check")
        assert result.did, result.told


@contextlib.contextmanager
def sha1_server(folder: Path) -> Iterator[int]:
    """A TLS 1.2 server that signs handshakes with SHA-1, and then sends back each line reversed."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["openssl", "s_server", "-accept", str(port), "-cert", "cert.pem", "-key", "key.pem", "-rev", "-tls1_2"]
    command += ["-cipher", "DEFAULT:@SECLEVEL=0", "-sigalgs", "RSA+SHA1"]
    server = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield port
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("name", ["RSA 1024", "RSA 2048"])
def test_sha1_handshake_signatures_work_unless_the_system_decides(name, lab, tmp_path):
    make(KINDS[name], tmp_path)
    with sha1_server(tmp_path) as port:
        for trust in ({"validate_certs": False}, {"thumbprint": thumbprint(tmp_path, "sha256")}):
            result = run_module("vm_power", arguments(lab, port, **trust), "--check")
            assert result.kind == "connection", "its certificate passes, its answer does not: " + result.told
        environment = {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        result = run_module("vm_power", arguments(lab, port), "--check", env=environment)
        assert result.kind == "tls", result.told
