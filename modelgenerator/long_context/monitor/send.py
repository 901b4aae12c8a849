# SPDX-License-Identifier: Apache-2.0
"""Sends runs to a page on another machine as they grow, and brings back what it wishes logged."""

import os
from pathlib import Path
from typing import Optional
from urllib.parse import quote, urlsplit

import requests

from modelgenerator.long_context.monitor.files import (
    APPENDED,
    CONTROL,
    LARGEST_PART,
    RUN,
    open_file,
    write_json,
)
from modelgenerator.long_context.monitor.runs import Runs, file_mark
from modelgenerator.long_context.monitor.server import TOKEN, is_loopback

TIMEOUT = 30.0
STALLED_SECONDS = 3600.0  # a run this silent is not asked about


class Sender:
    """Sends what is new in a folder of runs.

    Args:
        root: Folder of runs.
        address: Of the page, such as https://runs.example.org.
        token: As the page was given.

    Attributes:
        refused: Why the page took no more of a run, by the run's name; others are sent.

    Raises:
        ValueError: If the address is none, or the token could be read on the way to it.
    """

    def __init__(self, root: Path, address: str, token: str):
        self.root = Path(root)
        self.refused: dict[str, str] = {}
        self._address = check_address(address)
        self._runs = Runs(self.root)
        self._session = requests.Session()
        self._session.auth = _Bearer(token)
        self._there: dict[tuple[str, str], int] = {}  # bytes of each file that have arrived
        self._records: dict[str, tuple[tuple, bytes]] = {}  # by inode and time
        self._controls: dict[str, dict] = {}
        self._met = False  # whether the page has answered

    def send(self) -> int:
        """Send what is new, at most one part of each file; returns the bytes sent.

        Raises:
            ValueError: If the page refuses the token, or takes no runs.
            requests.RequestException: If the page cannot be reached, or is in trouble.
        """
        sent = 0
        for run in self._runs.listing(STALLED_SECONDS):
            try:
                sent += self._send_record(run.name)
                sent += sum(self._send_part(run.name, file) for file in APPENDED)
                if run.state == "running":
                    self._fetch_control(run.name)
            except _Refused as error:
                self.refused[run.name] = str(error)
        return sent

    def _send_record(self, run: str) -> int:
        mark = file_mark(self.root / run / RUN)
        before, content_before = self._records.get(run, (None, b""))
        if mark is None or mark == before:
            return 0
        content = self._read(run, RUN, 0)
        if not content or content == content_before:
            return 0
        try:
            self._ask("PUT", run, RUN, content)
        except _Refused:
            self._records[run] = (mark, content)  # tried again when it has changed
            raise
        self._records[run] = (mark, content)
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
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        if answer.status_code in (200, 404, 405) and not is_json:
            said = f"{self._address} takes no runs. Is it the page, and was that started with"
            # Once it did, it is something between that will pass.
            raise (requests.RequestException if self._met else ValueError)(f"{said} {TOKEN} set?")
        self._met = True
        if answer.status_code == 404 and file == CONTROL:
            return None
        if answer.status_code in (400, 404, 413):
            raise _Refused(f"{file}: {answer.text[:200].strip()}")
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


def check_address(address: str) -> str:
    """The address of a page without its last slash.

    Raises:
        ValueError: If it is none, or what is sent to it could be read by others on the way.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"address: {address!r}; give one such as https://runs.example.org")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(
            f"address: {address} would send the token unencrypted. Give an https:// address, or "
            "forward a port (ssh -L 8501:127.0.0.1:8501) and give http://127.0.0.1:8501"
        )
    return address.rstrip("/")


class _Refused(Exception):
    """The page does not take this run; it may take others."""


class _Bearer(requests.auth.AuthBase):
    """The token, which a ~/.netrc with this host in it would else replace."""

    def __init__(self, token: str):
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request
