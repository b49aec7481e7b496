"""Download of the corpora: the only code of the factory that opens a network connection, and only when asked to."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Final

from device.errors import BadInput, Missing, StorageError
from quantize.data.sources import Download, PartFound, Source, survey

TIMEOUT_S: Final = 30


def fetch(wanted: Source, data_dir: Path) -> list[PartFound]:
    """Download what is missing of a corpus, verify it, and unpack it to the upstream layout.

    What is there is only checked. Nothing half-done is left: a file appears when it is complete and verified.

    Raises:
        Missing: No network, or the server does not have it.
        BadInput: What came, or what is there, is not what was published.
        StorageError: The folder can't be written to.
    """
    for download in wanted.downloads:
        here = data_dir / download.path / download.members[0] if download.members else data_dir / download.path
        if not here.exists():
            try:
                data_dir.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(dir=data_dir, prefix=".fetch-") as folder:
                    _get(download, wanted, data_dir, Path(folder))
            except OSError as error:
                raise StorageError(
                    f"{data_dir} can't be written to ({error.strerror}).", remedy="Free space, or name another folder."
                ) from error
    found = survey(wanted, data_dir)
    for part in found:
        if part.problem or part.sentences is None:
            raise BadInput(
                part.problem or f"{wanted.title} was fetched, but {part.source.paths[0]} did not come with it.",
                remedy=f"Delete {data_dir / part.source.paths[0]} and fetch it again.",
            )
    return found


def by_hand(wanted: Source, data_dir: Path) -> str:
    """What to download where, and where to put it, for a machine without a network."""
    steps = (
        f"  {download.url}\n    "
        + (f"unpack {', '.join(download.members)} into" if download.members else "save as")
        + f" {data_dir / download.path}"
        for download in wanted.downloads
    )
    return "\n".join(("Bring it from a machine with a network:", *steps))


def _get(download: Download, wanted: Source, data_dir: Path, work: Path) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")
    try:
        file = pooch.retrieve(
            download.url,
            None if download.sha256 is None else f"sha256:{download.sha256}",
            fname="download",
            path=work,
            downloader=pooch.HTTPDownloader(timeout=TIMEOUT_S),
        )
    except requests.HTTPError as error:
        raise Missing(f"{download.url} can't be had ({error}).", remedy=by_hand(wanted, data_dir)) from error
    except requests.RequestException as error:
        raise Missing(
            f"There is no network, or {download.url} doesn't answer ({type(error).__name__}).",
            remedy=by_hand(wanted, data_dir),
        ) from error
    except ValueError as error:  # pooch's word for a wrong checksum
        raise BadInput(
            f"What {download.url} sent is not what was published: its SHA-256 differs.",
            remedy=f"It was thrown away. Look for news at {wanted.homepage}.",
        ) from error
    if download.members:
        _unpack(Path(file), download, data_dir / download.path, work / "unpacked")
    else:
        (data_dir / download.path).parent.mkdir(parents=True, exist_ok=True)
        Path(file).replace(data_dir / download.path)


def _unpack(archive: Path, download: Download, target: Path, work: Path) -> None:
    """Put the wanted members of an archive below `target`.

    Raises:
        BadInput: The archive is damaged, or a member is not in it.
    """
    try:
        if download.url.endswith(".zip"):
            shutil.unpack_archive(archive, work, "zip")
        else:
            shutil.unpack_archive(archive, work, "gztar", filter="data")
    except (shutil.ReadError, ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile, zlib.error) as error:
        raise BadInput(f"The archive of {download.url} is damaged.", remedy="Fetch it again.") from error
    folders = list(work.iterdir())
    inside = folders[0] if len(folders) == 1 and not (work / download.members[0]).exists() else work
    for member in download.members:
        if not (inside / member).exists():
            raise BadInput(f"{download.url} has no {member}.", remedy="Look at the publisher's page for news.")
        if not (target / member).exists():
            (target / member).parent.mkdir(parents=True, exist_ok=True)
            (inside / member).replace(target / member)
