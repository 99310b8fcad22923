"""Controls the simulator for tests: starts it, reads its facts and its log, and injects faults.

For example:

    with lab.Simulator(personality="5.0", scenario="article") as simulator:
        simulator.facts["hostname"], simulator.facts["port"]
        simulator.inject(method="UpdateOptions", fault="NotAuthenticated")
        assert simulator.sessions()["live"] == 0
"""

import json
import os
import pathlib
import ssl
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent


def binary():
    """Returns the path of the simulator: the environment variable SIMULATOR, or the latest build."""
    if os.environ.get("SIMULATOR"):
        return os.environ["SIMULATOR"]
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    profiles = [os.environ["PROFILE"]] if "PROFILE" in os.environ else ["release", "debug"]
    built = [target / profile / "simulator" for profile in profiles]
    built = [path for path in built if path.exists()]
    if not built:
        raise FileNotFoundError(f"no simulator under {target}: cargo build -p simulator")
    return str(max(built, key=lambda path: path.stat().st_mtime))


def control(facts, method, path, body=None):
    """Sends one request to the control interface of the simulator with these facts. Returns the text of the response."""
    request = urllib.request.Request(
        facts["control"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
    )
    context = None
    if facts["protocol"] == "https":
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        urllib.request.HTTPSHandler(context=context),
    )
    with opener.open(request, timeout=10) as answer:
        return answer.read().decode()


class Simulator:
    """A running simulator. Keyword arguments are its command line flags: task_ms=5 is --task-ms 5."""

    def __init__(self, personality="5.0", scenario="article", http=False, password=None, **flags):
        self._arguments = [binary(), "--personality", personality, "--scenario", scenario]
        if http:
            self._arguments.append("--http")
        self._environment = dict(os.environ)
        if password is not None:
            self._environment["SIM_PASSWORD"] = password
            self._arguments += ["--password-env", "SIM_PASSWORD"]
        for name, value in flags.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                self._arguments.append(flag)
            elif value is not False and value is not None:
                self._arguments += [flag, str(value)]
        self._process = None
        self.facts = {}

    def start(self):
        """Starts the simulator and waits for the line with its facts."""
        self._process = subprocess.Popen(
            [*self._arguments, "--until-stdin-closes"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
            text=True,
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulator did not start, status {self._process.wait()}")
        self.facts = json.loads(line)
        return self

    def stop(self):
        """Stops the simulator by closing its standard input."""
        if self._process:
            self._process.stdin.close()
            self._process.stdout.close()
            self._process.wait(timeout=10)
            self._process = None

    def __enter__(self):
        return self if self._process else self.start()

    def __exit__(self, *_):
        self.stop()

    def control(self, method, path, body=None):
        """Sends one request to the control interface. Returns the text of the response."""
        return control(self.facts, method, path, body)

    def log(self):
        """Returns every request since the start or the last clear_log(): n, method, object, ms, user?, fault?."""
        return [json.loads(line) for line in self.control("GET", "/log").splitlines()]

    def methods(self):
        """Returns the names of the methods called, in order."""
        return [line["method"] for line in self.log()]

    def clear_log(self):
        """Clears the request log."""
        self.control("DELETE", "/log")

    def sessions(self):
        """Returns the counts of sessions: live, logins, logouts."""
        return json.loads(self.control("GET", "/sessions"))

    def state(self):
        """Returns the simulator's own state of the VMs, by moid."""
        return {vm["moid"]: vm for vm in json.loads(self.control("GET", "/state"))["vms"]}

    def dump(self):
        """Returns the simulator's own state of VMs, hosts and clusters, without logs and times."""
        self.settle()
        state = json.loads(self.control("GET", "/state"))
        for vm in state["vms"]:
            del vm["vmware_log"]
        return {kind: {thing["moid"]: thing for thing in state[kind]} for kind in ("vms", "hosts", "clusters")}

    def expire_sessions(self):
        """Ends every session, like a server restart."""
        self.control("DELETE", "/sessions")

    def settle(self):
        """Waits until all work that requests started has finished."""
        deadline = time.monotonic() + 30
        while json.loads(self.control("GET", "/state"))["pending"]:
            assert time.monotonic() < deadline, "the simulator did not finish its work in time"
            time.sleep(0.01)

    def inject(self, **injection):
        """Makes calls fail: method, object, fault, fields, message, after, times (default 1; 0 is always), how, early."""
        self.control("POST", "/inject", injection)

    def clear_injections(self):
        """Removes the injected faults that have not been used."""
        self.control("DELETE", "/inject")

    def post_event(self, moid, event, **fields):
        """Posts an event about an object: reason, message, ago_s."""
        self.control("POST", "/event", {"moid": moid, "event": event} | fields)

    def touch(self, vm, **changes):
        """Changes a VM without using the API: extraConfig={...}. Its changeVersion always changes."""
        self.control("POST", "/touch", {"vm": vm, **changes})

    def set(self, moid, **state):
        """Sets the state of a VM, host or cluster, such as set("vm-63", power="poweredOff", ft_state="disabled")."""
        self.control("POST", "/set", {"moid": moid, "state": state})

    def grant(self, grants=None):
        """Sets the privileges of the user by type or moid of the objects, such as {"*": ["System.View"]}. None means all."""
        self.control("DELETE" if grants is None else "POST", "/grants", grants)

    def reset(self):
        """Resets everything to the start, including sessions."""
        self.control("POST", "/reset")
