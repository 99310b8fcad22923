"""Builds the reproducible tarball of a collection, in the format of Ansible Galaxy."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path


def members(folder: Path) -> list[str]:
    """Returns the names of all files and folders that the collection lists."""
    left_out = {"galaxy.yml", "MANIFEST.json", "FILES.json"}
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return sorted(name for name in names if name not in left_out)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def manifests(folder: Path, about: dict[str, object]) -> None:
    """Writes MANIFEST.json and FILES.json, like `ansible-galaxy collection build`."""
    files = [{"name": ".", "ftype": "dir", "chksum_type": None, "chksum_sha256": None, "format": 1}]
    for name in members(folder):
        entry = {"name": name, "ftype": "dir", "chksum_type": None, "chksum_sha256": None, "format": 1}
        if not (folder / name).is_dir():
            checksum = digest((folder / name).read_bytes())
            entry |= {"ftype": "file", "chksum_type": "sha256", "chksum_sha256": checksum}
        files.append(entry)
    listed = json.dumps({"files": files, "format": 1}, indent=1)
    (folder / "FILES.json").write_text(listed)
    keys = ["namespace", "name", "version", "authors", "readme", "tags", "description", "license", "license_file"]
    keys += ["dependencies", "repository", "documentation", "homepage", "issues"]
    info = {key: about.get(key) for key in keys}
    info["dependencies"] = about.get("dependencies") or {}
    files_json = {"name": "FILES.json", "ftype": "file", "chksum_type": "sha256"}
    files_json |= {"chksum_sha256": digest(listed.encode()), "format": 1}
    manifest = {"collection_info": info, "file_manifest_file": files_json, "format": 1}
    (folder / "MANIFEST.json").write_text(json.dumps(manifest, indent=1))


def pack(folder: Path, tarball: Path) -> None:
    """Writes the tarball. Its content does not depend on the time or the machine."""
    # 1980: some programs reject older dates.
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", 315532800))
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name in ["MANIFEST.json", "FILES.json", *members(folder)]:
            path = folder / name
            info = tarfile.TarInfo(name)
            info.mtime = moment
            info.mode = 0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644
            if path.is_symlink():
                info.type, info.linkname = tarfile.SYMTYPE, os.readlink(path)
                archive.addfile(info)
            elif path.is_dir():
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            else:
                info.size = path.stat().st_size
                archive.addfile(info, io.BytesIO(path.read_bytes()))
    with tarball.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(content.getvalue())
