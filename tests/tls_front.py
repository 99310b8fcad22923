"""Puts TLS in front of a simulator's plain HTTP, with the version, certificate and key that a test needs."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def tls_front(context: ssl.SSLContext, upstream: int) -> Iterator[int]:
    """Serves TLS with `context` and forwards everything to the port `upstream`. Yields its own port."""

    def relay(client: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(client, server_side=True) as inner:
            with socket.create_connection(("127.0.0.1", upstream)) as outer:
                threading.Thread(target=pump, args=(outer, inner), daemon=True).start()
                pump(inner, outer)

    def serve(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=relay, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
