"""Drives headless Chromium over pipes with the Chrome DevTools protocol, to test a page in a real browser."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
from pathlib import Path

# Flags that turn off the browser's own background work, so that all remaining activity is the page's.
QUIET = [
    "--headless=new",
    # Chromium's sandbox does not start for root, and the page is our own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]

# Seconds to wait for the browser before it counts as hung.
GIVE_UP = 120

# JavaScript: the names of all elements, in document order.
TAGS = "[...document.querySelectorAll('*')].map(element => element.localName)"

# JavaScript: every visible text with its contrast ratio to the background (WCAG 2).
CONTRASTS = """(() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = colour => {
    const [r, g, b] = numbers(colour).map(part => part / 255).map(
      part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (numbers(colour)[3] !== 0) return colour;
    }
    throw new Error('the text has no background');
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    found.push([texts.currentNode.data.trim(), ratio]);
  }
  return found;
})()"""


def chromium() -> str:
    """Returns the path of the browser. The environment variable CHROMIUM overrides it."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert found, "no browser found: run tests/env/system browser"
    return found


class Page:
    """One page in its own browser process. Records its requests, console messages and dialogs."""

    def __init__(self, file: Path, profile: Path):
        self._file = file
        self._profile = profile
        self._number = 0
        self._rest = b""
        self._session: str | None = None
        self.events: list[dict] = []

    def __enter__(self) -> Page:
        to_browser, self._to = os.pipe()
        self._from, from_browser = os.pipe()
        # The browser speaks the protocol on file descriptors 3 and 4.
        command = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        self._browser = subprocess.Popen(
            ["bash", "-c", command, "bash", str(to_browser), str(from_browser), chromium(), *QUIET]
            + [f"--user-data-dir={self._profile}", "about:blank"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        try:
            self._open()
        except BaseException:
            self._end()
            raise
        return self

    def _open(self) -> None:
        targets = self.call("Target.getTargets")["targetInfos"]
        (blank,) = [target["targetId"] for target in targets if target["type"] == "page"]
        self._session = self.call("Target.attachToTarget", targetId=blank, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=self._file.as_uri())
        while "Page.loadEventFired" not in self.names():
            self._hear()

    def __exit__(self, *_) -> None:
        # Waiting for this answer collects all events that came before it.
        self.call("Runtime.evaluate", expression="0")
        self._end()

    def _end(self) -> None:
        # The browser ends when its pipe is closed.
        os.close(self._to)
        self._browser.wait(timeout=GIVE_UP)
        os.close(self._from)

    def _hear(self) -> dict:
        """Returns the next message. Messages that answer nothing are kept as events."""
        while b"\0" not in self._rest:
            assert select.select([self._from], [], [], GIVE_UP)[0], "the browser did not answer in time"
            part = os.read(self._from, 1 << 16)
            assert part, f"the browser ended with status {self._browser.wait(timeout=GIVE_UP)}"
            self._rest += part
        text, self._rest = self._rest.split(b"\0", 1)
        message = json.loads(text)
        if "id" not in message:
            self.events.append(message)
            if message["method"] == "Page.javascriptDialogOpening":
                # A dialog blocks the page until it is closed, and the test would hang.
                self._say("Page.handleJavaScriptDialog", {"accept": True})
        return message

    def _say(self, method: str, params: dict) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._number

    def call(self, method: str, **params) -> dict:
        """Sends one command and returns its result."""
        number = self._say(method, params)
        while (message := self._hear()).get("id") != number:
            pass
        assert "error" not in message, (method, message["error"])
        return message["result"]

    def names(self) -> list[str]:
        """Returns the names of all events so far."""
        return [event["method"] for event in self.events]

    def requests(self) -> list[str]:
        """Returns the URLs that the page requested, including its own."""
        asked = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in asked]

    def complaints(self) -> list[dict]:
        """Returns the browser's messages about the page, such as scripts that its policy forbids, and its dialogs."""
        complaining = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening"}
        return [event for event in self.events if event["method"] in complaining]

    def ask(self, expression: str):
        """Returns the value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]

    def texts(self, selector: str) -> list[str]:
        """Returns the visible texts of the matching elements, with single spaces."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})].map(element => element.innerText)"
        return [" ".join(text.split()) for text in self.ask(found)]

    def show(self, width: int, scheme: str) -> None:
        """Sets the width of the window, and the colour scheme to `light` or `dark`."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self, file: Path) -> None:
        """Saves a picture of the whole page."""
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(picture["data"]))
