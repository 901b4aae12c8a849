# SPDX-License-Identifier: Apache-2.0
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from modelgenerator.long_context.genomes.download import download

CONTENT = bytes(range(256)) * 40


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT with ranges; /cut breaks off half way, /whole knows no ranges.

    /chunks breaks off too, without having said how long it would be.
    """

    asked = []

    def do_GET(self):
        given = self.headers.get("Range")
        self.asked.append(given)
        start = int(re.match(r"bytes=(\d+)-", given)[1]) if given and self.path != "/whole" else 0
        if self.path == "/missing":
            self.send_error(404)
            return
        if start >= len(CONTENT):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
            self.end_headers()
            return
        if self.path == "/chunks":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf")
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/cut" else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def url():
    Handler.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_whole(url, tmp_path):
    assert download(f"{url}/x", tmp_path / "x").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_goes_on_where_it_broke_off(url, tmp_path):
    with pytest.raises(ValueError, match="broke off after 5,120 of 10,240 bytes.*goes on where"):
        download(f"{url}/cut", tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x.part"]
    assert download(f"{url}/x", tmp_path / "x").read_bytes() == CONTENT
    assert Handler.asked == [None, "bytes=5120-"]


@pytest.mark.parametrize("path", ["whole", "x"])
def test_a_part_that_is_the_whole_or_a_server_without_ranges(url, tmp_path, path):
    (tmp_path / "x.part").write_bytes(CONTENT if path == "x" else CONTENT[:99])
    assert download(f"{url}/{path}", tmp_path / "x").read_bytes() == CONTENT


def test_a_part_of_another_file_is_not_taken_for_the_whole(url, tmp_path):
    (tmp_path / "x.part").write_bytes(CONTENT + b"more")
    with pytest.raises(ValueError, match="there are 10,244 bytes, and the file has 10240"):
        download(f"{url}/x", tmp_path / "x")
    assert download(f"{url}/x", tmp_path / "x").read_bytes() == CONTENT


def test_breaks_off_without_having_said_how_long_it_is(url, tmp_path):
    with pytest.raises(ValueError, match="Cannot fetch .*/chunks: .*goes on where it stopped"):
        download(f"{url}/chunks", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_unreachable(url, tmp_path):
    with pytest.raises(ValueError, match="HTTP Error 404.*Check the address"):
        download(f"{url}/missing", tmp_path / "x")
    with pytest.raises(ValueError, match="Cannot fetch http://127.0.0.1:1/x: .*give a local file"):
        download("http://127.0.0.1:1/x", tmp_path / "x")
    assert not (tmp_path / "x").exists()
