"""Model bundles in archives: found, and nothing else is let in."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from device.errors import (
    BadInput,
)
from device.update import archive
from device.update.archive import unpacked


def packed(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("mode", "prefix"), [("w:gz", ""), ("w", "homebody-en-3/"), ("w:gz", "./homebody-en-3/")])
def test_a_bundle_is_found_in_an_archive_and_nothing_is_left_of_it(tmp_path: Path, mode: str, prefix: str) -> None:
    path = packed(tmp_path / "model.tar", {f"{prefix}manifest.json": b"{}", f"{prefix}model.onnx": b"m"}, mode)
    with unpacked(path) as folder:
        assert {file.name for file in folder.iterdir()} == {"manifest.json", "model.onnx"}
    assert not folder.exists()


def test_an_archive_that_would_write_elsewhere_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "model.tar", {"manifest.json": b"{}", "../outside": b"evil"})
    with pytest.raises(BadInput, match="can't be unpacked"), unpacked(path):
        pass


def test_an_absolute_name_in_an_archive_lands_inside(tmp_path: Path) -> None:
    path = packed(tmp_path / "model.tar", {"manifest.json": b"{}", "/outside/file": b"evil"})
    with unpacked(path) as folder:
        assert (folder / "outside" / "file").read_bytes() == b"evil"
    assert not Path("/outside").exists()


def test_links_out_of_an_archive_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.tar"
    with tarfile.open(path, "w") as tar:
        link = tarfile.TarInfo("manifest.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    with pytest.raises(BadInput, match="can't be unpacked"), unpacked(path):
        pass


def test_an_archive_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = packed(tmp_path / "model.tar.gz", {"manifest.json": os.urandom(100_000)})
    for length in (0, 10, 1000, 50_000):
        part = tmp_path / f"{length}.tar.gz"
        part.write_bytes(path.read_bytes()[:length])
        with pytest.raises(BadInput, match="can't be unpacked"), unpacked(part):
            pass


def test_an_archive_with_damaged_data_is_refused(tmp_path: Path) -> None:
    data = bytearray(packed(tmp_path / "model.tar.gz", {"manifest.json": b"{}" * 50_000}).read_bytes())
    data[60:90] = b"\xff" * 30
    (tmp_path / "bad.tar.gz").write_bytes(data)
    with pytest.raises(BadInput, match="can't be unpacked"), unpacked(tmp_path / "bad.tar.gz"):
        pass


def test_an_archive_that_is_no_bundle_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = packed(tmp_path / "photos.tar", {"photo": b"x" * 2000})
    with pytest.raises(BadInput, match="holds no bundle"), unpacked(path):
        pass
    monkeypatch.setattr(archive, "LARGEST", 1999)
    with pytest.raises(BadInput, match="larger than any bundle"), unpacked(path):
        pass
