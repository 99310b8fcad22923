"""The govc lines of playbooks/privileges.md, run as they stand against vcsim."""

import os
import re
import subprocess

from modules import environment
from privileges import PAGE, READ, role

from .conftest import TOOLS


def test_govc_creates_the_role_and_gives_it_to_the_user(vcsim, tmp_path):
    lines = re.search(r"^With govc:\n\n((?:    .*\n)+)", PAGE.read_text(), re.MULTILINE)[1]
    (tmp_path / "govc").symlink_to(os.environ.get("GOVC", TOOLS / "govc"))
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-e"], input=lines, env=environment(path | vcsim.environment), check=True, text=True, timeout=60)
    created = vcsim.govc("role.ls", "nested-vft")
    assert sorted(created["privilege"]) == sorted({*role(), *READ})
    (given,) = [found for found in vcsim.govc("permissions.ls", "/")["Permissions"] if found["principal"] == r"LAB\nested-vft"]
    assert given["propagate"] and given["roleId"] == created["roleId"]
