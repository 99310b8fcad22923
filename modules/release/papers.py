"""Writes the bills of materials, the licence texts and the list of DSC manifests of a release."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from build import ROOT, Failure, Target, run

LICENCE = re.compile(r"(un)?licen[cs]e|copying|copyright|notice", re.IGNORECASE)
# The licences of Rust's standard library and of what it contains.
STANDARD = "share/doc/rust/COPYRIGHT-library.html"


def tracked() -> list[str]:
    """Returns the files of the project, without those that Git ignores."""
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    return [name for name in listed if name and (ROOT / name).is_file()]


def bills(targets: list[Target], scratch: Path, moment: int) -> dict[str, bytes]:
    """Returns a CycloneDX bill of materials for each target, by the name of the target."""
    # cargo-cyclonedx writes next to each Cargo.toml, so it gets a copy of the project.
    copy = scratch / "sources"
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    found = {}
    for target in targets:
        words = ["--format", "json", "--spec-version", "1.5", "--no-build-deps", "--describe", "binaries"]
        run("cargo", "cyclonedx", *words, "--target", target.triple, cwd=copy, SOURCE_DATE_EPOCH=str(moment))
        text = (copy / "modules" / "nested_vft" / "nested_vft_bin.cdx.json").read_text(encoding="utf-8")
        found[target.name] = text.replace(f"file://{copy}", "file:///nested-vft").encode()
    return found


def crates(bill: bytes) -> set[tuple[str, str]]:
    """Returns the name and version of each component."""
    return {(part["name"], part["version"]) for part in json.loads(bill)["components"]}


class Licences:
    """Collects the licence texts of everything that is linked into the programs."""

    def __init__(self) -> None:
        described = json.loads(run("cargo", "metadata", "--locked", "--format-version", "1"))
        self.packages = {(package["name"], package["version"]): package for package in described["packages"]}
        self.standard = read(Path(run("rustc", "--print", "sysroot").strip()) / STANDARD, "Rust's standard library")

    def files(self, linked: set[tuple[str, str]], targets: list[Target]) -> tuple[dict[str, bytes], dict[str, int]]:
        """Returns the files for the folder `licenses`, and the number of crates by licence."""
        texts: dict[str, list[str]] = {}
        counts: dict[str, int] = {}
        rows = []
        for name, version in sorted(linked):
            package = self.packages[name, version]
            if package["source"] is None:
                # A crate of this project.
                continue
            licence = package["license"] or package["license_file"]
            counts[licence] = counts.get(licence, 0) + 1
            rows.append(f"{name} {version}: {licence}")
            folder = Path(package["manifest_path"]).parent
            files = [file for file in sorted(folder.iterdir()) if LICENCE.match(file.name) and file.is_file()]
            if not files:
                raise Failure(f"the crate {name} {version} has no file with its licence in {folder}")
            for file in files:
                texts.setdefault(file.read_text(encoding="utf-8").strip(), []).append(f"{name} {version}")
        rule = "-" * 100
        parts = ["These crates are linked into the programs, or generate code in them. Their licence texts follow.", "", *rows]
        for text, users in texts.items():
            parts += ["", rule, ", ".join(users), rule, "", text]
        found = {"crates.txt": "\n".join([*parts, ""]).encode(), "rust-standard-library.html": self.standard}
        for path in {path for target in targets for path in target.runtime}:
            found[f"{Path(path).parent.name}.txt"] = read(Path(path), "the C library")
        return found, dict(sorted(counts.items()))


def read(path: Path, what: str) -> bytes:
    """Returns the content of a file with licences."""
    try:
        return path.read_bytes()
    except OSError as problem:
        raise Failure(f"cannot read the licences of {what}, which is linked into the programs: {problem}") from problem


def manifest_list() -> bytes:
    """Returns all DSC manifests in one file, which DSC reads from 3.2 on."""
    single = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((ROOT / "schemas").glob("*.dsc.resource.json"))]
    return (json.dumps({"resources": single}, indent=2, ensure_ascii=False) + "\n").encode()


def commit_moment() -> int:
    """Returns the time of the commit, in seconds since 1970."""
    return int(run("git", "log", "-1", "--format=%ct"))


def uncommitted() -> list[str]:
    """Returns the files that differ from the commit."""
    listed = run("git", "status", "--porcelain")
    return [line[3:] for line in listed.splitlines()]
