# SPDX-License-Identifier: Apache-2.0
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from modelgenerator.long_context.monitor.jsonl import Reader, Writer


@pytest.fixture
def run(tmp_path):
    (tmp_path / "a").mkdir()
    return tmp_path / "a" / "metrics.jsonl"


@pytest.fixture
def reader(run, tmp_path):
    return Reader(tmp_path, "a", "metrics.jsonl")


def test_only_what_is_new(run, reader):
    assert reader.read() == ([], False)
    writer = Writer(run)
    writer.append({"step": 1})
    assert reader.read() == ([{"step": 1}], False)
    assert reader.read() == ([], False)
    writer.append({"step": 2, "loss": float("nan")})
    assert reader.read() == ([{"step": 2, "loss": "nan"}], False)


def test_a_torn_last_line_waits_for_its_end(run, reader):
    run.write_text('{"step": 1}\n{"step": ')
    assert reader.read()[0] == [{"step": 1}]
    assert reader.behind == len('{"step": ')
    with run.open("a") as file:
        file.write("2}\n")
    assert reader.read()[0] == [{"step": 2}]
    assert reader.skipped == 0


def test_a_line_torn_by_a_crash_is_the_only_one_lost(run, reader):
    run.write_text('{"step": 1}\n{"step": 2, "lo')
    Writer(run).append({"step": 3})
    assert reader.read()[0] == [{"step": 1}, {"step": 3}]
    assert reader.skipped == 1


@pytest.mark.parametrize("bad", [b"not json", b"[1, 2]", b"7", b"\xff\xfe", b"{" * 5000, b"NaN"])
def test_lines_that_are_no_object_are_skipped(run, reader, bad):
    run.write_bytes(b'{"step": 1}\n' + bad + b'\n\n{"step": 2}\n')
    assert reader.read()[0] == [{"step": 1}, {"step": 2}]
    assert reader.skipped == 1


def test_a_file_begun_anew_is_read_anew(run, reader):
    run.write_text('{"step": 1}\n{"step": 2}\n')
    reader.read()
    run.write_text('{"step": 1}\n')  # shorter
    assert reader.read() == ([{"step": 1}], True)
    other = run.with_name("other")
    other.write_text('{"step": 1}\n{"step": 5}\n{"step": 6}\n')
    os.replace(other, run)  # another file of that name
    assert reader.read()[0][-1] == {"step": 6}
    run.unlink()
    assert reader.read() == ([], True)


def test_long_files_are_read_in_parts(run, reader):
    run.write_text("".join(f'{{"step": {i}}}\n' for i in range(1000)))
    found, calls = [], 0
    while reader.behind or not calls:
        found += reader.read(most=1000)[0]
        calls += 1
    assert [record["step"] for record in found] == [*range(1000)]
    assert calls > 10


def test_a_line_longer_than_a_part_does_not_block(run, reader):
    run.write_text('{"step": 1}\n' + "x" * 5000 + '\n{"step": 2}\n')
    found = [record for _ in range(10) for record in reader.read(most=1000)[0]]
    assert found == [{"step": 1}, {"step": 2}]
    assert reader.skipped


def test_a_full_disk_is_an_error():
    with pytest.raises(OSError, match="No space left"):
        Writer("/dev/full").append({"step": 1})


WRITER = """
import sys, time
from pathlib import Path
from modelgenerator.long_context.monitor.jsonl import Writer
writer, end, step = Writer(Path(sys.argv[1])), time.time() + float(sys.argv[2]), 0
while time.time() < end:
    step += 1
    writer.append({"step": step, "text": "x" * (step * 37 % 4000)})
print(step)
"""


def read_while_written(run, tmp_path, seconds):
    """One process writes, two threads read; gives what each reader found and what was written."""
    script = tmp_path / "writer.py"
    script.write_text(textwrap.dedent(WRITER))
    writer = subprocess.Popen(
        [sys.executable, script, run, str(seconds)], stdout=subprocess.PIPE, text=True
    )
    found = [[], []]
    readers = [Reader(tmp_path, "a", "metrics.jsonl") for _ in found]

    def follow(index):
        while writer.poll() is None:
            found[index] += readers[index].read()[0]
            time.sleep(0.001)
        found[index] += readers[index].read(most=2**30)[0]

    threads = [threading.Thread(target=follow, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = int(writer.communicate()[0])
    for index, reader in enumerate(readers):
        while reader.behind:
            found[index] += reader.read()[0]
        assert reader.skipped == 0, "a torn read"
    return found, written


@pytest.mark.parametrize("seconds", [2, pytest.param(60, marks=pytest.mark.slow)])
def test_two_readers_and_a_writer(run, tmp_path, seconds):
    found, written = read_while_written(run, tmp_path, seconds)
    assert written > 100
    for records in found:
        assert [record["step"] for record in records] == [*range(1, written + 1)]
        assert all(len(r["text"]) == r["step"] * 37 % 4000 for r in records)
