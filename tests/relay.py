"""Relays between a client and a simulator: one for plain HTTP requests, one for raw bytes."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass
class Request:
    """One recorded request."""

    action: str
    body: bytes


@contextlib.contextmanager
def relay(
    port: int,
    before: Callable[[bytes], None] = lambda _: None,
    rewrite: Callable[[bytes], bytes] = lambda text: text,
) -> Iterator[tuple[int, list[Request]]]:
    """Forwards requests to the simulator at `port`. Calls `before` with each request and `rewrite` with each reply.

    Yields its own port and the recorded requests.
    """
    requests: list[Request] = []

    class Relay(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            requests.append(Request(self.headers["SOAPAction"], body))
            before(body)
            upstream = http.client.HTTPConnection("127.0.0.1", port)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            upstream.request("POST", self.path, body, kept)
            answer = upstream.getresponse()
            text = rewrite(answer.read())
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            upstream.close()

        def log_message(self, *_args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Relay) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1], requests
        finally:
            server.shutdown()
            thread.join()


def late(source: socket.socket, latency: float) -> Iterator[bytes]:
    """Yields the pieces that arrive, each `latency` seconds after its arrival. A wait does not delay later pieces."""
    pieces: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def read() -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                pieces.put((time.monotonic() + latency, data))
        pieces.put((0, b""))

    threading.Thread(target=read, daemon=True).start()
    while True:
        due, data = pieces.get()
        if not data:
            return
        time.sleep(max(due - time.monotonic(), 0))
        yield data


@contextlib.contextmanager
def wire(port: int, change: Callable[[bytes], bytes] = lambda data: data, latency: float = 0) -> Iterator[int]:
    """Forwards bytes to `port` unchanged, and bytes from `port` through `change`. Disconnects if `change` shortens them.

    A round trip takes `latency` seconds more, and so does opening a connection. Yields its own port.
    """

    def pump(pieces: Iterator[bytes], sink: socket.socket, change: Callable[[bytes], bytes]) -> None:
        with contextlib.suppress(OSError):
            for data in pieces:
                changed = change(data)
                sink.sendall(changed)
                if len(changed) < len(data):
                    break
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    def connect(client: socket.socket) -> None:
        time.sleep(latency)
        server = socket.create_connection(("127.0.0.1", port))
        for end in (client, server):
            # A piece must not wait until the other end confirms the piece before.
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=pump, args=(late(client, 0), server, lambda data: data), daemon=True).start()
        pump(late(server, latency), client, change)

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=connect, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
