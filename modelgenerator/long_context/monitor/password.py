# SPDX-License-Identifier: Apache-2.0
"""The page's one password: kept as a scrypt hash, and slow to guess."""

import base64
import binascii
import hashlib
import hmac
import os
import threading
import time
from collections.abc import Callable

PREFIX = "scrypt"
COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MiB and some 50 ms a try
SHORTEST = 8
FIRST_WAIT, LONGEST_WAIT = 0.25, 30.0


def hash_password(password: str) -> str:
    """A salted hash to keep in a file: "scrypt$16384$8$1$SALT$KEY".

    Raises:
        ValueError: If the password is shorter than 8 characters.
    """
    if len(password) < SHORTEST:
        raise ValueError(f"The password has {len(password)} characters; give at least {SHORTEST}.")
    salt = os.urandom(16)
    key = hashlib.scrypt(password.encode(), salt=salt, **COST)
    parts = [PREFIX, *map(str, COST.values()), *(base64.b64encode(x).decode() for x in (salt, key))]
    return "$".join(parts)


class Password:
    """Checks a password, one try at a time, and makes every wrong one wait longer.

    After k wrong tries in a row, whoever made them, no other is looked at for 0.25 * 2^(k-1)
    seconds, at most 30. The first tries of a person who mistypes cost next to nothing.

    Args:
        hashed: From `hash_password`.
        clock: Seconds that never go back.

    Raises:
        ValueError: If `hashed` is no such hash.
    """

    def __init__(self, hashed: str, clock: Callable[[], float] = time.monotonic):
        try:
            prefix, n, r, p, salt, key = hashed.split("$")
            self._cost = {"n": int(n), "r": int(r), "p": int(p)}
            self._salt, self._key = (base64.b64decode(x, validate=True) for x in (salt, key))
            if prefix != PREFIX or not self._key:
                raise ValueError
            hashlib.scrypt(b"", salt=self._salt, dklen=len(self._key), **self._cost)
        except (ValueError, binascii.Error):
            raise ValueError(
                "The password's hash cannot be read. Make one with: mgen-lc password"
            ) from None
        self._clock = clock
        self._wrong = 0
        self._open_at = clock()
        self._lock = threading.Lock()

    def seconds_to_wait(self) -> float:
        """Until the next try is looked at; 0 if it would be at once."""
        return max(0.0, self._open_at - self._clock())

    def matches(self, password: str) -> bool:
        """Whether it is the password; never while a try would have to wait."""
        with self._lock:
            if self.seconds_to_wait() > 0:
                return False
            key = hashlib.scrypt(
                password.encode(), salt=self._salt, dklen=len(self._key), **self._cost
            )
            if hmac.compare_digest(key, self._key):
                self._wrong = 0
                return True
            self._wrong += 1
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (self._wrong - 1))
            self._open_at = self._clock() + wait
            return False
