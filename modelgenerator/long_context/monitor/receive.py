# SPDX-License-Identifier: Apache-2.0
"""Takes runs that another machine sends over HTTP (`mgen-lc push`), for who knows the token."""

import hmac
import json
import os
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from modelgenerator.long_context.monitor.files import (
    APPENDED,
    CONTROL,
    LARGEST_PART,
    RUN,
    check_run_name,
    open_file,
    read_json,
    write_json,
)

PATH = "/push/{run}/{file}"


def routes(root: Path, token: str) -> list[Route]:
    """The one route: GET asks for a control file or a size, PUT sends a part of a file.

    A part says in `offset` where it belongs. One that does not follow what is here already is
    answered with 409 and the size so far; offset 0 begins anew.

    Args:
        root: Folder of runs to write to.
        token: What a sender must know.
    """

    async def exchange(request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), token.encode()):
            return _refuse(401, "wrong token")
        run, file = request.path_params["run"], request.path_params["file"]
        if request.method == "GET":
            return await run_in_threadpool(_answer, root, run, file)
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_PART:
                return _refuse(413, f"more than {LARGEST_PART} bytes")
        offset = request.query_params.get("offset", "0")
        return await run_in_threadpool(_take, root, run, file, offset, body)

    return [Route(PATH, exchange, methods=["GET", "PUT"])]


def _refuse(status: int, reason: str) -> JSONResponse:
    return JSONResponse({"error": reason}, status)


def _answer(root: Path, run: str, file: str) -> Response:
    """The control file, or how much of another file is here."""
    try:
        if file == CONTROL:
            content = read_json(root, run, CONTROL)
            return _refuse(404, "no such file") if content is None else JSONResponse(content)
        if file not in APPENDED:
            return _refuse(404, "no such file")
        here = open_file(root, run, file)
    except FileNotFoundError:
        return JSONResponse({"size": 0})
    except (OSError, ValueError) as error:
        return _refuse(400, str(error))
    size = os.fstat(here).st_size
    os.close(here)
    return JSONResponse({"size": size})


def _take(root: Path, run: str, file: str, offset: str, body: bytes) -> Response:
    """Write a part, or the whole of a run's record."""
    if file not in (RUN, *APPENDED):
        return _refuse(404, "no such file")
    try:
        check_run_name(run)
        start = int(offset)
        content = json.loads(body) if file == RUN else None
        if file == RUN and not isinstance(content, dict):
            raise ValueError("not a JSON object")
        (root / run).mkdir(parents=True, exist_ok=True)
        if file == RUN:
            write_json(root, run, RUN, content)
            return JSONResponse({"size": len(body)})
        return _append(root, run, file, start, body)
    except OSError as error:
        return _refuse(507, error.strerror or "cannot be written")
    except (ValueError, RecursionError) as error:
        return _refuse(400, str(error)[:200])


def _append(root: Path, run: str, file: str, start: int, body: bytes) -> Response:
    folder = os.open(root / run, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        target = os.open(file, flags, 0o644, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        size = os.fstat(target).st_size
        if start not in (0, size):
            return JSONResponse({"size": size}, 409)
        if start < size:
            os.ftruncate(target, 0)
        written = os.pwrite(target, body, start)
    finally:
        os.close(target)
    return JSONResponse({"size": start + written})
