"""A bundle of the language model in a tar archive, unpacked as something that nobody vouches for yet."""

from __future__ import annotations

import contextlib
import lzma
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from device.errors import BadInput, StorageError
from models.manifest import MANIFEST

LARGEST: Final = 500 * 2**20
"""Bytes that an archive may unpack to: a bundle has 25 million."""

MOST: Final = 100
"""Files in it."""


@contextlib.contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """The folder of the bundle, for as long as it is needed.

    Raises:
        BadInput: It is no such archive, is damaged or too large, would write elsewhere, or holds no bundle.
        StorageError: It can't be unpacked for want of space.
    """
    with tempfile.TemporaryDirectory(prefix="homebody-update-") as folder:
        root = Path(folder)
        try:
            with tarfile.open(archive) as tar:
                _check_size(archive, tar)
                tar.extractall(root, filter="data")
        except (tarfile.TarError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise BadInput(f"{archive} can't be unpacked: {error}.", remedy="Get it again.") from error
        except OSError as error:
            if error.errno is None:  # gzip's way of saying that its data is damaged
                raise BadInput(f"{archive} can't be unpacked: {error}.", remedy="Get it again.") from error
            raise StorageError(
                f"{archive} can't be unpacked: {error.strerror}.", remedy="Free some space for temporary files."
            ) from error
        found = [path.parent for path in (root / MANIFEST, *sorted(root.glob(f"*/{MANIFEST}"))) if path.is_file()]
        if not found:
            raise BadInput(f"{archive} holds no bundle of a language model.", remedy="Check that it is the right file.")
        yield found[0]


def _check_size(archive: Path, tar: tarfile.TarFile) -> None:
    """Before anything is written; an archive that lies in its heads is cut at what they say."""
    total = 0
    for count, member in enumerate(tar, 1):
        total += member.size
        if total > LARGEST or count > MOST:
            raise BadInput(f"{archive} is larger than any bundle.", remedy="Check that it is the right file.")
