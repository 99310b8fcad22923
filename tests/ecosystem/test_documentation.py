"""The documentation and the changelog of the collection, for antsibull."""

from __future__ import annotations

import shutil

import yaml

from modules import MODULES, ROOT

COLLECTION = ROOT / "playbooks" / "collection"


def test_the_markup_of_the_documentation_is_right(installed):
    done = installed("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck", str(installed.collection))
    assert done.returncode == 0 and done.stdout.strip() == "", done.stdout


def test_the_changelog_is_made_of_what_is_told(tools):
    """CHANGELOG.rst is what antsibull-changelog makes of changelogs/, and new fragments are such."""
    copy = tools.collection
    copy.mkdir(parents=True)
    for name in ("changelogs", "CHANGELOG.rst", "galaxy.yml"):
        (shutil.copytree if (COLLECTION / name).is_dir() else shutil.copyfile)(COLLECTION / name, copy / name)
    for command in (["lint"], ["lint-changelog-yaml", "changelogs/changelog.yaml"], ["generate"]):
        done = tools("antsibull-changelog", *command, cwd=copy)
        assert done.returncode == 0, done.stdout
    assert (copy / "CHANGELOG.rst").read_text() == (COLLECTION / "CHANGELOG.rst").read_text()


def test_every_module_is_in_the_changelog_and_this_version_too():
    told = yaml.safe_load((COLLECTION / "changelogs" / "changelog.yaml").read_text())["releases"]
    about = yaml.safe_load((COLLECTION / "galaxy.yml").read_text())
    assert about["version"] in told or any((COLLECTION / "changelogs" / "fragments").glob("*.yml"))
    named = {module["name"] for release in told.values() for module in release.get("modules", [])}
    assert named >= set(MODULES) or about["version"] not in told
