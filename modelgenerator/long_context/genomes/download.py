# SPDX-License-Identifier: Apache-2.0
"""Downloads a URL to a file, going on where an earlier attempt broke off."""

import shutil
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from tqdm import tqdm

TIMEOUT = 60  # seconds without a byte
PIECE = 1 << 20
_BROKEN = (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException)


def download(url: str, path: Path) -> Path:
    """Fetch a URL; what has come is kept as PATH.part and not asked for again.

    Args:
        url: An http, https, ftp or file address.
        path: Where to put the whole file; not there before it is whole.

    Raises:
        ValueError: If the address cannot be reached, or breaks off.
        OSError: If the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            resumed = have and getattr(answer, "status", None) == 206
            _save(answer, part, append=bool(resumed))
    except urllib.error.HTTPError as error:
        if error.code != 416:  # nothing is left to send: the part is the whole
            raise ValueError(f"Cannot fetch {url}: {error}. Check the address.") from None
        size = error.headers.get("Content-Range", "").rpartition("/")[2]  # "bytes */SIZE"
        if size.isdigit() and int(size) != have:
            part.unlink()
            raise ValueError(
                f"Cannot fetch {url}: of an earlier attempt there are {have:,} bytes, and the file "
                f"has {size}: it is another one now. Run the same command again, from the start."
            ) from None
    except (*_BROKEN, ValueError) as error:
        raise ValueError(
            f"Cannot fetch {url}: {error}. Check the address and the network, then run the same "
            "command again; it goes on where it stopped. Or give a local file: --source FILE."
        ) from None
    part.rename(path)
    return path


def _save(answer, part: Path, append: bool) -> None:
    """Write an answer to the end of a file, or as the file.

    Raises:
        ConnectionError: If fewer bytes come than were announced.
    """
    expected = answer.headers.get("Content-Length")
    before = part.stat().st_size if append else 0
    with (
        open(part, "ab" if append else "wb") as file,
        tqdm.wrapattr(
            answer, "read", total=expected and int(expected), desc=part.stem, leave=False
        ) as body,
    ):
        shutil.copyfileobj(body, file, PIECE)
    came = part.stat().st_size - before
    if expected is not None and came < int(expected):
        raise ConnectionError(f"broke off after {came:,} of {int(expected):,} bytes")
