# SPDX-License-Identifier: Apache-2.0
import socket
import sys

import pytest

from modelgenerator.long_context.monitor.password import hash_password
from modelgenerator.long_context.monitor.server import (
    PASSWORD,
    check_host,
    check_port,
    read_password,
    serve,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_this_machine_needs_no_password(host):
    check_host(host, has_password=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "runs.example.org"])
def test_other_machines_need_a_password(host):
    with pytest.raises(ValueError, match=f"host: {host} can be reached.*Set {PASSWORD}"):
        check_host(host, has_password=False)
    check_host(host, has_password=True)


def test_a_port_in_use_and_the_next_free_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ValueError, match=rf"port: {port} cannot be used \(.*\). \d+ is free"):
            check_port("127.0.0.1", port)
    check_port("127.0.0.1", port)


def test_ports_and_hosts_that_cannot_be():
    with pytest.raises(ValueError, match="port: 70000; give a number from 1 to 65535"):
        check_port("127.0.0.1", 70000)
    with pytest.raises(ValueError, match="host, port: cannot listen at 192.0.2.1:8501"):
        check_port("192.0.2.1", 8501)


def test_passwords_from_file_and_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(PASSWORD, raising=False)
    assert read_password(None) is None
    monkeypatch.setenv(PASSWORD, "correct horse")
    assert read_password(None).matches("correct horse")
    monkeypatch.setenv(PASSWORD, hash_password("battery staple"))
    assert read_password(None).matches("battery staple")
    (tmp_path / "hash").write_text(hash_password("from a file") + "\n")
    assert read_password(str(tmp_path / "hash")).matches("from a file")
    with pytest.raises(ValueError, match="password_file: .*none cannot be read"):
        read_password(str(tmp_path / "none"))
    (tmp_path / "plain").write_text("correct horse")
    with pytest.raises(ValueError, match="hash cannot be read"):
        read_password(str(tmp_path / "plain"))


def test_what_is_refused_before_serving(tmp_path, monkeypatch):
    monkeypatch.delenv(PASSWORD, raising=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="runs: .*file is a file"):
        serve(tmp_path / "file", "127.0.0.1", 8501)
    with pytest.raises(ValueError, match="private: nobody could sign in"):
        serve(tmp_path, "127.0.0.1", 8501, private=True)
    with pytest.raises(ValueError, match=r"host: 0\.0\.0\.0 can be reached"):
        serve(tmp_path, "0.0.0.0", 8501)


@pytest.mark.parametrize("package", ["streamlit.starlette", "plotly"])
def test_a_missing_package_names_the_extra(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    with pytest.raises(ValueError, match=rf"needs {package}.*modelgenerator-long-context\[monitor"):
        serve(tmp_path, "127.0.0.1", 8501)
