# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc depmap`: dependency maps as pictures, pages and numbers."""

import math
from pathlib import Path
from typing import List, Optional

from jsonargparse import ArgumentParser, Namespace

HELP = "Draw dependency maps made by mgen predict, compare them, and rank known pairs in them."

VALUES = 4_000_000  # in a picture or page; a larger map is pooled


def add_arguments(parser: ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("maps", nargs="+", help="folders of maps of one sequence")
    parser.add_argument(
        "--output",
        default="depmap",
        help="folder for map.png, map.svg, map.html and numbers.json",
    )
    parser.add_argument(
        "--highlights", type=Optional[str], help="BED or GFF file with intervals to mark"
    )
    parser.add_argument(
        "--pairs",
        type=Optional[str],
        help="TSV of known pairs of positions, 0-based: they are circled and ranked",
    )
    parser.add_argument(
        "--labels", type=Optional[List[str]], help="a title for each map, e.g. '[1k, 4k]'"
    )
    parser.add_argument(
        "--refine",
        type=Optional[int],
        help="of a coarse map, write so many strongest blocks as rows.bed and columns.bed",
    )


def run(options: Namespace) -> None:
    """Draw, compare and rank; print the numbers.

    Raises:
        ValueError: If a map cannot be read, or the maps are not of one sequence.
    """
    import json

    from modelgenerator.long_context.depmap.compare import agreement, common
    from modelgenerator.long_context.depmap.known_pairs import rank_known_pairs, read_pairs
    from modelgenerator.long_context.depmap.page import write_page
    from modelgenerator.long_context.depmap.picture import plot_maps, title_of
    from modelgenerator.long_context.depmap.refine import strongest_blocks, write_beds
    from modelgenerator.long_context.depmap.store import MapFolder
    from modelgenerator.long_context.evaluation import check_writable

    if options.labels is not None and len(options.labels) != len(options.maps):
        raise ValueError(f"labels: {len(options.labels)} for {len(options.maps)} maps. Give each.")
    folder = Path(options.output)
    check_writable(folder / "map.png", "output")
    folders = [MapFolder(path) for path in options.maps]
    abouts = [one.about() for one in folders]
    pool = max(_pool(about) for about in abouts)
    if options.pairs and pool > 1:
        raise ValueError(
            f"pairs: a map of more than {VALUES:,} values is pooled, and no pair is left to rank. "
            "Map the rows and columns around the pairs."
        )
    titles = options.labels or [
        title_of(about, Path(path).name if len(abouts) > 1 else None)
        for about, path in zip(abouts, options.maps, strict=True)
    ]
    if len(set(titles)) < len(titles):
        raise ValueError("maps: two have the same title. Tell them apart with --labels.")
    maps = {title: one.load(pool) for title, one in zip(titles, folders, strict=True)}
    first = next(iter(maps.values()))
    for other in maps.values():
        first = common(first, other)[0]
    maps = {title: common(first, found)[1] for title, found in maps.items()}
    highlights = _highlights(options.highlights, first.about)
    pairs = read_pairs(options.pairs) if options.pairs else []

    numbers: dict = {"maps": [], "agreement": []}
    for title, found in maps.items():
        numbers["maps"].append({"title": title, "rows": len(found.rows), "pool": pool})
        if pairs:
            ranked = rank_known_pairs(found, pairs)
            numbers["maps"][-1] |= {**ranked._asdict()}
            print(
                f"{title}: known pairs AUROC {ranked.auroc:.3f} +- {ranked.error:.3f} (s.e.), "
                f"{ranked.pairs} of {len(pairs)} pairs"
            )
    for title in titles[1:]:
        found = agreement(first, maps[title])
        numbers["agreement"].append({"maps": [titles[0], title], **found._asdict()})
        print(
            f"{titles[0]} and {title}: rank correlation {found.rank_correlation:.3f}, strongest "
            f"1% in common {found.top_overlap:.1%}, {found.values:,} values"
        )
    if options.refine is not None:
        blocks = strongest_blocks(folders[0].load(), options.refine)
        write_beds(first, blocks, folder)
        print(f"Finer map: --data.rows {folder / 'rows.bed'} --data.columns {folder}/columns.bed")
    (folder / "numbers.json").write_text(json.dumps(numbers, indent=1) + "\n")
    for name in ("map.png", "map.svg"):
        plot_maps(maps, folder / name, highlights, pairs)
    write_page(maps, folder / "map.html", highlights)
    pooled = f" (largest of every {pool} x {pool} values)" if pool > 1 else ""
    print(f"Pictures and page{pooled}: {folder}/map.png, map.svg, map.html")


def _pool(about: dict) -> int:
    return math.ceil(math.sqrt(len(about["rows"]) * len(about["columns"]) / VALUES))


def _highlights(path: Optional[str], about: dict) -> list[tuple[int, int, str]]:
    """Intervals of the region."""
    if path is None:
        return []
    from modelgenerator.long_context.depmap.positions import read_bed

    start, stop = about["start"], about["stop"]
    inside = [
        (max(low, start), min(high, stop), name)
        for record, low, high, name in read_bed(path)
        if record == about["record"] and low < stop and high > start
    ]
    if not inside:
        raise ValueError(f"highlights: {path} has no interval in {about['record']}:{start}-{stop}.")
    return inside
