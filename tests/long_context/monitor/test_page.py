# SPDX-License-Identifier: Apache-2.0
"""The page in a real browser, Debian's chromium, beside a real `mgen fit`."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("streamlit", reason="the extra [monitor] is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium: apt-get install chromium"),
]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
PASSWORD = "correct horse"
WAIT = 180_000  # ms; a busy machine is slow
BIN = Path(sys.executable).parent
STEPS = "(name) => document.querySelector(`[class*='st-key-panel-${name}'] .js-plotly-plot`)"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        browser = p.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def server(folder, *options):
    """`mgen-lc monitor` on a free port; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [BIN / "mgen-lc", "monitor", folder, "--port", port, *options]
    environment = {**os.environ, "MGEN_LC_MONITOR_PASSWORD": PASSWORD}
    process = subprocess.Popen([*map(str, command)], env=environment, stdout=subprocess.PIPE)
    try:
        deadline = time.time() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, "the server ended"
            assert time.time() < deadline
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def open_page(browser, request):
    """Open an address; in the end no request may have gone elsewhere, and no script have run."""
    pages = []

    def open_page(address, **options):
        page = browser.new_page(viewport={"width": 1280, "height": 1000}, **options)
        page.elsewhere, page.dialogs, page.heard = [], [], []
        host = address.split("//")[1]
        page.on("request", lambda r: page.elsewhere.append(r.url) if host not in r.url else None)
        page.on("websocket", lambda w: w.on("framereceived", lambda _: page.heard.append(1)))
        page.on("dialog", lambda d: (page.dialogs.append(d.message), d.dismiss()))
        page.goto(address)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        elsewhere = [url for url in page.elsewhere if not url.startswith(("data:", "blob:"))]
        dialogs = page.dialogs
        page.close()
        assert elsewhere == []
        assert dialogs == []


@contextmanager
def training(root, folder, *options, at_least=1):
    """A tiny `mgen fit` that the callback records as run "tiny", once that has some lines."""
    checkpoints = {
        "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
        "init_args": {
            "dirpath": str(folder.parent), "save_last": True, "every_n_train_steps": 20,
            "save_top_k": 0,
        },
    }  # fmt: skip
    overlay = folder.parent / "checkpoints.json"
    overlay.write_text(json.dumps({"trainer": {"callbacks": [checkpoints]}}))
    command = [
        BIN / "mgen", "fit", "--config", "configs/yarn_16x.yaml", "--config", "configs/tiny.yaml",
        "--config", overlay, "--config", "configs/monitor.yaml",
        "--data.window", 64, "--data.lengths", "[64]",
        "--data.copies_per_window", 0, "--data.copy_share", 0, "--trainer.max_steps", 100_000,
        "--trainer.logger", "false", "--trainer.enable_progress_bar", "false",
        "--trainer.callbacks.folder", folder, "--trainer.callbacks.name", "tiny",
        "--trainer.callbacks.shown.alerts.stalled_minutes", 0.1,
        "--trainer.callbacks.logged.eval_every_n_steps", 0,
        "--trainer.default_root_dir", folder.parent, *options,
    ]  # fmt: skip
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with open(folder.parent / "fit.log", "ab") as log:
        process = subprocess.Popen([*map(str, command)], cwd=root, env=environment, stderr=log)
    try:
        deadline = time.time() + 600
        metrics = folder / "tiny" / "metrics.jsonl"
        while not metrics.exists() or len(metrics.read_text().splitlines()) < at_least:
            assert process.poll() is None, (folder.parent / "fit.log").read_text()[-3000:]
            assert time.time() < deadline
            time.sleep(0.2)
        yield process
    finally:
        process.kill()
        process.wait()


def points(page, panel, trace=0):
    """How many points a line of a panel has."""
    return page.evaluate(f"(name) => ({STEPS})(name)?.data?.[{trace}]?.x.length ?? 0", panel)


def wait_for_points(page, panel, at_least, timeout=WAIT):
    condition = f"([name, n]) => (({STEPS})(name)?.data?.[0]?.x.length ?? 0) >= n"
    page.wait_for_function(condition, arg=[panel, at_least], timeout=timeout)


def switch_on(page, panel):
    """Choose a panel, by one click."""
    box = page.get_by_role("combobox", name="Panels, in order")
    box.click()
    box.fill(panel)
    page.get_by_role("option", name=panel).click()
    wait_for_points(page, panel, 1)


def sign_in(page, password):
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_run_from_start_to_stall(root, tmp_path, open_page):
    """A curve that grows, a zoom that stays, a panel switched, a run killed and resumed."""
    folder = tmp_path / "runs"
    with server(folder) as address:
        page = open_page(address)
        page.get_by_text("No runs yet").wait_for(timeout=WAIT)
        with training(root, folder) as process:
            page.get_by_text("tiny · running").wait_for(timeout=WAIT)
            wait_for_points(page, "train_loss", 2)
            written = len((folder / "tiny" / "metrics.jsonl").read_text().splitlines())
            started = time.monotonic()
            wait_for_points(page, "train_loss", written)
            # Within 5 s; a machine that is busy with other things is given longer.
            busy = os.getloadavg()[0] / os.cpu_count()
            assert time.monotonic() - started < 5 * max(1.0, 2 * busy)

            plot = "document.querySelector('[class*=st-key-panel-train_loss] .js-plotly-plot')"
            page.evaluate(f"window.Plotly.relayout({plot}, {{'xaxis.range': [1, 2]}})")
            page.evaluate(f"{plot}.mine = true")
            before = points(page, "train_loss")
            wait_for_points(page, "train_loss", before + 1)
            assert page.evaluate(f"{plot}._fullLayout.xaxis.range") == [1, 2], "zoom is kept"
            assert page.evaluate(f"{plot}.mine"), "updated in place, not drawn anew"

            page.get_by_text("Panels", exact=True).first.click()
            switch_on(page, "monitor_share")

            deadline = time.time() + 60
            while not (tmp_path / "last.ckpt").exists() and time.time() < deadline:
                time.sleep(0.2)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            page.get_by_text("tiny · stalled").wait_for(timeout=WAIT)
            page.get_by_text("nothing new for").first.wait_for(timeout=WAIT)
            wait_for_points(page, "monitor_share", 1)
        shutil.copytree(folder / "tiny", folder / "second")
        page.get_by_text("second · running").or_(page.get_by_text("second · stalled")).click()
        two = f"(name) => (({STEPS})(name)?.data ?? []).length === 2"
        page.wait_for_function(two, arg="train_loss", timeout=WAIT)

        lines = len((folder / "tiny" / "metrics.jsonl").read_text().splitlines())
        with training(root, folder, "--ckpt_path", tmp_path / "last.ckpt", at_least=lines + 2):
            page.get_by_text("tiny · running").wait_for(timeout=WAIT)
        assert {run.name for run in folder.iterdir()} == {"tiny", "second"}


def test_what_is_logged_is_changed_by_who_signed_in(root, tmp_path, open_page):
    folder = tmp_path / "runs"
    with server(folder) as address, training(root, folder):
        page = open_page(address)
        page.get_by_text("What is logged").click()
        page.get_by_text("Sign in to change").wait_for(timeout=WAIT)
        assert page.get_by_role("button", name="Apply").count() == 0
        sign_in(page, PASSWORD)
        page.get_by_role("button", name="Sign out").wait_for(timeout=WAIT)
        page.get_by_label("Metrics, separated by spaces").fill("train_loss lr")
        page.get_by_role("button", name="Apply").click()
        page.get_by_text("The run takes it up").wait_for(timeout=WAIT)
        deadline = time.time() + 60
        while True:
            last = (folder / "tiny/metrics.jsonl").read_text().splitlines()[-1]
            if set(json.loads(last)) == {"step", "tokens", "time", "train_loss", "lr"}:
                break
            assert time.time() < deadline, last
            time.sleep(0.5)

        page.get_by_text("Panels", exact=True).first.click()
        page.get_by_role("button", name="Save these panels").click()
        page.get_by_text("Saved.").wait_for(timeout=WAIT)
        assert json.loads((folder / "monitor.json").read_text())["runs"] == ["tiny"]


def test_ten_wrong_passwords(make_run, tmp_path, open_page):
    """Still out, and slower each time."""
    make_run("a")
    with server(tmp_path, "--private", "true") as address:
        page = open_page(address)
        page.get_by_text("Sign in, in the side bar").wait_for(timeout=WAIT)
        waited = []
        for index in range(10):
            heard, deadline = len(page.heard), time.time() + WAIT / 1000
            sign_in(page, f"wrong {index}")
            while len(page.heard) == heard:  # what was said of the last try still stands there
                assert time.time() < deadline
                page.wait_for_timeout(100)
            page.wait_for_timeout(1000)
            page.get_by_text("Wrong password.").or_(page.get_by_text("Too many")).wait_for(
                timeout=WAIT
            )
            waited.append("Too many" in page.inner_text("body"))
        assert not waited[0]
        assert any(waited[4:])
        sign_in(page, PASSWORD)
        page.get_by_text("Too many wrong tries").wait_for(timeout=WAIT)
        assert page.get_by_text("a · running").count() == 0


def test_hostile_runs_do_nothing(make_run, tmp_path, open_page):
    """Scripts, Markdown and links in names, metrics, errors and settings are text."""
    picture = "![x](http:198.51.100.7)"
    name = f"<img src=x onerror=alert(1)> {picture} :red[x] $x$"
    recorder = make_run(name, config={"<script>alert(2)": "<img src=x onerror=alert(3)>"})
    recorder.log(4, 400, {"<img src=x onerror=alert(4)>": 1.0, "train_loss": float("nan")})
    recorder.curve(
        "loss_by_position", 1, [{"x": 1, "y": 2, "line": "<img src=x onerror=alert(5)>"}]
    )
    recorder.fail(RuntimeError(f"<script>alert(6)</script> {picture} [a](javascript:alert(7))"))
    (tmp_path / "outside.json").write_text('{"secret": 1}')
    make_run("b", config={"x": 1}, shown={"panels": ["*"]})
    with server(tmp_path) as address:
        page = open_page(address)
        # In the line of runs and in the warning, whichever comes first.
        page.get_by_text(f"{name}: failed").first.wait_for(timeout=WAIT)
        wait_for_points(page, "train_loss", 3)
        titles = page.evaluate(
            "[...document.querySelectorAll('.modebar-btn')].map((b) => b.dataset.title)"
        )
        assert "Zoom in" in titles
        assert not [title for title in titles if "loud" in title], "no upload of a chart"
        page.get_by_text("Configuration: what differs").click()
        page.get_by_text("About the runs").click()
        page.wait_for_timeout(3000)
        assert page.locator("img[src='x'], img[src*='198.51.100.7']").count() == 0
        assert page.locator("a[href^='javascript']").count() == 0
        for path in ("/..%2f..%2foutside.json", "/app/static/../outside.json", "/b/run.json"):
            assert "secret" not in page.request.get(address + path).text()


def test_many_runs_on_a_phone(tmp_path, open_page):
    for index in range(2000):
        (tmp_path / f"run-{index:04}").mkdir()
        record = {"state": "finished", "started": index}
        (tmp_path / f"run-{index:04}" / "run.json").write_text(json.dumps(record))
    with open(tmp_path / "run-1999" / "metrics.jsonl", "w") as file:
        file.writelines(f'{{"step": {i}, "train_loss": {1 / i}}}\n' for i in range(1, 20_001))
        file.write('{"step": 20001, "train_lo')  # torn
    with server(tmp_path) as address:
        page = open_page(address, is_mobile=False, has_touch=True)
        page.set_viewport_size({"width": 390, "height": 844})
        wait_for_points(page, "train_loss", 1000)
        assert points(page, "train_loss", 2) <= 2000
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, "nothing to scroll sideways"
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_text("and 1,970 more").wait_for(timeout=WAIT)
        page.get_by_label("Find a run").fill("run-0007")
        page.get_by_label("Find a run").press("Enter")
        page.get_by_text("run-0007 · finished").wait_for(timeout=WAIT)
