# SPDX-License-Identifier: Apache-2.0
"""`mgen-lc password`: the hash of a password for the live page."""

from jsonargparse import ArgumentParser, Namespace

HELP = "Print the hash of a password, for mgen-lc monitor --password_file."


def add_arguments(parser: ArgumentParser) -> None:
    """It has no options: a password on a command line can be read by others."""


def run(options: Namespace) -> None:
    """Ask for the password without showing it, and print its hash.

    Raises:
        ValueError: If it is too short, or not the same twice.
    """
    from getpass import getpass

    from modelgenerator.long_context.monitor.password import hash_password

    password = getpass("Password: ")
    if password != getpass("Again: "):
        raise ValueError("The two passwords are not the same.")
    print(hash_password(password))
