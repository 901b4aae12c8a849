# SPDX-License-Identifier: Apache-2.0
import pytest

from modelgenerator.long_context.monitor.password import Password, hash_password


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_the_hash_holds_no_password():
    hashed = hash_password("correct horse")
    assert "horse" not in hashed
    assert hashed != hash_password("correct horse"), "salted"
    assert Password(hashed).matches("correct horse")
    assert not Password(hashed).matches("correct horsf")


def test_ten_wrong_tries_are_slower_and_slower():
    clock = Clock()
    password = Password(hash_password("correct horse"), clock)
    waits = []
    for _ in range(10):
        assert not password.matches("wrong")
        waits.append(password.seconds_to_wait())
        assert not password.matches("correct horse"), "not even looked at"
        assert password.seconds_to_wait() == waits[-1]
        clock.now += waits[-1]
    assert waits == [0.25, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert password.matches("correct horse")
    assert not password.matches("wrong")
    assert password.seconds_to_wait() == 0.25, "counted anew"


def test_short_passwords_are_refused():
    with pytest.raises(ValueError, match="has 5 characters; give at least 8"):
        hash_password("horse")


@pytest.mark.parametrize(
    "hashed", ["", "horse", "scrypt$1$2", "md5$1$1$1$AA==$AA==", "scrypt$x$8$1$AA==$AA=="]
)
def test_what_is_no_hash(hashed):
    with pytest.raises(ValueError, match="hash cannot be read.*mgen-lc password"):
        Password(hashed)
