# SPDX-License-Identifier: Apache-2.0
"""Processes that can write little, write nowhere, or are killed."""

import ctypes
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

import pytest

CAPABILITIES_3 = 0x20080522  # <linux/capability.h>


def limit_file_size(most):
    """No file of this process can grow beyond so many bytes: writing more fails, as on a full disk.

    The error is EFBIG where a full disk's is ENOSPC; both are an `OSError` in the middle of a
    write. Unlike a small file system, this needs no rights.
    """
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


def drop_rights():
    """Root loses its rights over files: permissions then count for it as for anybody."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_3, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capset")


def _call(function, arguments, restrict, report):
    try:
        restrict()
        report.send((None, function(*arguments)))
    except BaseException as error:
        report.send((f"{type(error).__name__}: {error}", traceback.format_exc()))


@pytest.fixture
def outcome():
    """Call a function in a process that was restricted first: the error in words, and a result."""

    def outcome(restrict, function, *arguments):
        context = multiprocessing.get_context("fork")
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_call, args=(function, arguments, restrict, theirs))
        process.start()
        assert mine.poll(120), "no answer"
        found = mine.recv()
        process.join()
        return found

    return outcome


@pytest.fixture
def start(root, tmp_path):
    """Start a command of the environment; what is still running in the end is killed."""
    started = []

    def start(*command, restrict=None, **environment):
        command = [str(Path(sys.executable).parent / command[0]), *map(str, command[1:])]
        with (tmp_path / f"log-{len(started)}").open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=root,
                env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
                stdout=log,
                stderr=log,
                preexec_fn=restrict,
            )
        process.log = Path(log.name)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def stopped_when(process, seen, seconds=400):
    """Stop a process at the moment that `seen()` is true of it, and kill it there.

    It is stopped first and looked at again, so that what was seen still holds when it dies.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, process.log.read_text()[-3000:]
        if seen():
            process.send_signal(signal.SIGSTOP)
            if seen():
                process.kill()
                process.wait()
                return
            process.send_signal(signal.SIGCONT)
        time.sleep(0.001)
    raise AssertionError("it never came to that")
