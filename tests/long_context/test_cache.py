# SPDX-License-Identifier: Apache-2.0
"""Folders that are being made, and what is left of those that were not finished."""

import multiprocessing

from modelgenerator.long_context.cache import partial_folders, partial_name


def unfinished(folder, name="genome"):
    (folder / partial_name(name)).mkdir(parents=True)


def hidden(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_what_was_left_is_removed_and_nothing_else(tmp_path):
    unfinished(tmp_path)
    for name in ("genome", ".download-0123456789abcdef"):
        (tmp_path / name).mkdir()
    with partial_folders(tmp_path):
        assert hidden(tmp_path) == [".download-0123456789abcdef"]
    assert (tmp_path / "genome").exists()


def _hold(folder, ready, stop):
    with partial_folders(folder):
        unfinished(folder)
        ready.set()
        stop.wait(60)


def test_while_another_process_is_at_work_nothing_is_removed(tmp_path):
    context = multiprocessing.get_context("fork")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=_hold, args=(tmp_path, ready, stop))
    process.start()
    assert ready.wait(60)
    with partial_folders(tmp_path):
        assert len(hidden(tmp_path)) == 1
    process.kill()
    process.join()
    with partial_folders(tmp_path):
        assert hidden(tmp_path) == []
