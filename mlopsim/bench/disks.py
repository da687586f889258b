"""Network disks: a ledger's log does not work there."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

#: kinds of file systems whose files other machines may have open, too
NETWORK = re.compile(
    r"(nfs\d*|cifs|smb\d*|smbfs|lustre|gpfs|beegfs\w*|ceph|fuse\.(sshfs|ceph|glusterfs|s3fs|gcsfuse)|glusterfs"
    r"|afs|pvfs2|orangefs|panfs|wekafs)"
)
#: where Linux tells what is mounted
MOUNTS = Path("/proc/self/mounts")


class DiskWarning(UserWarning):
    """Results are written to a disk on which a ledger may be damaged."""


def network_disk(folder: str | Path, mounts: str | None = None) -> str:
    """Return the kind of the network file system that a folder lies on; nothing if it is none, or not known.

    Parameters
    ----------
    folder : str or Path
        It need not exist.
    mounts : str, optional
        What is mounted, as in ``/proc/self/mounts``; by default that of this machine (Linux).

    Examples
    --------
    >>> network_disk("/home/ann/r", "/dev/sda / ext4 rw 0 0\\nnas:/h /home nfs4 rw 0 0\\n")
    'nfs4'
    >>> network_disk("/homes/r", "/dev/sda / ext4 rw 0 0\\nnas:/h /home nfs4 rw 0 0\\n")
    ''
    """
    if mounts is None:
        if not MOUNTS.is_file():
            return ""
        mounts = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    place = PurePosixPath(os.path.realpath(folder))
    kind, depth = "", -1
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) < 3:
            continue
        # blanks and such are written as octal numbers
        mounted = PurePosixPath(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), words[1]))
        # of several at one place the last one counts
        if place.is_relative_to(mounted) and len(mounted.parts) >= depth:
            kind, depth = words[2], len(mounted.parts)
    return kind if NETWORK.fullmatch(kind) else ""
