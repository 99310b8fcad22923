"""Writes archives whose bytes depend only on what is in them."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Entry:
    """A file in an archive, or a link if `link` is set."""

    content: bytes = b""
    program: bool = False
    link: str = ""


def tarball(path: Path, top: str, entries: dict[str, Entry], moment: int) -> None:
    """Writes a .tar.gz in which everything is below the folder `top` and belongs to root."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, entry in sorted(entries.items()):
            info = tarfile.TarInfo(f"{top}/{name}")
            info.mtime = moment
            info.mode = 0o755 if entry.program else 0o644
            if entry.link:
                info.type, info.linkname = tarfile.SYMTYPE, entry.link
            info.size = len(entry.content)
            archive.addfile(info, io.BytesIO(entry.content))
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(content.getvalue())


def zipped(path: Path, top: str, entries: dict[str, Entry], moment: int) -> None:
    """Writes a .zip in which everything is below the folder `top`. It has no links."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, entry in sorted(entries.items()):
            info = zipfile.ZipInfo(f"{top}/{name}", time.gmtime(moment)[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            # As on Unix, whatever the machine.
            info.create_system = 3
            info.external_attr = (0o755 if entry.program else 0o644) << 16
            archive.writestr(info, entry.content)
