"""Where a state file may lie: WAL needs shared memory, so a network share would corrupt it sooner or later."""

from __future__ import annotations

import sys
from pathlib import Path

from state.errors import StateError

NETWORK_FILESYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "sshfs", "fuse.sshfs", "9p", "afs"}


def refuse_network(path: Path) -> None:
    """Raise `StateError` if the file would lie on a network share (UNC, a mapped drive, NFS, SMB)."""
    if _is_network(path.absolute()):
        raise StateError(
            f"The state file {path} lies on a network share, where SQLite cannot keep it safe.",
            hint="Set [state] file to a folder on a disk of this machine.",
        )


def _is_network(path: Path) -> bool:
    text = str(path)
    if text.startswith(("\\\\", "//")):
        return True
    if sys.platform == "win32":
        import ctypes  # noqa: PLC0415 - Windows only

        drive_remote = 4  # GetDriveTypeW: DRIVE_REMOTE
        return bool(ctypes.windll.kernel32.GetDriveTypeW(path.anchor) == drive_remote)
    return _filesystem(path.resolve()) in NETWORK_FILESYSTEMS


def _filesystem(path: Path) -> str:
    """Name the filesystem of the longest mount point above the path, as /proc/mounts tells it; empty if unknown."""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best = ("", "")
    for line in lines:
        fields = line.split(" ")
        if len(fields) > 2:
            mount = fields[1].replace("\\040", " ")
            if (path.is_relative_to(mount)) and len(mount) >= len(best[0]):
                best = (mount, fields[2])
    return best[1]
