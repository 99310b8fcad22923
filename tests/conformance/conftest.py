"""Other projects' clients against the simulator: pyvmomi and govc."""

import http.client
import ssl
import types
import urllib.parse

import lab
import pytest
from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import VmomiSupport, vim

REPLAY = ("replay.supported", "replay.allowFT", "replay.allowBTOnly")
STREAMS = "Migrate.VMotionStreamDisable"


@pytest.fixture
def simulator():
    """Starts simulators that end with the test: simulator(personality="8.0", scenario="off", task_ms=5)."""
    running = []

    def start(*arguments, **flags):
        flags.setdefault("task_ms", 10)
        running.append(lab.Simulator(*arguments, **flags).start())
        return running[-1]

    yield start
    for one in running:
        one.stop()


class Client:
    """A pyvmomi session with the helpers that the tests need."""

    def __init__(self, facts):
        self.si = SmartConnect(
            host=facts["hostname"],
            port=facts["port"],
            user=facts["username"],
            pwd=facts["password"],
            protocol=facts["protocol"],
            disableSslCertValidation=True,
        )
        self.content = self.si.content
        self.host, self.port = facts["hostname"], facts["port"]

    def all(self, kind):
        """Returns every object of a type."""
        view = self.content.viewManager.CreateContainerView(self.content.rootFolder, [kind], True)
        try:
            return list(view.view)
        finally:
            view.Destroy()

    def vm(self, name="inner"):
        """Returns the VM with this name that is not a secondary."""
        found = [
            vm
            for vm in self.all(vim.VirtualMachine)
            if vm.name == name and not (vm.config and vm.config.ftInfo and vm.config.ftInfo.role != 1)
        ]
        assert len(found) == 1, found
        return found[0]

    def run(self, task):
        """Waits for a task with WaitForUpdatesEx. Returns its result, or raises its fault."""
        collector = self.content.propertyCollector
        spec = vim.PropertyFilterSpec(
            objectSet=[vim.ObjectSpec(obj=task)],
            propSet=[vim.PropertySpec(type=vim.Task, pathSet=["info.state"])],
        )
        filter_ = collector.CreateFilter(spec, True)
        version = ""
        try:
            while True:
                updates = collector.WaitForUpdatesEx(version, vim.PropertyCollector.WaitOptions(maxWaitSeconds=10))
                assert updates, f"{task} does not end"
                version = updates.version
                states = [change.val for f in updates.filterSet for o in f.objectSet for change in o.changeSet]
                if states and states[-1] in ("success", "error"):
                    break
        finally:
            filter_.Destroy()
        info = task.info
        if info.state == "error":
            raise info.error
        return info.result

    def wait(self, vm, state):
        """Waits until the VM has this FT state."""
        collector = self.content.propertyCollector
        path = "runtime.faultToleranceState"
        spec = vim.PropertyFilterSpec(
            objectSet=[vim.ObjectSpec(obj=vm)],
            propSet=[vim.PropertySpec(type=vim.VirtualMachine, pathSet=[path])],
        )
        filter_ = collector.CreateFilter(spec, True)
        version, last = "", None
        try:
            while last != state:
                updates = collector.WaitForUpdatesEx(version, vim.PropertyCollector.WaitOptions(maxWaitSeconds=5))
                assert updates, f"{last}, not {state}"
                version = updates.version
                last = [change.val for f in updates.filterSet for o in f.objectSet for change in o.changeSet][-1]
        finally:
            filter_.Destroy()

    def set_extra(self, vm, **options):
        """Sets extra config. In the names, __ stands for a dot."""
        values = [vim.option.OptionValue(key=key.replace("__", "."), value=value) for key, value in options.items()]
        return self.run(vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=values)))

    def allow_replay(self, vm):
        """Sets the article's three options and makes the VM read them: powers it off and on if it is on."""
        values = [vim.option.OptionValue(key=key, value="TRUE") for key in REPLAY]
        self.run(vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=values)))
        if vm.runtime.powerState == "poweredOn":
            self.run(vm.PowerOffVM_Task())
            self.run(vm.PowerOnVM_Task())

    def options(self, index):
        """Returns the option manager of the host with this index."""
        hosts = sorted(self.all(vim.HostSystem), key=lambda host: host.name)
        return hosts[index].configManager.advancedOption

    def disable_streams(self, *indexes):
        """Sets the article's host option to 1."""
        for index in indexes:
            value = vim.option.OptionValue(key=STREAMS, value=vim_long(1))
            self.options(index).UpdateOptions([value])

    def get(self, path, dcPath="Lab", dsName="shared01", cookie=True, **headers):
        """Sends a GET below /folder. Returns status, text and headers. None omits a query argument."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        query = {"dcPath": dcPath, "dsName": dsName}
        query = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
        if cookie:
            headers["Cookie"] = self.si._stub.cookie.split(";")[0]
        https = http.client.HTTPSConnection(self.host, self.port, context=context)
        try:
            https.request("GET", f"{path}?{query}" if query else path, headers=headers)
            answer = https.getresponse()
            text = answer.read().decode()
        finally:
            https.close()
        return types.SimpleNamespace(status=answer.status, text=text, headers=answer.headers)

    def close(self):
        """Logs out."""
        Disconnect(self.si)


def vim_long(number):
    """An xsd:long of any size."""
    return VmomiSupport.vmodlTypes["long"](number)


@pytest.fixture
def connect():
    """Logs in to a simulator. The session ends with the test."""
    open_ = []

    def connect(simulator):
        open_.append(Client(simulator.facts))
        return open_[-1]

    yield connect
    for client in open_:
        client.close()
