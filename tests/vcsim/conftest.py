"""Starts vcsim, the simulator of the govmomi project. Its authors did not write the clients that are tested here."""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from modules import ROOT, environment

TOOLS = ROOT / "target" / "env" / "govmomi" / "bin"
USERNAME, PASSWORD = "someone", "pass<&>\"'word"


@dataclass
class Vcsim:
    """A running vcsim with one datacenter, a cluster of three hosts, a standalone host, and two VMs on each."""

    port: int
    tls: bool
    thumbprint: str
    certificate: Path

    @property
    def connection(self) -> dict:
        """The connection arguments for it."""
        args = {"hostname": "127.0.0.1", "port": self.port, "username": USERNAME, "password": PASSWORD}
        return args | ({"thumbprint": self.thumbprint} if self.tls else {"protocol": "http"})

    @property
    def environment(self) -> dict[str, str]:
        """The variables that govc connects to it with."""
        return {
            "GOVC_URL": f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/sdk",
            "GOVC_USERNAME": USERNAME,
            "GOVC_PASSWORD": PASSWORD,
            "GOVC_INSECURE": "true",
            "GOVC_PERSIST_SESSION": "false",
        }

    def govc(self, command: str, *words: str):
        """Runs govc, the command line of the same project, and returns what it shows."""
        told = subprocess.run(
            [os.environ.get("GOVC", TOOLS / "govc"), command, "-json", *words],
            env=environment(self.environment),
            capture_output=True,
            check=True,
            timeout=60,
        )
        return json.loads(told.stdout)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> tuple[Path, Path, str]:
    """A server certificate, its key and its thumbprint. vcsim's own certificate is one for authorities, not for servers."""
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=vcsim"]
        + ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"],
        check=True,
        capture_output=True,
    )
    told = subprocess.run(
        ["openssl", "x509", "-in", cert, "-noout", "-fingerprint", "-sha256"],
        check=True,
        capture_output=True,
        text=True,
    )
    return cert, key, told.stdout.strip().split("=", 1)[1]


@pytest.fixture(params=[True, False], ids=["https", "http"])
def vcsim(request, certificate):
    """A separate vcsim for each test, with TLS and without."""
    cert, key, thumbprint = certificate
    command = [
        os.environ.get("VCSIM", TOOLS / "vcsim"),
        "-l",
        "127.0.0.1:0",
        "-username",
        USERNAME,
        "-password",
        PASSWORD,
    ]
    command += ["-tlscert", cert, "-tlskey", key] if request.param else ["-tls=false"]
    server = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        told = server.stdout.readline()
        port = int(re.search(r"@127\.0\.0\.1:(\d+)/sdk", told).group(1))
        yield Vcsim(port, request.param, thumbprint, cert)
    finally:
        server.terminate()
        server.wait(timeout=10)
        server.stdout.close()
