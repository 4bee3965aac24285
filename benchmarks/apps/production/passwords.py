"""Password hashes. Slow on purpose: in a thread or a process, never on the event loop."""

from pwdlib import PasswordHash

_passwords = PasswordHash.recommended()
# What an unknown name is checked against, so that it takes as long as a wrong password.
_NOBODYS = _passwords.hash("nobody's")


def hashed(password: str) -> str:
    """Hash a password for the database."""
    return _passwords.hash(password)


def is_right(password: str, digest: str | None) -> bool:
    """Check a password; `digest` is None where there is no such account."""
    return _passwords.verify(password, digest or _NOBODYS) and digest is not None
