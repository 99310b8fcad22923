"""ft_diagnose finds known failures in logs from any source, and its remedies work unchanged."""

from __future__ import annotations

import contextlib
import glob
import gzip
import json
import os
import signal
import subprocess

import pytest

from modules import binary, connection, environment, interrupt_module, run_module

ARTICLE = [
    "2011-07-31T17:31:39.314Z| vcpu-0| [vob.vmotion.stream.keepalive.read.fail] vMotion migration "
    "[ac1e0050:1312133702562144] failed to read stream keepalive: Connection closed by remote host, possibly due to timeout",
    "2011-07-31T17:31:39.314Z| vcpu-0| [msg.checkpoint.precopyfailure] Migration to host <> failed with error "
    "Connection closed by remote host, possibly due to timeout (0xbad003f).",
    "2011-07-31T17:31:39.324Z| vcpu-0| Migrate: secondary failure during migration: error Connection closed by remote "
    "host, possibly due to timeout.",
]
TEXT = "\n".join(ARTICLE) + "\n"
HEALTHY = "2011-07-31T17:31:38.000Z| vcpu-0| I120: Migrate: Remote Log: Switching to checkpoint state after {} ms.\n"
MEBIBYTE = 1 << 20
REPLAY = {"replay.supported": "true", "replay.allowFT": "true", "replay.allowBTOnly": "true"}
READS = {
    "RetrieveServiceContent",
    "Login",
    "Logout",
    "RetrievePropertiesEx",
    "QueryDescriptions",
    "BrowseDiagnosticLog",
    "QueryEvents",
}


def diagnose(args: dict, **options):
    result = run_module("ft_diagnose", args, **options)
    assert result.changed is False
    return result


def ids(result) -> list[str]:
    return [finding["id"] for finding in result.json["findings"]]


def healthy_lines(size: int) -> str:
    line = HEALTHY.format(17)
    return line * (size // len(line))


def test_the_article_is_one_finding_with_what_to_do():
    result = diagnose({"text": TEXT, "cluster_name": "Cluster", "version": "5.0"})
    (finding,) = result.json["findings"]
    assert result.json["healthy"] is False
    assert (finding["id"], finding["count"], finding["file"], finding["line"]) == ("stream_keepalive", 3, "text", 1)
    assert finding["migration"] == {
        "id": 1312133702562144,
        "started": "2011-07-31T17:35:02.562Z",
        "peer": "172.30.0.80",
    }
    assert finding["status"] == {"hex": "0xbad003f", "decimal": 195887167}
    assert [line["text"] for line in finding["lines"]] == ARTICLE
    assert "203 seconds after the migration's first log line (text, line 1)" in finding["note"]
    assert finding["remedies"][0]["module"] == "host_option"
    assert finding["remedies"][0]["args"] == {"cluster_name": "Cluster", "options": {"Migrate.VMotionStreamDisable": 1}}
    assert finding["title"] in result.msg and finding["remedies"][0]["text"] in result.msg


def test_a_log_passed_as_text_is_not_repeated_in_the_invocation():
    text = TEXT + healthy_lines(2 * MEBIBYTE)
    result = diagnose({"text": text})
    assert ids(result) == ["stream_keepalive"]
    shown = result.json["invocation"]["module_args"]["text"]
    assert shown.startswith(ARTICLE[0][:80]) and f"({len(text)} bytes)" in shown and len(result.stdout) < 20_000


def test_every_remedy_names_its_evidence():
    (finding,) = diagnose({"text": TEXT}).json["findings"]
    told = [(remedy["basis"], "Lam" in remedy["source"]) for remedy in finding["remedies"]]
    expected = [("documented", True), ("knowledge", False), ("knowledge", True), ("documented", True), ("knowledge", False)]
    assert told == expected


def test_a_migration_that_failed_late_does_not_blame_the_clocks():
    later = TEXT.replace("T17:31:39", "T17:59:59")
    (finding,) = diagnose({"text": later}).json["findings"]
    assert finding["note"] is None


def test_ten_megabytes_of_a_healthy_log_have_no_finding(tmp_path):
    path = tmp_path / "vmware.log"
    path.write_text(healthy_lines(10 * MEBIBYTE))
    result = diagnose({"path": str(path)})
    assert result.json["healthy"] is True and result.json["findings"] == []
    (source,) = result.json["sources"]
    assert source["bytes"] == path.stat().st_size and source["lines"] == path.read_text().count("\n")
    assert result.msg.startswith("No known failure signature")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (TEXT.encode(), 1),
        (gzip.compress(TEXT.encode()), 1),
        (gzip.compress(b"one\n") + gzip.compress(TEXT.encode()), 2),
        (TEXT.replace("\n", "\r\n").encode(), 1),
        # As PowerShell writes it.
        (TEXT.replace("\n", "\r\n").encode("utf-16"), 1),
        (("x" * 3 * MEBIBYTE + "\r\n" + TEXT).encode("utf-16"), 2),
        (gzip.compress(("\ufeffone\n" + TEXT).encode("utf-16-be")), 2),
        (TEXT.encode("utf-8-sig"), 1),
        (b"\0\xff\xfe\n" + TEXT.encode(), 2),
        (b"x" * (3 * MEBIBYTE) + b"\n" + TEXT.encode(), 2),
        (b"x" * (3 * MEBIBYTE) + TEXT.encode(), 1),
        (TEXT.encode().rstrip(b"\n") + b"\0" * (2 * MEBIBYTE), 1),
        (b"", None),
        (b"\n", None),
        (os.urandom(MEBIBYTE), None),
        (gzip.compress(b""), None),
    ],
    ids=[
        "plain",
        "gzip",
        "two gzip members",
        "CRLF",
        "UTF-16",
        "UTF-16 after a line of megabytes",
        "UTF-16 of the other byte order in gzip",
        "UTF-8 with a byte order mark",
        "bytes that are no text",
        "after a line of megabytes",
        "in a line of megabytes",
        "zeros behind",
        "empty",
        "an empty line",
        "binary",
        "empty gzip",
    ],
)
def test_files_of_every_kind_are_read_to_the_end(content, line, tmp_path):
    path = tmp_path / "some.log"
    path.write_bytes(content)
    result = diagnose({"path": str(path)})
    assert not result.json["failed"] and "warnings" not in result.json, result.msg
    assert [finding["line"] for finding in result.json["findings"]] == ([] if line is None else [line])


def test_a_truncated_archive_is_read_as_far_as_possible(tmp_path):
    path = tmp_path / "vmware.log.gz"
    noise = "".join(f"{os.urandom(40).hex()}\n" for _ in range(20_000))
    path.write_bytes(gzip.compress((TEXT + noise).encode())[:-1000])
    result = diagnose({"path": str(path)})
    assert ids(result) == ["stream_keepalive"]
    assert any("it is truncated" in warning for warning in result.json["warnings"])


def test_rotated_files_are_read_oldest_first(tmp_path):
    (tmp_path / "vmware.log").write_text("newest\n")
    (tmp_path / "vmware-10.log").write_text(TEXT.replace("2562144", "2562145"))
    (tmp_path / "vmware-9.log.gz").write_bytes(gzip.compress(TEXT.encode()))
    (tmp_path / "vmware.vmx").write_text(TEXT)
    path = str(tmp_path / "vmware.log")
    assert diagnose({"path": path}).json["healthy"] is True
    result = diagnose({"path": path, "rotated": True})
    read = [os.path.basename(source["file"]) for source in result.json["sources"]]
    assert read == ["vmware-9.log.gz", "vmware-10.log", "vmware.log"]
    found = [(os.path.basename(finding["file"]), finding["migration"]["id"]) for finding in result.json["findings"]]
    assert found == [("vmware-10.log", 1312133702562145), ("vmware-9.log.gz", 1312133702562144)]


def test_a_single_unreadable_file_is_an_error_and_one_of_several_a_warning(tmp_path):
    path = tmp_path / "vmware.log"
    assert diagnose({"path": str(path)}).kind == "not_found"
    assert diagnose({"path": str(tmp_path)}).kind == "io"
    for special in ("/dev/zero", "/proc/kmsg"):
        assert diagnose({"path": special, "timeout": 5}).kind == "io"
    path.write_text(TEXT)
    (tmp_path / "vmware-1.log").mkdir()
    result = diagnose({"path": str(path), "rotated": True})
    assert ids(result) == ["stream_keepalive"]
    assert any("vmware-1.log" in warning for warning in result.json["warnings"])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({}, ["name", "path", "text"]),
        ({"text": "", "path": "/x"}, ["text", "path", "cannot be used together"]),
        ({"text": "", "tail_lines": 7}, ["tail_lines", "without a server"]),
        ({"text": "", "host_logs": True}, ["host_logs"]),
        ({"text": "", "rotated": True}, ["rotated", "path"]),
        ({"text": "", "cluster_name": "a", "esxi_hostname": "b"}, ["cluster_name", "esxi_hostname"]),
        ({"text": "", "version": "seven"}, ["version", "seven"]),
        ({"name": "inner", "version": "5.0"}, ["`version` cannot be used here: a run without", "hostname"]),
    ],
)
def test_conflicting_arguments(args, words):
    result = diagnose(args)
    assert result.kind == "invalid_arguments"
    for word in words:
        assert word in result.msg, f"{word} in {result.msg}"


def test_memory_does_not_grow_with_the_log(tmp_path):
    """Reads 200 MB of log with an address space of 64 MB."""
    path = tmp_path / "vmkernel.0.gz"
    with gzip.open(path, "wt", compresslevel=1) as log:
        for _ in range(200):
            log.write(healthy_lines(MEBIBYTE))
        log.write(TEXT)
    arguments = tmp_path / "args"
    arguments.write_text(json.dumps({"path": str(path)}))
    limited = ["sh", "-c", 'ulimit -v 65536 && exec "$0" "$1"', binary("ft_diagnose"), arguments]
    ended = subprocess.run(limited, capture_output=True, env=environment(), timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["findings"][0]["id"] == "stream_keepalive"


def test_a_signal_ends_a_long_search(tmp_path):
    path = tmp_path / "vmkernel.log"
    with open(path, "wb") as log:
        # A sparse file: one terabyte that uses no disk space.
        log.truncate(1 << 40)

    def is_open() -> bool:
        for link in glob.iglob("/proc/[0-9]*/fd/*"):
            with contextlib.suppress(OSError):
                if os.readlink(link) == str(path):
                    return True
        return False

    result = interrupt_module("ft_diagnose", {"path": str(path)}, is_open, signal.SIGTERM)
    assert result.kind == "interrupted"
    assert diagnose({"path": str(path), "timeout": 1}).kind == "timeout"


def inner(lab, **args) -> dict:
    return connection(lab.facts) | {"name": lab.facts["vm"]} | args


def failed_lab(simulator, personality: str = "5.0"):
    """The article's lab after turning Fault Tolerance on has failed."""
    lab = simulator(personality=personality, scenario="article")
    if personality == "5.0":
        run_module("vmx_option", inner(lab, options=REPLAY))
        run_module("vm_power", inner(lab, state="powered_off"))
        run_module("vm_power", inner(lab, state="powered_on"))
    failed = run_module("fault_tolerance", inner(lab, state="present"))
    assert "failed to read stream keepalive" in failed.msg
    lab.clear_log()
    return lab


@pytest.mark.parametrize("personality", ["5.0", "6.7"])
def test_the_articles_failure_is_found_with_its_remedy(personality, simulator):
    lab = failed_lab(simulator, personality)
    result = diagnose(inner(lab))
    assert {entry["method"] for entry in lab.log()} <= READS | {"GET"}
    assert ids(result) == ["stream_keepalive"], result.json
    finding = result.json["findings"][0]
    assert finding["count"] >= 3 and finding["file"].endswith("/vmware.log")
    assert result.json["vm"]["moid"] == lab.facts["vm_moid"]
    assert result.json["version"].startswith(personality)

    remedy = finding["remedies"][0]
    assert (remedy["module"], remedy["args"]["cluster_name"]) == ("host_option", lab.facts["cluster"])


def test_every_remedy_with_arguments_is_accepted_by_its_module(simulator):
    lab = failed_lab(simulator)
    remedies = [remedy for finding in diagnose(inner(lab)).json["findings"] for remedy in finding["remedies"]]
    called = [remedy for remedy in remedies if remedy["args"] is not None]
    assert {remedy["module"] for remedy in called} == {"host_option", "vm_power", "ft_readiness"}
    for remedy in called:
        assert not run_module(remedy["module"], connection(lab.facts) | remedy["args"], "--check").json["failed"]


@pytest.mark.parametrize("version", ["7.0.2", "7.0 U3", "8.0.3"])
def test_an_option_that_no_longer_exists_is_no_remedy(version):
    finding = diagnose({"text": TEXT, "cluster_name": "Cluster", "version": version}).json["findings"][0]
    assert finding["id"] == "stream_keepalive"
    assert "host_option" not in [remedy["module"] for remedy in finding["remedies"]]
    assert "physical CPU" in finding["remedies"][0]["text"]


def test_the_logs_of_both_hosts_show_the_same_migration(simulator):
    lab = failed_lab(simulator)
    result = diagnose(inner(lab, host_logs=True))
    (finding,) = result.json["findings"]
    files = {line["file"] for line in finding["lines"]}
    assert len(files) == 3 and finding["count"] >= 5, finding["lines"]
    for host in lab.facts["hosts"]:
        assert any(file.startswith(host) and "vmkernel" in file for file in files)


def test_a_healthy_lab_has_no_finding(healthy):
    result = diagnose(inner(healthy, host_logs=True))
    assert result.json["healthy"] is True and not result.json["failed"], result.msg
    files = [source["file"] for source in result.json["sources"]]
    assert files[:2] == ["[shared01] inner/vmware.log", "[shared01] inner/vmware-1.log"]
    assert files[2].endswith("vmkernel.log") and files[3:] == ["events of virtual machine inner"]


def test_a_failure_before_the_last_power_on_is_found_in_a_rotated_log(healthy):
    other = TEXT.replace("1312133702562144", "1312133709999999")
    logs = {"1": other.splitlines(), "2": ARTICLE, "10": ["quiet"]}
    healthy.set(healthy.facts["vm_moid"], vmware_log=["quiet"], rotated_logs=logs)
    result = diagnose(inner(healthy))
    (finding,) = result.json["findings"]
    assert finding["id"] == "stream_keepalive" and finding["file"] == "[shared01] inner/vmware-2.log"
    # Newest first, by number. The search stops at the first file with a finding.
    read = [line["object"] for line in healthy.log() if line["method"] == "GET"]
    assert read == [f"/folder/inner/vmware{number}.log" for number in ("", "-10", "-2")]


def test_the_end_of_a_log_is_enough(simulator):
    lab = failed_lab(simulator)
    result = diagnose(inner(lab, tail_bytes=1024))
    assert ids(result) == ["stream_keepalive"]
    assert result.json["sources"][0]["bytes"] <= 1024


def test_a_log_that_only_the_host_has_names_the_host_and_what_to_do(simulator):
    lab, other = failed_lab(simulator), simulator(personality="5.0", direct=True)
    lab.inject(method="GET", how="redirect", location=other.facts["url"].replace("/sdk", "/folder/x?ticket=S3CRET"), times=0)
    lab.inject(method="QueryEvents", how="fault", fault="SystemError", times=0)
    result = diagnose(inner(lab))
    assert result.kind == "connection" and "does not give out [shared01] inner/vmware.log itself" in result.msg
    place = f"https://{other.facts['hostname']}:{other.facts['port']}"
    assert place in result.msg and "S3CRET" not in result.stdout.decode() and "`hostname`" in result.json["error"]["hint"]
    assert other.log() == [], "nobody else gets the cookie of the session"
    # The module still reads the other logs.
    both = diagnose(inner(lab, host_logs=True))
    assert ids(both) == ["stream_keepalive"] and place in both.json["warnings"][0]


@pytest.mark.parametrize("method", ["QueryDescriptions", "BrowseDiagnosticLog"])
def test_unreadable_host_logs_are_a_warning(method, simulator):
    lab = failed_lab(simulator)
    lab.inject(
        method=method, how="fault", fault="NoPermission", fields={"privilegeId": "Global.Diagnostics"}, times=0
    )
    result = diagnose(inner(lab, host_logs=True))
    assert ids(result) == ["stream_keepalive"]
    assert any("Global.Diagnostics" in warning for warning in result.json["warnings"])


@pytest.mark.parametrize("how", ["drop", "http500", "garbage", "fault"])
@pytest.mark.parametrize("method", ["RetrieveServiceContent", "Login", "RetrievePropertiesEx"])
def test_a_server_that_fails(method, how, healthy):
    healthy.inject(method=method, how=how, fault="SystemError", times=0)
    result = diagnose(inner(healthy) | {"timeout": 1})
    # On a busy machine, the deadline may pass before the first failure.
    assert result.kind in {"fault" if how == "fault" else "connection", "timeout"}


@pytest.mark.parametrize("method", ["RetrievePropertiesEx", "BrowseDiagnosticLog"])
def test_an_expired_session_is_renewed(method, healthy):
    healthy.inject(method=method, how="expire-session", times=1)
    result = diagnose(inner(healthy, host_logs=True))
    assert not result.json["failed"] and "warnings" not in result.json, result.msg
    assert healthy.methods().count("Login") == 2
