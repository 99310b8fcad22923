"""tests/circles on tiny workspaces: it finds every circle between source files, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modules import ROOT

# Each workspace by its files, and the lines that tie its circle; none if it has no circle.
CRATES = {
    "two files": (
        {
            "lib.rs": "mod a;\nmod b;",
            "a.rs": "use crate::b::B;\npub struct A(B);\npub fn a() {}",
            "b.rs": "pub struct B;\nfn b() { crate::a::a(); }",
        },
        ["a.rs -> b.rs (B)", "b.rs -> a.rs (a)"],
    ),
    "a child and its parent": (
        {
            "lib.rs": "mod room;",
            "room/mod.rs": "mod child;\npub struct Parent;\npub fn parent() { child::act(); }",
            "room/child.rs": "use super::Parent;\npub fn act() {}\nfn own(_: &Parent) {}",
        },
        ["room/child.rs -> room/mod.rs (Parent)", "room/mod.rs -> room/child.rs (act)"],
    ),
    "three files, one of them through a re-export": (
        {
            "lib.rs": "mod a;\nmod b;\nmod c;\npub(crate) use a::{self as first, A};",
            "a.rs": "use crate::b::{B, deep::{self}};\npub struct A(B);",
            "b.rs": "pub mod deep;\npub struct B(super::c::C);",
            "b/deep.rs": "",
            "c.rs": "pub type C = Option<Box<crate::A>>;",
        },
        ["a.rs -> b.rs (B)", "b.rs -> c.rs (C)", "c.rs -> a.rs (A)"],
    ),
    "all names of a module": (
        {"lib.rs": "mod a;\nmod b;", "a.rs": "use crate::b::*;\npub static A: B = B;", "b.rs": "pub struct B;\nconst C: u8 = crate::a::A;"},
        ["a.rs -> b.rs (B)", "b.rs -> a.rs (A)"],
    ),
    "a face that only re-exports": (
        {
            "lib.rs": "mod room;\npub use room::Parent;",
            "room.rs": "mod child;\nmod other;\npub use child::act;\npub struct Parent;",
            "room/child.rs": "use super::{Parent, other};\npub fn act(_: Parent) { other::help() }",
            "room/other.rs": "pub fn help() {}",
        },
        [],
    ),
    "tests, comments and texts": (
        {
            "lib.rs": "mod a;\nmod b;\n#[cfg(test)]\nmod testing;",
            "a.rs": "pub struct A;\n#[cfg(test)]\nmod tests { use crate::b::B; fn f() { if true {} } }",
            "b.rs": "// crate::b\npub struct B(pub crate::a::A);\nfn b<'a>(c: &'a char) -> bool { c == &'\"' || \"crate::a::A\" == r#\"{\"#.b }",
            "testing.rs": "use crate::{a::A, b::B};",
        },
        [],
    ),
}


def circles(folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, ROOT / "tests" / "circles", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("name", CRATES)
def test_the_circles_of_a_crate(name, tmp_path):
    files, ties = CRATES[name]
    src = tmp_path / "modules" / "toy" / "src"
    for file, text in files.items():
        (src / file).parent.mkdir(parents=True, exist_ok=True)
        (src / file).write_text(text)
    found = circles(tmp_path)
    assert found.returncode == bool(ties), found.stderr
    lines = found.stdout.replace("modules/toy/src/", "").splitlines()
    assert [line.strip() for line in lines[1:]] == ties
    assert found.stderr.startswith("circles: 1. Move") if ties else found.stderr == ""


def test_the_circle_of_two_python_files(tmp_path):
    folder = tmp_path / "tests" / "toy"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("from typing import TYPE_CHECKING\nimport toy.two\nif TYPE_CHECKING:\n    import three\n")
    (folder / "two.py").write_text("from one import x\n")
    (folder / "three.py").write_text("import one\n")
    found = circles(tmp_path)
    assert found.returncode == 1
    assert found.stdout.split("\n")[1:3] == ["  tests/toy/one.py -> tests/toy/two.py (two)", "  tests/toy/two.py -> tests/toy/one.py (one)"]
