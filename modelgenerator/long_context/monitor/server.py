# SPDX-License-Identifier: Apache-2.0
"""Starts the page: one process, one port, nothing fetched from elsewhere."""

import ipaddress
import os
import socket
from pathlib import Path
from typing import Optional

from modelgenerator.long_context.monitor import context
from modelgenerator.long_context.monitor.password import PREFIX, Password, hash_password
from modelgenerator.long_context.monitor.runs import Runs

PASSWORD = "MGEN_LC_MONITOR_PASSWORD"
TOKEN = "MGEN_LC_MONITOR_TOKEN"
SHORTEST_TOKEN = 20
HERE = Path(__file__).parent


def serve(
    root: Path,
    host: str,
    port: int,
    password_file: Optional[str] = None,
    server_address: Optional[str] = None,
    private: bool = False,
) -> None:
    """Serve the page until it is stopped.

    Args:
        root: Folder of runs.
        host: Address to listen at.
        port: Port to listen at.
        password_file: File with the hash of the password; else it is in the environment, if at all.
        server_address: Name of the public address, where a proxy stands before the page.
        private: Whether one must sign in to see anything.

    Raises:
        ValueError: If Streamlit is not installed, the port is taken, or an address that others can
            reach is asked for without a password.
    """
    try:
        import plotly
        from starlette.responses import FileResponse
        from starlette.routing import Route
        from streamlit.starlette import App
    except ModuleNotFoundError as error:
        raise ValueError(
            f"The training page needs {error.name}, which is not installed. Install the extra: "
            'pip install -c constraints.txt "modelgenerator-long-context[monitor]"'
        ) from None
    root = root.absolute()
    if root.exists() and not root.is_dir():
        raise ValueError(f"runs: {root} is a file; give the folder that runs are written to.")
    password = read_password(password_file)
    check_host(host, password is not None)
    if private and password is None:
        raise ValueError(f"private: nobody could sign in. Set {PASSWORD} or give password_file.")
    check_port(host, port)
    context.CURRENT = context.Context(Runs(root), password, private)

    library = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"

    def plotly_js(request):
        return FileResponse(library, headers={"Cache-Control": "public, max-age=86400"})

    found = [Route("/plotly.min.js", plotly_js)]
    token = read_token()
    if token is not None:
        from modelgenerator.long_context.monitor.receive import routes

        found += routes(root, token)
    app = App(HERE / "page.py", routes=found)
    settings = {
        "server.address": host,
        "server.port": port,
        "server.headless": True,
        "server.fileWatcherType": "none",
        "server.maxUploadSize": 1,
        "browser.gatherUsageStats": False,
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "global.developmentMode": False,
    }
    if server_address is not None:
        settings["browser.serverAddress"] = server_address
    shown = f"[{host}]" if ":" in host else host
    print(f"Runs in {root}\nPage at http://{shown}:{port}\nStop with Ctrl-C.", flush=True)
    app.run(config=settings)


def read_password(file: Optional[str]) -> Optional[Password]:
    """The password from a file that holds its hash, or the environment; None without either.

    The environment may hold the password or its hash.

    Raises:
        ValueError: If the file cannot be read, or what it holds is no hash.
    """
    if file is not None:
        try:
            return Password(Path(file).read_text().strip())
        except OSError as error:
            raise ValueError(f"password_file: {file} cannot be read ({error.strerror}).") from None
    given = os.environ.get(PASSWORD)
    if not given:
        return None
    return Password(given if given.startswith(f"{PREFIX}$") else hash_password(given))


def read_token() -> Optional[str]:
    """What senders of runs must know, from the environment; None takes no runs from elsewhere.

    Raises:
        ValueError: If it is short enough to be guessed.
    """
    token = os.environ.get(TOKEN)
    if token and len(token) < SHORTEST_TOKEN:
        raise ValueError(
            f"{TOKEN} has {len(token)} characters; give at least {SHORTEST_TOKEN}, such as from: "
            "python -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return token or None


def check_host(host: str, has_password: bool) -> None:
    """Refuse an address that others can reach, unless a password guards what can be changed.

    Raises:
        ValueError: If it does not.
    """
    if not has_password and not is_loopback(host):
        raise ValueError(
            f"host: {host} can be reached from elsewhere, and there is no password. Set "
            f"{PASSWORD}, or give password_file (mgen-lc password makes one), or keep to 127.0.0.1."
        )


def is_loopback(host: str) -> bool:
    """Whether an address or name is that of this machine, seen from itself only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_port(host: str, port: int) -> None:
    """Refuse a port that cannot be listened at, and name the next that can.

    Raises:
        ValueError: If the port is out of range or taken, or the host is not this machine's.
    """
    if not 1 <= port <= 65535:
        raise ValueError(f"port: {port}; give a number from 1 to 65535.")
    reason = _why_not(host, port)
    if reason is None:
        return
    free = (p for p in range(port + 1, min(port + 200, 65536)) if _why_not(host, p) is None)
    next_free = next(free, None)
    if next_free is None:
        raise ValueError(f"host, port: cannot listen at {host}:{port} ({reason}).")
    raise ValueError(f"port: {port} cannot be used ({reason}). {next_free} is free.")


def _why_not(host: str, port: int) -> Optional[str]:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or str(error)
    return None
