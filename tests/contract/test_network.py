"""Broken servers and network paths."""

from __future__ import annotations

import contextlib
import http.server
import select
import socket
import socketserver
import subprocess
import threading
import time

import pytest

from modules import MODULES, example, run_module

every_module = pytest.mark.parametrize("name", MODULES)

NOBODY = {
    "hostname": "127.0.0.1",
    "username": "someone",
    "password": "not-told",
    "name": "inner",
    "state": "powered_on",
}


@contextlib.contextmanager
def serve(server):
    """Runs a socketserver in a thread. Yields its port."""
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class Answer(http.server.BaseHTTPRequestHandler):
    """Answers every request with the same status, headers and body."""

    status, headers_sent, body = 200, {}, b""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args):
        pass


def answering(status: int, body: bytes, **headers: str):
    handler = type("Fixed", (Answer,), {"status": status, "headers_sent": headers, "body": body})
    return serve(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        (200, b"<!DOCTYPE html><html><body>Welcome</body></html>", {"Content-Type": "text/html"}, ["web page"]),
        (302, b"", {"Location": "https://elsewhere.example/sdk"}, ["https://elsewhere.example, which is not followed"]),
        (503, b"no healthy upstream", {}, ["503"]),
        (404, b"", {}, ["404"]),
        (200, b"", {"Content-Type": "text/xml"}, []),
        (200, b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", {"Content-Type": "text/xml"}, []),
        (200, b"<a>" * 100_000, {"Content-Type": "text/xml"}, []),
        (200, b"\xff\xfe\x00\x01" * 1000, {"Content-Type": "text/xml"}, []),
    ],
    ids=["web page", "redirect", "503", "404", "nothing", "entities", "deep", "bytes"],
)
def test_a_server_that_is_not_vsphere(status, body, headers, words):
    with answering(status, body, **headers) as port:
        # A module retries an unavailable service.
        result = run_module("vm_power", NOBODY | {"protocol": "http", "port": port, "timeout": 2})
    assert result.kind == "connection", result.msg
    for word in [*words, "Check that `hostname` and `port` belong to a vCenter Server"]:
        assert word in result.msg


def test_plain_http_on_a_tls_port_is_named_at_once(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    began = time.monotonic()
    result = run_module("vm_power", example("vm_power", lab.facts) | {"protocol": "http", "thumbprint": None})
    assert time.monotonic() - began < 1.5
    assert result.kind == "connection" and "may be a TLS port" in result.msg
    assert "Remove `protocol: http`" in result.json["error"]["hint"]


def test_a_proxy_that_wants_a_login():
    with answering(407, b"") as port:
        proxy = {"proxy_host": "127.0.0.1", "proxy_port": port}
        result = run_module("vm_power", NOBODY | proxy | {"protocol": "http", "port": 80})
    assert result.kind == "connection" and "the proxy requires authentication" in result.msg
    assert "a proxy that needs no login" in result.json["error"]["hint"]


def test_a_redirect_to_https_of_the_same_host_names_the_arguments_for_it():
    location = "https://root:S3CRET@127.0.0.1/sdk?ticket=S3CRET"
    with answering(301, b"", Location=location) as port:
        result = run_module("vm_power", NOBODY | {"protocol": "http", "port": port})
    assert result.kind == "connection" and "redirects to https://127.0.0.1, which is not followed" in result.msg
    assert "`protocol: https` and `port: 443`" in result.json["error"]["hint"]
    assert "S3CRET" not in result.stdout.decode() + result.stderr.decode()


def test_a_server_that_accepts_the_connection_and_stays_silent():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        result = run_module("vm_power", NOBODY | {"port": silent.getsockname()[1]})
    assert result.kind == "connection" and "no answer within" in result.msg


class Proxy(socketserver.BaseRequestHandler):
    """An HTTP proxy that opens tunnels and forwards complete requests, one per connection."""

    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(65536)
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self.server.seen.append((method, target))
        if method == "CONNECT":
            host, port = target.rsplit(":", 1)
        else:
            host, port = target.removeprefix("http://").split("/", 1)[0].rsplit(":", 1)
        with socket.create_connection((self.server.known.get(host, host), int(port))) as upstream:
            if method == "CONNECT":
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(head)
            pair = [self.request, upstream]
            while True:
                for ready in select.select(pair, [], [], 30)[0]:
                    data = ready.recv(65536)
                    if not data:
                        return
                    pair[1 - pair.index(ready)].sendall(data)


@every_module
@pytest.mark.parametrize("http", [False, True], ids=["https", "http"])
def test_a_proxy_is_used_for_everything_and_resolves_the_name(name, http, simulator):
    lab = simulator(personality="6.7", scenario="healthy", http=http)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy)
    server.daemon_threads = True
    server.seen, server.known = [], {"vcenter.invalid": "127.0.0.1"}
    with serve(server) as port:
        args = example(name, lab.facts) | {
            "hostname": "vcenter.invalid",
            "proxy_host": "127.0.0.1",
            "proxy_port": port,
        }
        result = run_module(name, args, "--check")
        assert result.did, result.msg
        assert server.seen and all("vcenter.invalid" in target for _, target in server.seen)
        assert {method for method, _ in server.seen} == ({"POST"} if http else {"CONNECT"})


def test_proxy_variables_of_the_environment_are_ignored(healthy):
    nowhere = "http://127.0.0.1:9"
    env = {"http_proxy": nowhere, "https_proxy": nowhere, "HTTPS_PROXY": nowhere, "ALL_PROXY": nowhere}
    assert run_module("vm_power", example("vm_power", healthy.facts), "--check", env=env).changed


def test_a_missing_proxy_is_named_in_the_error(healthy):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    args = example("vm_power", healthy.facts) | {"proxy_host": "127.0.0.1", "proxy_port": port}
    result = run_module("vm_power", args)
    assert result.kind == "connection" and f"cannot connect to the proxy 127.0.0.1:{port}: " in result.msg
    assert "`proxy_host`" in result.json["error"]["hint"]


def test_a_server_with_only_old_tls_is_recognised(tmp_path):
    """ESXi before 5.5 is such a server."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, "-subj", "/CN=old"],
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", cert, "-key", key, "-quiet"]
        + ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(500):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.01)
        result = run_module("vm_power", NOBODY | {"port": port})
    finally:
        server.kill()
        server.communicate()
    assert result.kind == "tls"
    assert "TLS 1.2" in result.told or "TLS 1.1" in result.told, result.told
