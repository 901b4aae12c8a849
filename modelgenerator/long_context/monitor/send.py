# SPDX-License-Identifier: Apache-2.0
"""Sends runs to a page on another machine as they grow, and brings back what it wishes logged."""

import os
from pathlib import Path
from typing import Optional
from urllib.parse import quote

import requests

from modelgenerator.long_context.monitor.files import (
    APPENDED,
    CONTROL,
    LARGEST_PART,
    RUN,
    open_file,
    write_json,
)
from modelgenerator.long_context.monitor.runs import Runs

TIMEOUT = 30.0


class Sender:
    """Sends what is new in a folder of runs.

    Args:
        root: Folder of runs.
        address: Of the page, such as https://runs.example.org.
        token: As the page was given.
    """

    def __init__(self, root: Path, address: str, token: str):
        self.root = Path(root)
        self._address = address.rstrip("/")
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._there: dict[tuple[str, str], int] = {}  # bytes of each file that have arrived
        self._records: dict[str, bytes] = {}
        self._controls: dict[str, dict] = {}

    def send(self) -> int:
        """Send what is new, at most one part of each file; returns the bytes sent.

        Raises:
            ValueError: If the page refuses the token.
            requests.RequestException: If the page cannot be reached, or is in trouble.
        """
        sent = 0
        for run in Runs(self.root).listing(float("inf")):
            sent += self._send_record(run.name)
            sent += sum(self._send_part(run.name, file) for file in APPENDED)
            if run.state == "running":
                self._fetch_control(run.name)
        return sent

    def _send_record(self, run: str) -> int:
        content = self._read(run, RUN, 0)
        if not content or self._records.get(run) == content:
            return 0
        self._ask("PUT", run, RUN, content)
        self._records[run] = content
        return len(content)

    def _send_part(self, run: str, file: str) -> int:
        start = self._there.get((run, file))
        size = self._size(run, file)
        if size is None or start == size:
            return 0
        if start is None:
            start = self._ask("GET", run, file)["size"]
        if start > size:  # begun anew here
            start = 0
        part = self._read(run, file, start)
        answer = self._ask("PUT", run, file, part, offset=start) if part else {"size": start}
        self._there[run, file] = answer["size"]
        return len(part)

    def _fetch_control(self, run: str) -> None:
        wanted = self._ask("GET", run, CONTROL)
        if wanted is not None and self._controls.get(run) != wanted:
            write_json(self.root, run, CONTROL, wanted)
            self._controls[run] = wanted

    def _ask(
        self, method: str, run: str, file: str, body: bytes = b"", **query: int
    ) -> Optional[dict]:
        """Answer of the page; None where it has no such file."""
        url = f"{self._address}/push/{quote(run, safe='')}/{file}"
        answer = self._session.request(method, url, data=body, params=query, timeout=TIMEOUT)
        if answer.status_code == 401:
            raise ValueError(f"{self._address} refuses the token. Give the one the page was given.")
        if answer.status_code == 404 and file == CONTROL:
            return None
        if answer.status_code != 409:  # which says where to go on
            answer.raise_for_status()
        return answer.json()

    def _size(self, run: str, file: str) -> Optional[int]:
        try:
            here = open_file(self.root, run, file)
        except OSError:
            return None
        size = os.fstat(here).st_size
        os.close(here)
        return size

    def _read(self, run: str, file: str, start: int) -> bytes:
        try:
            here = open_file(self.root, run, file)
        except OSError:
            return b""
        part = os.pread(here, LARGEST_PART, start)
        os.close(here)
        return part
