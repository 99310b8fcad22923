"""The modules as command resources of Microsoft DSC v3, called like `dsc` calls them.

The behaviour of `dsc` is documented: it takes the operation from the manifest, runs it in the manifest's folder, validates
desired and actual states against the embedded schema, reads messages from stderr, and compares states property by property.
"""

from __future__ import annotations

import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from modules import (
    BINARIES,
    IDEMPOTENT,
    MODULES,
    ROOT,
    binary,
    connection,
    environment,
    example,
    until,
)

LEVELS = {"error", "warn", "info", "debug", "trace"}


class Failed(Exception):
    """A non-zero exit status. DSC discards stdout and shows the messages on stderr."""

    def __init__(self, status: int, messages: list[dict]):
        super().__init__(messages)
        self.status = status
        self.messages = messages
        (self.text,) = [message["error"] for message in messages if "error" in message]


class Resource:
    """A module as DSC sees it, through its manifest."""

    def __init__(self, name: str, env: dict[str, str] | None = None):
        printed = subprocess.run(
            [binary(name), "dsc", "manifest"], capture_output=True, env=environment(), timeout=30, check=True
        )
        self.manifest = json.loads(printed.stdout)
        self.schema = self.manifest["schema"]["embedded"]
        self.env = environment(env)
        self.messages: list[dict] = []

    def validate(self, state: dict) -> dict:
        validator = jsonschema.validators.validator_for(self.schema)(self.schema)
        assert [problem.message for problem in validator.iter_errors(state)] == [], state
        return state

    def invoke(self, operation: str, desired: dict, what_if: bool = False) -> dict:
        """Runs an operation and returns the state that it prints. `differ` are the properties of the second line."""
        method = self.manifest[operation]
        assert method["input"] == "stdin"
        args = [arg if isinstance(arg, str) else arg["whatIfArg"] for arg in method["args"]]
        if not what_if:
            args = [arg for arg in method["args"] if isinstance(arg, str)]
        ended = subprocess.run(
            [method["executable"], *args],
            input=json.dumps(desired).encode(),
            capture_output=True,
            cwd=BINARIES,
            env=self.env,
            timeout=60,
            check=False,
        )
        self.messages = [json.loads(line) for line in ended.stderr.splitlines()]
        for message in self.messages:
            ((level, text),) = message.items()
            assert level in LEVELS and isinstance(text, str)
        assert str(ended.returncode) in self.manifest["exitCodes"]
        password = desired.get("password")
        for secret in password.values() if isinstance(password, dict) else [password]:
            assert secret is None or secret.encode() not in ended.stdout + ended.stderr, "a secret came out"
        if ended.returncode:
            assert ended.stdout == b""
            raise Failed(ended.returncode, self.messages)
        assert ended.stdout.isascii()
        state, *differ = [json.loads(line) for line in ended.stdout.splitlines()]
        assert len(differ) == (method.get("return") == "stateAndDiff")
        self.differ = differ[0] if differ else None
        return self.validate(state)

    def get(self, desired: dict) -> dict:
        self.validate(desired)
        state = self.invoke("get", desired)
        assert "_inDesiredState" not in state
        return state

    def test(self, desired: dict) -> tuple[bool, list[str]]:
        """Returns whether the state is as desired, and the properties that differ."""
        self.validate(desired)
        state = self.invoke("test", desired)
        assert bool(self.differ) is not state["_inDesiredState"], (desired, state)
        # A default that counts is not in the desired state, and the module's list needs no exception for secrets.
        assert set(self.differ) <= set(differing(desired, state)) | {"state"}, (desired, state)
        return state["_inDesiredState"], self.differ

    def set(self, desired: dict, what_if: bool = False) -> list[str]:
        """Returns the properties that changed, or would change."""
        assert self.manifest["set"]["implementsPretest"] and self.manifest["set"]["return"] == "stateAndDiff"
        self.validate(desired)
        before = self.invoke("get", desired)
        after = self.invoke("set", desired, what_if)
        assert self.differ == sorted(differing(after, before))
        return self.differ


def differing(expected: dict, actual: dict) -> list[str]:
    """Returns the properties of `expected` that differ in `actual`. `_exist` is true by default."""
    differ = []
    for name, value in ({"_exist": True} | expected).items():
        other = actual.get(name, True if name == "_exist" else None)
        if isinstance(value, dict):
            same = "secureString" in value or not differing(value, other if isinstance(other, dict) else {})
        elif isinstance(value, list):
            same = isinstance(other, list) and len(value) == len(other) and all(item in other for item in value)
        else:
            same = (name in actual or name == "_exist") and value == other
        if not same:
            differ.append(name)
    return differ


def desired(name: str, facts: dict) -> dict:
    """Returns the desired state of `modules.example` as DSC passes it: the schema's types, the secret as a secure string."""
    args = example(name, facts)
    if name == "host_option":
        # Exists in every personality.
        args["options"] = {"Migrate.NetTimeout": 45}
    return args | {"password": {"secureString": args["password"]}}


@pytest.mark.parametrize("personality", ["5.0", "6.7", "8.0"])
@pytest.mark.parametrize("name", IDEMPOTENT)
def test_a_state_is_got_tested_predicted_and_set(name, personality, simulator):
    lab = simulator(personality=personality, scenario="healthy")
    resource, want = Resource(name), desired(name, lab.facts)
    if (name, personality) == ("fault_tolerance", "5.0"):
        # In a nested lab, record/replay Fault Tolerance needs these options, and a virtual machine that is off.
        replay = {f"replay.{name}": "TRUE" for name in ("supported", "allowFT", "allowBTOnly")}
        lab.touch(vm=lab.facts["vm_moid"], extraConfig=replay)
        want["allow_power_cycle"] = True
    before = resource.get(want)
    told, differ = resource.test(want)
    # `dsc` compares plain text too, but not secure strings.
    assert told is False and differ

    predicted = resource.set(want, what_if=True)
    assert set(differ) <= set(predicted)
    assert resource.get(want) == before, "what-if is no if"

    assert resource.set(want) == predicted
    assert any("info" in message for message in resource.messages)
    assert resource.test(want) == (True, [])
    assert resource.set(want) == []
    assert lab.sessions()["logins"] == lab.sessions()["logouts"]


# The properties that identify the object and the values to read. All others describe the desired state.
IDENTIFYING = {"name", "esxi_hostname", "cluster_name", "device", "options", "services"}


def identified(name: str, facts: dict) -> dict:
    """Returns `desired` without the properties that describe a desired state."""
    return {key: value for key, value in desired(name, facts).items() if key in IDENTIFYING | connection(facts).keys()}


@pytest.mark.parametrize("name", IDEMPOTENT)
def test_get_needs_only_the_identity(name, healthy):
    resource, want = Resource(name), identified(name, healthy.facts)
    state = resource.get(want)
    assert "state" in state and not any("warn" in message for message in resource.messages)
    assert state | resource.get(want | {"state": state["state"]}) == state
    # The output of a get is valid input.
    assert resource.get({"password": want["password"]} | state) == state


@pytest.mark.parametrize(("state", "power"), [("powered_on", "poweredOn"), ("powered_off", "poweredOff")])
def test_the_power_state_is_reported_but_not_compared(state, power, healthy):
    resource, want = Resource("vm_power"), identified("vm_power", healthy.facts)
    resource.set(want | {"state": state})
    assert resource.get(want)["state"] == state
    assert resource.messages == []
    for operation in ("test", "set"):
        with pytest.raises(Failed, match="missing argument `state`") as failed:
            resource.invoke(operation, want)
        assert failed.value.status == 2


def test_a_guest_that_was_shut_down_is_as_desired(healthy):
    resource, want = Resource("vm_power"), identified("vm_power", healthy.facts) | {"state": "shut_down"}
    assert resource.get(want)["state"] == "powered_on"
    resource.set(want)
    assert resource.get(want)["state"] == "shut_down" and resource.invoke("test", want)["_inDesiredState"] is True


def test_an_obstacle_is_reported_only_if_a_state_is_desired(simulator):
    lab = simulator(personality="6.7", scenario="suspended")
    resource, want = Resource("vm_power"), identified("vm_power", lab.facts)
    assert "state" not in resource.get(want)
    assert resource.messages == []
    assert "state" not in resource.get(want | {"state": "powered_off"})
    assert any("discard its memory" in message.get("warn", "") for message in resource.messages)


def test_what_the_schema_cannot_express_is_a_failure(healthy):
    resource, want = Resource("vmkernel_service"), desired("vmkernel_service", healthy.facts)
    with pytest.raises(Failed, match="vmk9") as failed:
        resource.get(want | {"device": "vmk9"})
    assert failed.value.status == 1


def edges(name: str, facts: dict) -> list[dict]:
    """States that are just valid or just invalid."""
    full = identified(name, facts)
    without = [{key: value for key, value in full.items() if key != gone} for gone in full]
    plain = full.keys() - {"password"}
    nothing = [full | {key: nothing} for key in sorted(plain) for nothing in (None, "", [], {}, [""])]
    optional = ("name", "uuid", "moid", "path", "folder", "use_instance_uuid", "cluster_name", "datacenter", "portgroup")
    proxies = [{"proxy_host": None, "proxy_port": None}, {"proxy_host": "proxy"}, {"proxy_port": 8080}]
    proxies.append({"proxy_host": "proxy", "proxy_port": None})
    return [full, *without, *nothing, *(full | {key: None} for key in optional), *(full | proxy for proxy in proxies)]


@pytest.mark.parametrize("name", IDEMPOTENT)
def test_what_the_schema_accepts_is_not_rejected(name, healthy):
    env = {"VMWARE_HOST": "hostname", "VMWARE_USER": "username", "VMWARE_PASSWORD": "password", "VMWARE_PORT": "port"}
    facts = connection(healthy.facts)
    resource = Resource(name, {variable: str(facts[key]) for variable, key in env.items() if key in facts})
    validator = jsonschema.validators.validator_for(resource.schema)(resource.schema)
    valid = [state for state in edges(name, healthy.facts) if validator.is_valid(state)]
    assert len(valid) > 5
    refused = []
    for state in valid:
        try:
            resource.invoke("get", state)
        except Failed as failed:
            # The schema cannot know whether hosts must be named: that depends on the environment. Without a server, the
            # module works on the host on which it runs.
            by_environment = name == "host_option" and "set one of `esxi_hostname` or `cluster_name`" in failed.text
            if failed.status == 2 and not by_environment:
                refused.append((state, failed.text))
    assert refused == []


@pytest.mark.parametrize("name", [name for name in MODULES if name not in IDEMPOTENT])
def test_read_only_modules_are_no_resources(name):
    ended = subprocess.run(
        [binary(name), "dsc", "manifest"], capture_output=True, env=environment(), timeout=30, check=False
    )
    assert ended.returncode == 2


@pytest.mark.parametrize("name", IDEMPOTENT)
def test_the_manifest_is_current_and_its_schema_is_valid(name):
    resource = Resource(name)
    assert resource.manifest == json.loads((ROOT / "schemas" / f"{name}.dsc.resource.json").read_text())
    jsonschema.validators.validator_for(resource.schema).check_schema(resource.schema)
    assert resource.schema["additionalProperties"] is False
    assert resource.manifest["type"].startswith("Nested.Vft/")


WITH_EXISTENCE = ["fault_tolerance", "vmkernel_service", "vmx_option"]


@pytest.mark.parametrize("name", IDEMPOTENT)
def test_only_modules_with_state_absent_have_exist(name):
    manifest = Resource(name).manifest
    assert manifest["set"].get("handlesExist", False) is (name in WITH_EXISTENCE)
    assert ("_exist" in manifest["schema"]["embedded"]["properties"]) is (name in WITH_EXISTENCE)


@pytest.mark.parametrize("name", WITH_EXISTENCE)
def test_exist_is_another_name_for_a_state(name, healthy):
    resource, want = Resource(name), desired(name, healthy.facts)
    want.pop("state", None)
    there, gone = want | {"_exist": True}, want | {"_exist": False}
    assert resource.test(gone) == (True, [])
    assert resource.get(there)["_exist"] is False
    assert "_exist" in resource.set(there)
    assert resource.test(there) == (True, [])
    assert resource.test(want) == (True, [])
    told, differ = resource.test(gone)
    assert told is False and "_exist" in differ
    assert "_exist" in resource.set(gone)
    # A caller that only uses `state` gets no `_exist`, which DSC would treat as a difference.
    assert resource.test(want | {"state": "absent"}) == (True, [])

    for contradiction in ({"_exist": True, "state": "absent"}, {"_exist": False, "state": "present"}):
        with pytest.raises(Failed, match="contradict") as failed:
            resource.invoke("test", want | contradiction)
        assert failed.value.status == 2


def test_the_list_names_the_state_if_the_object_exists_in_another_one(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    lab.set(lab.facts["vm_moid"], ft_state="running")
    resource, want = Resource("fault_tolerance"), desired("fault_tolerance", lab.facts)
    assert resource.test(want | {"_exist": True, "state": "suspended"}) == (False, ["state"])
    want.pop("state", None)
    resource.set(want | {"state": "suspended"})
    assert resource.test(want) == (False, ["state"])


def test_the_list_is_never_empty_if_the_state_is_not_as_desired(healthy):
    resource, want = Resource("cluster_ha"), desired("cluster_ha", healthy.facts)
    resource.set(want)
    want.pop("state")
    assert resource.test(want) == (False, ["state"])
    options = {"das.ignoreInsufficientHbDatastore": "true"}
    for name in ("advanced_options", "advanced_settings"):
        told, differ = resource.invoke("test", want | {"state": "disabled", name: options}), resource.differ
        assert told["_inDesiredState"] is False and differ == ["advanced_options"]


def test_invalid_input_and_failures_are_reported_only_on_stderr(healthy):
    resource, want = Resource("host_option"), desired("host_option", healthy.facts)
    with pytest.raises(Failed, match="optoins") as failed:
        resource.invoke("set", want | {"optoins": {}})
    assert failed.value.status == 2
    with pytest.raises(Failed, match="nowhere") as failed:
        resource.invoke("set", want | {"esxi_hostname": ["nowhere"]})
    assert failed.value.status == 1
    with pytest.raises(Failed, match="login"):
        resource.invoke("get", want | {"password": {"secureString": "not the one"}})


def test_an_export_is_refused_in_words(healthy):
    """dsc asks a resource without an export for a get, and gives it no state."""
    resource = Resource("host_option")
    assert "export" not in resource.manifest
    ended = subprocess.run([binary("host_option"), "dsc", "get"], input=b"", capture_output=True, timeout=30, check=False)
    assert ended.returncode == 2 and "There is no export" in json.loads(ended.stderr)["error"]
    ended = subprocess.run([binary("host_option"), "dsc", "get"], input=b"[]", capture_output=True, timeout=30, check=False)
    assert ended.returncode == 2 and b"export" not in ended.stderr


def choices(schema: dict) -> list:
    return schema.get("enum") or [name for part in schema.get("anyOf", []) for name in choices(part)]


@pytest.mark.parametrize("name", IDEMPOTENT)
def test_choices_are_listed_in_the_form_that_dsc_shows(name):
    properties = Resource(name).schema["properties"]
    assert "oneOf" not in json.dumps(properties)
    arguments = json.loads((ROOT / "schemas" / f"{name}.args.json").read_text())["properties"]
    listed = {key: set(re.findall(r'"const": "(\w+)"', json.dumps(schema))) for key, schema in arguments.items()}
    for key, names in listed.items():
        items = properties[key].get("anyOf", [{}])[0].get("items", properties[key])
        assert names <= set(choices(items)) and all(f"`{one}`: " in items["description"] for one in names), key


def test_an_unreachable_state_can_be_read_but_not_tested(healthy):
    resource, want = Resource("host_option"), desired("host_option", healthy.facts)
    want["options"] = {"Migrate.NetTimeout": "soon"}
    assert resource.get(want)["options"] == {"Migrate.NetTimeout": 20}
    assert any("takes an integer" in message.get("warn", "") for message in resource.messages)
    with pytest.raises(Failed, match="takes an integer"):
        resource.test(want)


def test_if_hosts_differ_the_state_shows_one_that_is_not_as_desired(healthy):
    resource, want = Resource("host_option"), desired("host_option", healthy.facts)
    one, both = want, want | {"esxi_hostname": healthy.facts["hosts"]}
    resource.set(one)
    assert resource.get(one)["options"] == {"Migrate.NetTimeout": 45}
    assert resource.get(both)["options"] == {"Migrate.NetTimeout": 20}
    assert resource.test(both) == (False, ["options"])
    resource.set(both)
    assert resource.test(both) == (True, [])


def test_the_default_is_a_state(healthy):
    resource, want = Resource("host_option"), desired("host_option", healthy.facts)
    default = want | {"state": "default", "options": {"Migrate.NetTimeout": 20}}
    assert resource.test(default) == (True, [])
    resource.set(want)
    assert resource.test(default) == (False, ["options", "state"])
    resource.set(default)
    assert resource.test(default) == (True, [])


def test_a_suspended_machine_is_neither_on_nor_off(simulator):
    lab = simulator(personality="6.7", scenario="suspended")
    resource = Resource("vm_power")
    want = desired("vm_power", lab.facts) | {"state": "powered_on"}
    assert "state" not in resource.get(want)
    assert resource.test(want) == (False, ["state"])


def test_a_change_in_progress_is_not_the_desired_state(simulator):
    lab = simulator(personality="6.7", scenario="healthy")
    lab.set(lab.facts["vm_moid"], ft_state="running")
    lab.set(lab.facts["vm_moid"], ft_state="starting")
    resource, want = Resource("fault_tolerance"), desired("fault_tolerance", lab.facts)
    assert resource.test(want)[0] is False


def test_the_environment_completes_a_state(healthy):
    facts = connection(healthy.facts)
    env = {"VMWARE_HOST": "hostname", "VMWARE_USER": "username", "VMWARE_PASSWORD": "password"}
    resource = Resource("vm_power", {variable: facts.pop(key) for variable, key in env.items()})
    state = resource.get(facts | {"name": healthy.facts["vm"], "state": "powered_on"})
    assert state["state"] == "powered_on" and not {"hostname", "username", "password", "timeout"} & state.keys()


def test_an_interrupted_set_is_reported_and_logs_out(simulator):
    lab = simulator(personality="6.7", scenario="healthy", task_ms=60_000)
    resource = Resource("vm_power")
    child = subprocess.Popen(
        [binary("vm_power"), *(arg for arg in resource.manifest["set"]["args"] if isinstance(arg, str))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=resource.env,
    )
    try:
        child.stdin.write(json.dumps(desired("vm_power", lab.facts)).encode())
        child.stdin.close()
        child.stdin = None
        until(lambda: "PowerOffVM_Task" in lab.methods(), 60, alive=child)
        child.terminate()
        stdout, stderr = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 1 and stdout == b""
    assert "SIGTERM" in json.loads(stderr.splitlines()[-1])["error"]


def test_the_configuration_document_in_the_documentation_is_valid():
    page = (ROOT / "playbooks" / "pipelines.md").read_text()
    document = yaml.safe_load(page.split("```yaml\n", 1)[1].split("```", 1)[0])
    assert len(document["resources"]) == 2
    for described in document["resources"]:
        module = re.sub(r"(?<!^)(?=[A-Z])", "_", described["type"].removeprefix("Nested.Vft/")).lower()
        resource = Resource(module)
        assert resource.manifest["type"] == described["type"]
        # As dsc passes it, after it has filled in the parameter.
        resource.validate(described["properties"] | {"password": {"secureString": "not told"}})


def test_a_vmx_file_is_a_resource_without_a_server(tmp_path):
    path = tmp_path / "inner.vmx"
    path.write_text('config.version = "8"\nvirtualHW.version = "8"\n')
    resource = Resource("vmx_option")
    want = {"path": str(path), "options": {"replay.allowFT": True}}
    assert resource.set(want) == ["_exist", "state"]
    assert resource.test(want) == (True, [])
    assert 'replay.allowFT = "TRUE"' in path.read_text()
