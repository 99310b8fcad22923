"""The faults: what happens to one request of a run, or to several."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from xml.sax.saxutils import escape

from faults.proxy import Exchange, Reply, Request

HTML = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>This is a portal.</body></html>"
XML = [("Content-Type", "text/xml; charset=utf-8")]
ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<soapenv:Body>{}</soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True)
class Fault:
    """One kind of fault."""

    handle: Callable[[Exchange], None]
    # The number of requests to hit, beginning with the chosen one. None means all of them.
    times: int | None = 1
    # True if it hits only requests that read a task.
    polls: bool = False
    # True if it spares Logout, so that an open session is the module's fault.
    spares_logout: bool = False
    # True if a run must succeed in spite of the fault.
    harmless: bool = False
    # True if a run may use its whole timeout.
    slow: bool = False

    def hits(self, first: int) -> Callable[[Request], bool]:
        """Decides for each request of a run whether the fault hits it. `first` is the number of the first request to hit."""
        left = [self.times]

        def hit(request: Request) -> bool:
            if request.n < first or (self.polls and not request.is_poll) or left[0] == 0:
                return False
            if self.spares_logout and request.method == "Logout":
                return False
            if left[0] is not None:
                left[0] -= 1
            return True

        return hit


def cut(data: bytes, rng: random.Random) -> bytes:
    """Returns the beginning of the data, without at least its last byte."""
    return data[: rng.randrange(len(data))] if data else data


def reset_unseen(x: Exchange) -> None:
    x.reset()


def reset_before(x: Exchange) -> None:
    x.forward()
    x.reset()


def reset_in_head(x: Exchange) -> None:
    x.send(cut(x.forward().head(), x.rng))
    x.reset()


def reset_during(x: Exchange) -> None:
    reply = x.forward()
    x.send(reply.head() + cut(reply.body, x.rng))
    # Gives the module time to read the data before the reset arrives.
    time.sleep(0.02)
    x.reset()


def reset_after(x: Exchange) -> None:
    x.send(x.forward().raw)
    time.sleep(0.02)
    x.reset()


def close_before(x: Exchange) -> None:
    x.forward()
    x.close()


def close_during(x: Exchange) -> None:
    reply = x.forward()
    x.send(reply.head() + cut(reply.body, x.rng))
    x.close()


def close_after(x: Exchange) -> None:
    x.send(x.forward().raw)
    x.close()


def close_announced(x: Exchange) -> None:
    reply = x.forward()
    x.send(reply.head("Connection: close") + reply.body)
    x.close()


def stall_unseen(x: Exchange) -> None:
    x.stall()


def stall_before(x: Exchange) -> None:
    x.forward()
    x.stall()


def stall_during(x: Exchange) -> None:
    reply = x.forward()
    x.send(reply.head() + cut(reply.body, x.rng))
    x.stall()


def empty(x: Exchange) -> None:
    reply = x.forward()
    x.send(reply.head(length=0))


def truncated(x: Exchange) -> None:
    reply = x.forward()
    x.send(Reply(reply.status, reply.fields, cut(reply.body, x.rng)).raw)


def garbage(x: Exchange) -> None:
    reply = x.forward()
    x.send(Reply(reply.status, reply.fields, x.rng.randbytes(400)).raw)


def not_http(x: Exchange) -> None:
    x.forward()
    x.send(x.rng.randbytes(200))
    x.close()


def html(x: Exchange) -> None:
    reply = x.forward()
    fields = [(name, value) for name, value in reply.fields if name.lower() != "content-type"]
    x.send(Reply(200, [*fields, ("Content-Type", "text/html")], HTML).raw)


def other_method(x: Exchange) -> None:
    reply = x.forward()
    body = ENVELOPE.format(
        '<CurrentTimeResponse xmlns="urn:vim25"><returnval>2026-01-01T00:00:00Z</returnval></CurrentTimeResponse>'
    )
    x.send(Reply(200, reply.fields, body.encode()).raw)


def one_byte_at_a_time(x: Exchange) -> None:
    raw = x.forward().raw
    for place in range(min(len(raw), 3000)):
        x.send(raw[place : place + 1])
    x.send(raw[3000:])


def doubled(x: Exchange) -> None:
    x.send(x.forward().raw * 2)


def chunked(x: Exchange) -> None:
    reply = x.forward()
    pieces = [reply.body[place : place + 97] for place in range(0, len(reply.body), 97)]
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    x.send(reply.head("Transfer-Encoding: chunked", length=-1) + body)


def without_length(x: Exchange) -> None:
    reply = x.forward()
    x.send(reply.head("Connection: close", length=-1) + reply.body)
    x.close()


def status(code: int, seen: bool) -> Callable[[Exchange], None]:
    """Answers with this status like a gateway, after the simulator handled the request (`seen`) or without it."""

    def handle(x: Exchange) -> None:
        if seen:
            x.forward()
        x.send(Reply(code, [("Content-Type", "text/html")], HTML).raw)

    return handle


def soap(kind: str, fields: str = "") -> Callable[[Exchange], None]:
    """Answers with a SOAP fault instead of calling the simulator: a server that rejects a call does nothing."""

    def handle(x: Exchange) -> None:
        detail = fields.format(this=target(x.request))
        body = ENVELOPE.format(
            "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>A fault of the test.</faultstring>"
            f'<detail><{kind}Fault xmlns="urn:vim25" xsi:type="{kind}">{detail}</{kind}Fault></detail></soapenv:Fault>'
        )
        x.send(Reply(500, XML, body.encode()).raw)

    return handle


def target(request: Request) -> str:
    """Returns the object for ManagedObjectNotFound: the task of a poll, or else the object of the call."""
    marker = b'type="Task">' if request.is_poll else b">"
    start = request.body.find(b"<_this") if not request.is_poll else 0
    text = request.body[max(start, 0) :].partition(marker)[2].partition(b"<")[0]
    return escape(text.decode())


def not_authenticated(x: Exchange) -> None:
    """Makes the server forget the session and report that."""
    if "cookie" in x.request.headers:
        x.run.expire()
        x.send(x.forward().raw)
    else:
        soap("NotAuthenticated")(x)


def fault_without_detail(x: Exchange) -> None:
    body = ENVELOPE.format(
        "<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>No.</faultstring></soapenv:Fault>"
    )
    x.send(Reply(500, XML, body.encode()).raw)


GONE = soap("ManagedObjectNotFound", '<obj type="ManagedObject">{this}</obj>')
NO_PERMISSION = soap(
    "NoPermission", '<object type="Folder">group-d1</object><privilegeId>System.View</privilegeId>'
)
SYSTEM_ERROR = soap("SystemError", "<reason>The test says so.</reason>")
HOST_COMMUNICATION = soap("HostCommunication")

FAULTS = {
    "reset-unseen": Fault(reset_unseen),
    "reset-before": Fault(reset_before),
    "reset-in-head": Fault(reset_in_head),
    "reset-during": Fault(reset_during),
    "reset-after": Fault(reset_after),
    "close-before": Fault(close_before),
    "close-during": Fault(close_during),
    "close-after": Fault(close_after),
    "close-announced": Fault(close_announced, harmless=True),
    "stall-unseen": Fault(stall_unseen, slow=True),
    "stall-before": Fault(stall_before, slow=True),
    "stall-during": Fault(stall_during, slow=True),
    "empty": Fault(empty),
    "truncated": Fault(truncated),
    "garbage": Fault(garbage),
    "not-http": Fault(not_http),
    "html": Fault(html),
    "other-method": Fault(other_method),
    "one-byte-at-a-time": Fault(one_byte_at_a_time, harmless=True),
    "doubled": Fault(doubled),
    "chunked": Fault(chunked, harmless=True),
    "without-length": Fault(without_length, harmless=True),
    "500": Fault(status(500, seen=True)),
    "500-unseen": Fault(status(500, seen=False)),
    "503": Fault(status(503, seen=True)),
    "503-unseen": Fault(status(503, seen=False)),
    "502": Fault(status(502, seen=True)),
    "404": Fault(status(404, seen=False)),
    "unknown-fault": Fault(soap("NeverHeardOf", "<why>nobody knows</why>")),
    "fault-without-detail": Fault(fault_without_detail),
    "NotAuthenticated": Fault(not_authenticated),
    "SystemError": Fault(SYSTEM_ERROR),
    "HostCommunication": Fault(HOST_COMMUNICATION),
    "NoPermission": Fault(NO_PERMISSION),
    "ManagedObjectNotFound": Fault(GONE),
    "TaskInProgress": Fault(soap("TaskInProgress", '<task type="Task">task-1</task>')),
    # These faults hit every request from the chosen one on.
    "reset-thrice": Fault(reset_unseen, times=3),
    "503-thrice": Fault(status(503, seen=False), times=3),
    "reset-for-good": Fault(reset_before, times=None, slow=True),
    "reset-but-logout": Fault(reset_before, times=None, spares_logout=True, slow=True),
    "503-for-good": Fault(status(503, seen=True), times=None, slow=True),
    "SystemError-but-logout": Fault(SYSTEM_ERROR, times=None, spares_logout=True, slow=True),
    # These faults hit every poll of a task from the chosen one on.
    "polls-SystemError": Fault(SYSTEM_ERROR, times=None, polls=True, slow=True),
    "polls-HostCommunication": Fault(HOST_COMMUNICATION, times=None, polls=True, slow=True),
    "polls-NoPermission": Fault(NO_PERMISSION, times=None, polls=True, slow=True),
    "polls-ManagedObjectNotFound": Fault(GONE, times=None, polls=True, slow=True),
    "polls-reset": Fault(reset_before, times=None, polls=True, slow=True),
    "polls-thrice-SystemError": Fault(SYSTEM_ERROR, times=3, polls=True),
    "polls-thrice-ManagedObjectNotFound": Fault(GONE, times=3, polls=True),
}
