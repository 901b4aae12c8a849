# SPDX-License-Identifier: Apache-2.0
"""Runs sent over real HTTP, from one folder to another."""

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import requests

starlette = pytest.importorskip("starlette", reason="the extra [monitor] is not installed")
uvicorn = pytest.importorskip("uvicorn", reason="the extra [monitor] is not installed")

from modelgenerator.long_context.monitor.files import LARGEST_PART, write_json  # noqa: E402
from modelgenerator.long_context.monitor.jsonl import Writer  # noqa: E402
from modelgenerator.long_context.monitor.receive import routes  # noqa: E402
from modelgenerator.long_context.monitor.record import Recorder  # noqa: E402
from modelgenerator.long_context.monitor.send import Sender  # noqa: E402
from modelgenerator.long_context.monitor.server import TOKEN as VARIABLE  # noqa: E402
from modelgenerator.long_context.monitor.server import read_token  # noqa: E402

TOKEN = "a token that is long enough"


@pytest.fixture
def there(tmp_path):
    return tmp_path / "there"


@contextmanager
def served(app):
    """Address of an application."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def address(there):
    """A server that takes runs into `there`."""
    from starlette.applications import Starlette

    with served(Starlette(routes=routes(there, TOKEN))) as address:
        yield address


@pytest.fixture
def here(tmp_path):
    return tmp_path / "here"


@pytest.fixture
def recorder(here):
    """A run with two steps and a curve."""
    recorder = Recorder(here, "run 1 <b>")
    recorder.begin({"method": "yarn"})
    for step in (1, 2):
        recorder.log(step, step, {"train_loss": 1.0})
    recorder.curve("loss_by_position", 2, [{"x": 0, "y": 1}])
    return recorder


def files(folder):
    return {path.name: path.read_text() for path in folder.glob("*/*.json*")}


def test_a_run_arrives_as_it_is_and_grows(here, there, address, recorder):
    sender = Sender(here, address, TOKEN)
    assert sender.send() > 0
    assert files(there).keys() == {"run.json", "metrics.jsonl", "loss_by_position.jsonl"}
    assert sender.send() == 0, "nothing is new"
    recorder.log(3, 3, {"train_loss": float("nan")})
    recorder.finish()
    sender.send()
    expected = files(here)
    assert json.loads(files(there)["run.json"]) == json.loads(expected["run.json"])
    assert files(there)["metrics.jsonl"] == expected["metrics.jsonl"]


def test_a_sender_that_begins_again_sends_no_line_twice(here, there, address, recorder):
    Sender(here, address, TOKEN).send()
    recorder.log(3, 3, {})
    Sender(here, address, TOKEN).send()
    assert files(there)["metrics.jsonl"] == files(here)["metrics.jsonl"]


def test_long_files_are_sent_in_parts(here, there, address, recorder):
    path = here / recorder.name / "metrics.jsonl"
    with path.open("a") as file:
        file.writelines(f'{{"step": {i}, "x": "{"x" * 900}"}}\n' for i in range(10_000))
    sender = Sender(here, address, TOKEN)
    assert sum(sender.send() > LARGEST_PART // 2 for _ in range(3)) >= 2
    sender.send()
    assert files(there)["metrics.jsonl"] == path.read_text()


def test_a_run_begun_anew_is_sent_anew(here, there, address, recorder):
    sender = Sender(here, address, TOKEN)
    sender.send()
    path = here / recorder.name / "metrics.jsonl"
    path.unlink()
    Writer(path).append({"step": 1})
    sender.send()
    assert files(there)["metrics.jsonl"] == '{"step": 1}\n'


def test_what_the_page_wishes_logged_comes_back(here, there, address, recorder):
    sender = Sender(here, address, TOKEN)
    sender.send()
    assert recorder.control() is None
    write_json(there, recorder.name, "control.json", {"every_n_steps": 7})
    sender.send()
    recorder._control_at = -100.0  # do not wait for the next look
    assert recorder.control().every_n_steps == 7


def test_the_token_is_needed(here, there, address, recorder):
    with pytest.raises(ValueError, match="refuses the token"):
        Sender(here, address, "another token").send()
    assert requests.get(f"{address}/push/a/control.json").status_code == 401
    assert not there.exists()


@pytest.mark.parametrize("run", ["..", "..%2F..", "%2Fetc", ".ssh", "a%2Fb", "a%00b"])
@pytest.mark.parametrize("file", ["metrics.jsonl", "run.json"])
def test_no_way_out_of_the_folder(tmp_path, address, run, file):
    before = sorted(tmp_path.rglob("*"))
    request = requests.Request("PUT", address, data=b"{}").prepare()
    request.headers["Authorization"] = f"Bearer {TOKEN}"
    request.url = f"{address}/push/{run}/{file}?offset=0"  # as it stands, not normalised
    assert requests.Session().send(request).status_code in (400, 404)
    assert sorted(tmp_path.rglob("*")) == before


def test_links_and_other_files_are_not_written(tmp_path, there, address):
    there.mkdir()
    (tmp_path / "outside").mkdir()
    (there / "link").symlink_to(tmp_path / "outside")
    (there / "a").mkdir()
    (there / "a" / "metrics.jsonl").symlink_to(tmp_path / "outside" / "x")
    headers = {"Authorization": f"Bearer {TOKEN}"}
    for path, status in (
        ("link/metrics.jsonl", 507),
        ("link/run.json", 507),
        ("a/metrics.jsonl", 507),
        ("a/control.json", 404),
        ("a/page.py", 404),
    ):
        answer = requests.put(f"{address}/push/{path}?offset=0", data=b"{}", headers=headers)
        assert answer.status_code == status, path
    assert list((tmp_path / "outside").iterdir()) == []


def test_parts_that_do_not_fit(address, there):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"{address}/push/a/metrics.jsonl"
    assert requests.put(f"{url}?offset=0", data=b"{}\n", headers=headers).json() == {"size": 3}
    late = requests.put(f"{url}?offset=9", data=b"x", headers=headers)
    assert (late.status_code, late.json()) == (409, {"size": 3})
    assert requests.put(f"{url}?offset=x", data=b"x", headers=headers).status_code == 400
    large = requests.put(f"{url}?offset=3", data=b"x" * (LARGEST_PART + 1), headers=headers)
    assert large.status_code == 413
    record = f"{address}/push/a/run.json"
    assert requests.put(record, data=b"[1]", headers=headers).status_code == 400
    assert requests.put(record, data=b"no", headers=headers).status_code == 400
    assert (there / "a" / "metrics.jsonl").read_text() == "{}\n"


def test_a_page_that_is_down_is_an_error_to_try_again(here, recorder):
    with pytest.raises(requests.RequestException):
        Sender(here, "http://127.0.0.1:9", TOKEN).send()


def test_a_run_that_is_refused_keeps_no_other_back(here, there, address, recorder):
    bad = here / "zzz"
    bad.mkdir()
    (bad / "run.json").write_text('{"started": 9e99, "torn')
    (bad / "metrics.jsonl").write_text('{"step": 1}\n')
    sender = Sender(here, address, TOKEN)
    sender.send()
    assert list(sender.refused) == ["zzz"]
    assert "run.json" in sender.refused["zzz"]
    assert (there / recorder.name / "run.json").exists()
    sender.send()
    assert (there / "zzz" / "metrics.jsonl").exists(), "its metrics, at least"
    (bad / "run.json").write_text('{"started": 9}')
    sender.send()
    assert json.loads((there / "zzz" / "run.json").read_text()) == {"started": 9}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("http://runs.example.org", "would send the token unencrypted. Give an https"),
        ("http://192.168.1.5:8501", "would send the token unencrypted"),
        ("runs.example.org", "give one such as https"),
        ("ftp://runs.example.org", "give one such as https"),
    ],
)
def test_addresses_that_are_refused(here, given, message):
    with pytest.raises(ValueError, match=message):
        Sender(here, given, TOKEN)


def test_addresses_that_are_taken(here):
    for given in ("https://runs.example.org/", "http://localhost:8501", "http://[::1]:8501"):
        Sender(here, given, TOKEN)


def test_a_netrc_does_not_replace_the_token(here, there, address, recorder, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert Sender(here, address, TOKEN).send() > 0


def test_a_page_that_takes_no_runs(here, recorder):
    """As Streamlit answers whatever it does not know: with the page."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse
    from starlette.routing import Route

    page = Route("/{path:path}", lambda request: HTMLResponse("<html>"), methods=["GET", "PUT"])
    with served(Starlette(routes=[page])) as address:
        with pytest.raises(ValueError, match=f"takes no runs.*{VARIABLE} set"):
            Sender(here, address, TOKEN).send()


def test_short_tokens_are_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "short")
    with pytest.raises(ValueError, match="has 5 characters; give at least 20"):
        read_token()
    monkeypatch.delenv(VARIABLE)
    assert read_token() is None
