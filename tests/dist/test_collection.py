"""The collection of a release: Ansible Galaxy accepts it, and it runs where there is only Python and ansible-core."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from modules import MODULES, ROOT, VERSION, environment

from .conftest import CHROOT, DIST, ENV, built, digest, unpack

TARBALL = DIST / f"nested-vft-{VERSION}.tar.gz"
ANSIBLE = ENV / "ansible-2.19"
# Where the chroot has the packages of ansible-core.
PACKAGES = Path("/opt/packages")


@pytest.fixture(autouse=True)
def tarball():
    """Skips the tests if modules/dist made no collection, because it built for other targets only."""
    if not TARBALL.exists():
        pytest.skip("target/dist has no collection")


def test_it_is_small_enough():
    assert TARBALL.stat().st_size < 20e6


@pytest.mark.parametrize(
    ("folder", "platform"),
    [("linux_x86_64", "linux-x86_64"), ("vmkernel_x86_64", "linux-x86_64"), ("linux_aarch64", "linux-aarch64")],
)
def test_it_has_the_programs_of_the_archives(folder, platform, tmp_path):
    top = unpack(built(platform), tmp_path / "archive")
    with tarfile.open(TARBALL) as opened:
        opened.extractall(tmp_path / "collection", filter="tar")
    programs = tmp_path / "collection" / "plugins" / "bin" / folder
    for name in ["nested_vft", *(f"{module}.{folder}" for module in MODULES)]:
        assert digest(programs / name) == digest(top / "bin" / "nested_vft")
    licences = (tmp_path / "collection" / "licenses" / "crates.txt").read_text()
    assert "\nring 0." in licences


def test_galaxy_accepts_it(tmp_path):
    """Ansible Galaxy runs galaxy-importer on each upload. This leaves out ansible-lint, which tests/ecosystem runs."""
    settings = tmp_path / "galaxy-importer.cfg"
    settings.write_text("[galaxy-importer]\nrun_ansible_lint = False\nrun_ansible_lint_collection = False\n")
    given = {"HOME": str(tmp_path), "GALAXY_IMPORTER_CONFIG": str(settings), "PATH": f"{ENV / 'dist' / 'bin'}{os.pathsep}/usr/bin:/bin"}
    ended = subprocess.run(
        [ENV / "dist" / "bin" / "python", "-m", "galaxy_importer.main", TARBALL],
        cwd=tmp_path,
        env=environment(given),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Importer processing completed successfully" in ended.stdout, ended.stdout
    found = json.loads((tmp_path / "importer_result.json").read_text())
    assert found["metadata"]["repository"] and found["metadata"]["issues"].endswith("/issues")
    documented = {part["content_name"] for part in found["docs_blob"]["contents"] if part["content_type"] == "module"}
    assert set(MODULES) <= documented


def libraries(*files: Path) -> set[Path]:
    """Returns the shared libraries that programs and libraries load, and their loader."""
    found = subprocess.run(["ldd", *files], capture_output=True, text=True, check=False).stdout
    return {Path(path) for path in re.findall(r"(?:=>|^)\s+(/\S+) \(0x", found, re.MULTILINE)}


class User:
    """A chroot with Python, ansible-core and busybox: no Rust, no compiler, and not this repository."""

    def __init__(self, root: Path):
        self.root = root
        self.python = Path(os.path.realpath(ANSIBLE / "bin" / "python"))
        standard = Path(subprocess.check_output([self.python, "-c", "import os; print(os.path.dirname(os.__file__))"], text=True).strip())
        [packages] = (ANSIBLE / "lib").glob("python*/site-packages")
        left_out = shutil.ignore_patterns("test", "idlelib", "ensurepip", "*-packages", "config-*", "__pycache__")
        shutil.copytree(standard, self.inside(standard), ignore=left_out)
        shutil.copytree(packages, self.inside(PACKAGES), ignore=shutil.ignore_patterns("pip", "setuptools", "ansible_test", "__pycache__"))
        for path in {self.python, *libraries(self.python, *root.rglob("*.so"))}:
            self.inside(path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, self.inside(path))
        for name in ("tmp", "dev/shm", "etc", "bin", "root"):
            (root / name).mkdir(parents=True, exist_ok=True)
        # A plain file, because a container may not create devices.
        (root / "dev" / "null").touch()
        # The C library of Debian 12 reads this locale from a folder; newer ones contain it.
        locale = Path("/usr/lib/locale/C.utf8")
        if locale.exists():
            shutil.copytree(locale, self.inside(locale))
        (root / "etc" / "passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        busybox = shutil.copy(shutil.which("busybox"), root / "bin")
        for applet in set(subprocess.check_output([busybox, "--list"], text=True).split()) - {"busybox"}:
            (root / "bin" / applet).symlink_to("busybox")
        shutil.copy(TARBALL, root / "root")

    def inside(self, path: Path) -> Path:
        """Returns the outside path of a path in the chroot."""
        return self.root / path.relative_to("/")

    def __call__(self, name: str, *words: str, **env: str) -> str:
        """Runs a command of Ansible and returns its output."""
        given = {"HOME": "/root", "PATH": "/bin", "PYTHONPATH": str(PACKAGES)}
        given |= {"LC_ALL": "C.UTF-8", "PYTHONWARNINGS": "ignore", "ANSIBLE_NOCOLOR": "1"}
        ended = subprocess.run(
            [*CHROOT, ".", self.python, "-m", f"ansible.cli.{name}", *words],
            cwd=self.root,
            env=given | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout
        return ended.stdout


@pytest.fixture
def user():
    with tempfile.TemporaryDirectory(prefix="nested-vft-", dir=ROOT / "target") as folder:
        yield User(Path(folder))


def test_the_demo_runs_where_there_is_only_python_and_ansible(user, simulator, tmp_path):
    assert not list(user.root.rglob("Cargo.toml"))
    installed = user("galaxy", "collection", "install", "--offline", f"/root/{TARBALL.name}")
    assert "was installed successfully" in installed

    lab = simulator(personality="5.0", scenario="article", certificate_dir=tmp_path)
    facts = lab.facts
    shutil.copy(facts["ca"], user.root / "root" / "ca.pem")
    given = {"VMWARE_HOST": facts["hostname"], "VMWARE_PORT": str(facts["port"]), "VMWARE_USER": facts["username"]}
    given |= {"VMWARE_PASSWORD": facts["password"], "SSL_CERT_FILE": "/root/ca.pem"}
    words = ["nested.vft.article", "-i", "localhost,", "-e", f"vm_name={facts['vm']}", "-e", f"cluster_name={facts['cluster']}"]
    first = user("playbook", *words, **given)
    assert "stream keepalive" in first and re.search(r"^localhost .*\bchanged=[1-9].*\bfailed=0", first, re.MULTILINE), first
    second = user("playbook", *words, **given)
    assert re.search(r"^localhost .*\bchanged=0 .*\bfailed=0", second, re.MULTILINE), second
