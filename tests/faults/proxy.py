"""A proxy between a module and a simulator without TLS. It counts the requests and lets a fault handle some of them."""

from __future__ import annotations

import http.client
import random
import re
import select
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Request:
    """One request from the module."""

    n: int
    method: str
    path: str
    verb: str
    headers: dict[str, str]
    body: bytes

    @property
    def is_poll(self) -> bool:
        """True if the request reads a task."""
        return self.method.startswith("RetrieveProp") and b'type="Task"' in self.body


@dataclass
class Reply:
    """The simulator's response. Its header fields exclude those about the length."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def head(self, *more: str, status: int | None = None, length: int | None = None) -> bytes:
        """Returns the header lines, without Content-Length if `length` is negative."""
        length = len(self.body) if length is None else length
        lines = [f"HTTP/1.1 {status or self.status} Whatever"]
        lines += [f"{name}: {value}" for name, value in self.fields]
        lines += [f"Content-Length: {length}"] if length >= 0 else []
        return "\r\n".join([*lines, *more, "", ""]).encode()

    @property
    def raw(self) -> bytes:
        return self.head() + self.body


@dataclass
class Run:
    """One run of a module through the proxy: what to damage, and what happened."""

    port: int
    # Decides for each request whether the fault handles it.
    hits: Callable[[Request], bool] = lambda _request: False
    fault: Callable[[Exchange], None] | None = None
    # Makes the simulator forget all sessions.
    expire: Callable[[], None] = lambda: None
    rng: random.Random = field(default_factory=random.Random)
    requests: list[Request] = field(default_factory=list)
    damaged: list[Request] = field(default_factory=list)
    # Session cookies that the simulator sent but the module never received.
    lost_cookies: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Exchange:
    """One request, with the means to answer it properly or badly."""

    def __init__(self, run: Run, request: Request, client: socket.socket, upstream: http.client.HTTPConnection):
        self.run, self.request, self.rng = run, request, run.rng
        self._client, self._upstream = client, upstream
        self.open = True

    def forward(self) -> Reply:
        """Forwards the request to the simulator."""
        request = self.request
        self._upstream.request(request.verb, request.path, request.body, request.headers)
        answer = self._upstream.getresponse()
        dropped = ("content-length", "transfer-encoding", "connection")
        fields = [(name, value) for name, value in answer.getheaders() if name.lower() not in dropped]
        reply = Reply(answer.status, fields, answer.read())
        if any(name.lower() == "set-cookie" for name, _ in fields):
            with self.run.lock:
                self.run.lost_cookies += 1
        return reply

    def send(self, data: bytes) -> None:
        """Sends bytes to the module, which may have disconnected."""
        try:
            self._client.sendall(data)
        except OSError:
            self.open = False
            return
        head = data.partition(b"\r\n\r\n")
        if head[1] and b"set-cookie:" in head[0].lower():
            with self.run.lock:
                self.run.lost_cookies -= 1

    def close(self) -> None:
        """Closes the connection normally."""
        self.open = False

    def reset(self) -> None:
        """Closes the connection with a RST."""
        self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open = False

    def stall(self, seconds: float = 60) -> None:
        """Sends nothing until the module disconnects."""
        if select.select([self._client], [], [], seconds)[0]:
            self.open = False


class Proxy:
    """Listens on its own port as long as the process lives. `start` begins a run."""

    def __init__(self):
        self._run = Run(0)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def start(self, run: Run) -> Run:
        """Assigns all later connections to this run."""
        self._run = run
        return run

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(client, self._run), daemon=True).start()

    def _serve(self, client: socket.socket, run: Run) -> None:
        upstream = http.client.HTTPConnection("127.0.0.1", run.port, timeout=60)
        reader = client.makefile("rb")
        try:
            while request := receive(reader, run):
                exchange = Exchange(run, request, client, upstream)
                if run.fault and run.hits(request):
                    run.damaged.append(request)
                    run.fault(exchange)
                else:
                    exchange.send(exchange.forward().raw)
                if not exchange.open:
                    return
        except (OSError, http.client.HTTPException):
            # The module or the simulator disconnected. The module sees a closed connection.
            pass
        finally:
            reader.close()
            client.close()
            upstream.close()


def receive(reader, run: Run) -> Request | None:
    """Reads the next request, or None if the module closed the connection."""
    first = reader.readline().split()
    if len(first) != 3:
        return None
    headers = {}
    while (line := reader.readline().strip()) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", 0)))
    called = re.search(rb"<(\w+) xmlns=\"urn:vim25\"", body)
    method = called[1].decode() if called else first[0].decode()
    with run.lock:
        request = Request(len(run.requests) + 1, method, first[1].decode(), first[0].decode(), headers, body)
        run.requests.append(request)
    return request
