"""A server that answers one method as a test dictates, however absurd, and everything else like a vCenter Server."""

from __future__ import annotations

import contextlib
import re
import socketserver
import threading
import time
from collections.abc import Callable, Iterable, Iterator

ENVELOPE = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>{}</soapenv:Body></soapenv:Envelope>'
)
CONTENT = """<returnval><rootFolder type="Folder">group-d1</rootFolder>
<propertyCollector type="PropertyCollector">pc</propertyCollector><searchIndex type="SearchIndex">si</searchIndex>
<about><fullName>VMware vCenter Server 6.7</fullName><version>6.7</version><build>1</build><productLineId>vpx</productLineId>
<apiType>VirtualCenter</apiType><apiVersion>6.7</apiVersion></about>
<sessionManager type="SessionManager">sm</sessionManager></returnval>"""
ANSWERS = {"RetrieveServiceContent": CONTENT, "Login": "<returnval><key>k</key></returnval>", "Logout": ""}


def http(body: str | bytes, status: str = "200 OK") -> bytes:
    """Returns a complete HTTP response."""
    body = body.encode() if isinstance(body, str) else body
    return f"HTTP/1.1 {status}\r\nSet-Cookie: vmware_soap_session=1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def soap(method: str, inner: str) -> bytes:
    """Returns a complete response to a call of `method`."""
    return http(ENVELOPE.format(f'<{method}Response xmlns="urn:vim25">{inner}</{method}Response>'))


def fault(inner: str) -> bytes:
    """Returns a complete response with a SOAP fault."""
    return http(ENVELOPE.format(f"<soapenv:Fault>{inner}</soapenv:Fault>"), "500 Internal Server Error")


@contextlib.contextmanager
def serve(
    answer: Callable[[str, int], bytes | Iterable[bytes]], delay: float = 0
) -> Iterator[tuple[dict, list[str]]]:
    """Runs the server. Yields the connection arguments and the list of methods called.

    `answer` gets the method and the number of calls before it, except for login, logout and similar methods. It returns the
    whole response or yields pieces of it. Every response takes `delay` seconds.
    """
    methods: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            with contextlib.suppress(ConnectionError):
                while line := self.rfile.readline():
                    length = 0
                    while (line := self.rfile.readline().strip().lower()) != b"":
                        if line.startswith(b"content-length:"):
                            length = int(line.split(b":")[1])
                    method = re.search(rb"<soapenv:Body><(\w+)", self.rfile.read(length))[1].decode()
                    time.sleep(delay)
                    # Before the answer, which may take longer than the client waits.
                    before = len(methods)
                    methods.append(method)
                    if method in ANSWERS:
                        pieces = soap(method, ANSWERS[method])
                    else:
                        pieces = answer(method, before)
                    for piece in [pieces] if isinstance(pieces, bytes) else pieces:
                        self.wfile.write(piece)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            place = {"hostname": "127.0.0.1", "port": server.server_address[1], "protocol": "http"}
            yield place | {"username": "root", "password": "S3cret-word"}, methods
        finally:
            server.shutdown()
            thread.join()
