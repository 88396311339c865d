"""What settings must hold before anything is served: a secret nobody guesses, and files nobody else reads."""

from __future__ import annotations

import os
from pathlib import Path

SHORTEST, FEWEST = 50, 12
"""The least characters of a secret, and the least different ones; 50 random digits of base 16 have 15."""
GENERATE = "python -c 'import secrets; print(secrets.token_urlsafe(50))'"


def what_is_wrong_with_secret(secret: str) -> str:
    """Return why a SECRET_KEY is too weak for production, or nothing."""
    if len(secret) < SHORTEST:
        return f"it has {len(secret)} characters, and fewer than {SHORTEST} can be guessed"
    if secret.startswith("django-insecure-"):
        return "it is one that `startproject` made for development"
    triples = {secret[start : start + 3] for start in range(len(secret) - 2)}
    if len(set(secret)) < FEWEST or len(triples) < len(secret) // 2:
        return "it repeats itself, or has few different characters, so it can be guessed"
    return ""


def make_private_folder(path: Path) -> None:
    """Make a folder that only the service's user may enter; one that is there already is left as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)


def make_private_file(path: Path) -> None:
    """Make an empty file that only the service's user may read, where there is none.

    SQLite gives its `-wal` and `-shm` files the permissions of the database beside them.
    """
    in_memory = path.name == ":memory:" or str(path).startswith("file:")
    if not in_memory and os.access(path.parent, os.W_OK) and not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def open_to_others(path: Path) -> bool:
    """Say whether users of this machine other than the service's can reach and read a file or folder."""
    if not path.exists():
        return False
    reached = all(folder.stat().st_mode & 0o011 for folder in path.resolve().parents)
    return reached and bool(path.stat().st_mode & 0o077)
