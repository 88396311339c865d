"""Opens definition files safely: only regular files of the business's own folder are read; finds marks of a merge.

A FIFO would block the process for ever, a device such as `/dev/zero` has no end, and a symbolic link out of the folder
would read what was never meant to be a definition. Needs neither Django nor the settings.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

MERGE_MARK = re.compile(r"^(<{7}|>{7})( |$)", re.MULTILINE)
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class UnsafeFile(ValueError):
    """A path that is not read; the message says why, to be put behind the file's name."""


def read_regular_file(path: Path, folder: Path, most_bytes: int | None = None) -> bytes:
    """Return the bytes of a regular file that lies in `folder`, one more than `most_bytes` at the most.

    Raises UnsafeFile for anything else, and OSError where the file is not there or may not be read.
    """
    home, target = os.path.realpath(folder), os.path.realpath(path)
    if os.path.commonpath([home, target]) != home:
        raise UnsafeFile("is a link that leads out of the folder")
    _check_kind(os.stat(target).st_mode)
    # What was opened is looked at once more: the path may lead elsewhere by now. Without O_NONBLOCK, opening a FIFO
    # waits for somebody who writes to it.
    descriptor = os.open(target, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        _check_kind(os.fstat(descriptor).st_mode)
        return file.read() if most_bytes is None else file.read(most_bytes + 1)


def _check_kind(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnsafeFile(f"is {KINDS.get(stat.S_IFMT(mode), 'something else')}, not a file")


def find_merge_mark(text: str) -> int:
    """Return the line, from 1, of the first mark that an unfinished merge of Git has left in a text; 0 for none."""
    mark = MERGE_MARK.search(text)
    return text.count("\n", 0, mark.start()) + 1 if mark else 0
