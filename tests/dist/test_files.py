"""What the files of a release contain."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import tarfile
import zipfile
import zlib
from datetime import datetime
from pathlib import Path

from modules import MODULES, ROOT, VERSION

from .conftest import DIST, digest, path_of

SCHEMAS = ROOT / "schemas"
RESOURCES = sorted(SCHEMAS.glob("*.dsc.resource.json"))


def test_the_checksums_cover_every_file():
    listed = dict(reversed(line.split("  ")) for line in (DIST / "SHA256SUMS").read_text().splitlines())
    files = {path.name: digest(path) for path in DIST.iterdir() if path.name != "SHA256SUMS"}
    assert files and listed == files


def test_an_archive_is_complete(archive):
    programs = [*MODULES, "nested_vft"]
    wanted = {"README.md", "LICENSE", "CHANGELOG.md", "sbom.cdx.json"}
    wanted |= {"licenses/crates.txt", "licenses/rust-standard-library.html"}
    wanted.add("licenses/mingw-w64-common.txt" if archive.suffix else "licenses/musl.txt")
    wanted |= {f"bin/{name}{archive.suffix}" for name in programs} | {"bin/nested_vft.dsc.manifests.json"}
    wanted |= {f"schemas/{name}.{half}.json" for name in MODULES for half in ("args", "result")}
    wanted |= {f"dsc/{file.name}" for file in RESOURCES}
    wanted |= {f"docs/{page}.md" for page in ("glossary", "pipelines", "privileges", "troubleshooting", "windows")}
    wanted |= {f"bolt/modules/nested_vft/tasks/{name}.json" for name in MODULES}
    if not archive.suffix:
        wanted |= {f"bolt/modules/nested_vft/tasks/{name}" for name in MODULES}
    for name in programs:
        wanted |= {f"man/man1/{name}.1", f"completions/bash/{name}.bash", f"completions/zsh/_{name}"}
        wanted |= {f"completions/fish/{name}.fish", f"completions/powershell/_{name}.ps1"}
    assert archive.names() == wanted


def test_links_stay_within_the_archive(archive):
    pages = [name for name in archive.names() if name.endswith(".md")]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#]+)", (archive.top / page).read_text(encoding="utf-8"))
        if ":" not in link
    ]
    assert ("README.md", "docs/windows.md") in links
    assert [(page, link) for page, link in links if not (archive.top / page).parent.joinpath(link).exists()] == []


def test_every_name_is_the_same_program(archive):
    for name in MODULES:
        assert digest(archive.top / "bin" / f"{name}{archive.suffix}") == digest(archive.program)


def test_entries_have_the_time_of_the_commit_and_no_owner(archive):
    # The bill of materials has it too.
    moment = datetime.fromisoformat(archive.bill["metadata"]["timestamp"][:19] + "+00:00")
    path = path_of(archive.platform)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as opened:
            # A zip counts in steps of two seconds.
            moment = moment.replace(second=moment.second // 2 * 2)
            assert {entry.date_time for entry in opened.infolist()} == {moment.timetuple()[:6]}
    else:
        with tarfile.open(path) as opened:
            for entry in opened.getmembers():
                assert (entry.uid, entry.gid, entry.uname, entry.gname, entry.mtime) == (0, 0, "", "", moment.timestamp())


def test_dsc_manifests_are_those_of_the_programs(archive):
    listed = json.loads(archive.read("bin/nested_vft.dsc.manifests.json"))
    single = [json.loads(file.read_text()) for file in RESOURCES]
    assert listed == {"resources": single}
    for file in RESOURCES:
        assert archive.read(f"dsc/{file.name}") == file.read_text()
    # DSC starts a program in the folder of its manifest.
    for manifest in single:
        assert manifest["get"]["executable"].removeprefix("./") in MODULES


def recorded(program: Path) -> set[tuple[str, str]]:
    """Returns the crates that cargo-auditable recorded in an ELF program, without those that ran only during the build."""
    content = program.read_bytes()
    [start] = struct.unpack_from("<Q", content, 0x28)
    size, count, names = struct.unpack_from("<HHH", content, 0x3A)
    sections = [struct.unpack_from("<IIQQQQ", content, start + size * number) for number in range(count)]
    strings = sections[names][4]
    for name, _, _, _, offset, length in sections:
        if content[strings + name :].startswith(b".dep-v0\0"):
            packages = json.loads(zlib.decompress(content[offset : offset + length]))["packages"]
            return {(package["name"], package["version"]) for package in packages if package.get("kind") != "build"}
    raise AssertionError(f"{program} has no list of crates")


def test_the_bill_of_materials_lists_what_is_linked_in(archive):
    bill = archive.bill
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert path_of(archive.platform, ".cdx.json").read_text() == archive.read("sbom.cdx.json")
    parts = bill["components"]
    assert all(part["purl"] and part["licenses"] for part in parts)
    listed = {(part["name"], part["version"]) for part in parts}
    if not archive.suffix:
        missing = recorded(archive.program) - listed - {("nested_vft", VERSION)}
        assert not missing, missing


def test_every_crate_has_its_licence(archive):
    text = archive.read("licenses/crates.txt")
    ours = {path.parent.name for path in ROOT.glob("modules/**/Cargo.toml")}
    for part in archive.bill["components"]:
        line = f"\n{part['name']} {part['version']}: "
        assert (line in text) is (part["name"] not in ours), line
    # Each crate stands above its texts too.
    assert re.search(r"^-+\n.*\bring 0\.\d+\.\d+", text, re.MULTILINE)


def test_no_file_names_a_folder_of_the_machine_that_built_it(archive):
    home = os.environ.get("CARGO_HOME") or str(Path.home() / ".cargo")
    for name in archive.names():
        content = (archive.top / name).read_bytes()
        assert f"{ROOT}/modules".encode() not in content and home.encode() not in content, name


def test_bolt_finds_the_programs_by_the_names_in_the_metadata(archive):
    for name in MODULES:
        metadata = json.loads(archive.read(f"bolt/modules/nested_vft/tasks/{name}.json"))
        assert {one["name"] for one in metadata["implementations"]} == {f"{name}{archive.suffix}"}


def test_bash_loads_the_completions(archive):
    for name in [*MODULES, "nested_vft"]:
        file = archive.top / "completions" / "bash" / f"{name}.bash"
        words = ["bash", "-c", 'source "$1" && complete -p "$2"', "-", file, name]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
        assert told.returncode == 0 and told.stdout.endswith(f" {name}\n"), told.stderr


def test_manual_pages_name_the_subcommands(archive):
    for name in MODULES:
        page = archive.read(f"man/man1/{name}.1")
        assert f"{name} bolt metadata" in page and (f"{name} dsc set" in page) is (SCHEMAS / f"{name}.dsc.resource.json").exists()
    assert all(f"nested_vft {name}" in archive.read("man/man1/nested_vft.1") for name in [*MODULES, "sessions"])


def test_a_changed_file_is_refused_in_words():
    """A release is built from a commit."""
    stray = ROOT / "modules" / "release" / "stray.txt"
    stray.touch()
    try:
        ended = subprocess.run([ROOT / "modules" / "dist"], capture_output=True, text=True, timeout=60, check=False)
    finally:
        stray.unlink()
    assert ended.returncode == 1 and ("stray.txt" in ended.stderr or ", …" in ended.stderr) and ended.stdout == ""
