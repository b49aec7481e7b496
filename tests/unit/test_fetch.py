"""Fetching models: resume, verification, safe unpacking, and what is said without a network."""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from device.errors import BadInput, DeviceError, Missing, StorageError
from device.speech.fetch import CATALOGUE, Archive, Body, OpenUrl, fetch, fetch_archive, open_https


def make_zip(*members: tuple[str, bytes], mode: int = 0o644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as pack:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            pack.writestr(info, content)
    return buffer.getvalue()


def entry_for(data: bytes, **changes: object) -> Archive:
    values = {
        "name": "small",
        "url": "https://models.example/small.zip",
        "sha256": hashlib.sha256(data).hexdigest(),
        "size": len(data),
        "unpacked": 1000,
        "licence": "Apache-2.0",
    }
    return Archive(**{**values, **changes})  # type: ignore[arg-type]


GOOD = make_zip(("model-0.1/conf/model.conf", b"--x=1\n"), ("model-0.1/am/final.mdl", b"weights" * 20))


@dataclass
class Server:
    """Serves `data` in small chunks; breaks the connection after `breaks_after` bytes of an answer."""

    data: bytes = GOOD
    resumes: bool = True
    breaks_after: int | None = None
    offsets: list[int] = field(default_factory=list)

    @contextmanager
    def open(self, url: str, offset: int) -> Iterator[Body]:
        self.offsets.append(offset)
        begin = offset if self.resumes else 0
        yield Body(begin, self._chunks(begin))

    def _chunks(self, begin: int) -> Iterator[bytes]:
        for at in range(begin, len(self.data), 10):
            if self.breaks_after is not None and at - begin >= self.breaks_after:
                raise ConnectionResetError("reset by peer")
            yield self.data[at : at + 10]


def get(server: Server, models: Path, entry: Archive | None = None, archive: Path | None = None) -> Path:
    return fetch_archive(
        entry or entry_for(GOOD), models, archive=archive, open_url=server.open, progress=lambda done, total: None
    )


@contextmanager
def no_network(url: str, offset: int) -> Iterator[Body]:
    raise OSError("Name or service not known")
    yield


def assert_unpacked(folder: Path) -> None:
    assert folder.name == "small"
    assert (folder / "conf" / "model.conf").read_bytes() == b"--x=1\n"
    assert (folder / "am" / "final.mdl").read_bytes() == b"weights" * 20
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


def test_it_is_downloaded_verified_and_unpacked(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    folder = fetch_archive(
        entry_for(GOOD),
        tmp_path / "new" / "models",
        archive=None,
        open_url=Server().open,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert_unpacked(folder)
    assert seen[-1] == (len(GOOD), len(GOOD))
    assert seen == sorted(seen)


def test_a_second_time_nothing_is_opened(tmp_path: Path) -> None:
    get(Server(), tmp_path)
    again = Server()
    assert_unpacked(get(again, tmp_path))
    assert again.offsets == []


@pytest.mark.parametrize("resumes", [True, False])
def test_an_interrupted_download_goes_on(tmp_path: Path, resumes: bool) -> None:
    with pytest.raises(Missing, match="reset by peer"):
        get(Server(breaks_after=100), tmp_path)
    server = Server(resumes=resumes)
    assert_unpacked(get(server, tmp_path))
    assert server.offsets == [100]


def test_a_connection_that_ends_early_is_said_and_resumed(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="ended early"):
        get(Server(data=GOOD[:150]), tmp_path)
    server = Server()
    get(server, tmp_path)
    assert server.offsets == [150]


def test_a_wrong_file_is_deleted(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="SHA-256") as caught:
        get(Server(data=GOOD[:-1] + b"!"), tmp_path)
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []
    assert_unpacked(get(Server(), tmp_path))


def test_a_server_that_sends_without_end_is_cut(tmp_path: Path) -> None:
    assert_unpacked(get(Server(data=GOOD + bytes(10_000)), tmp_path))


def test_leavings_that_are_too_long_are_dropped(tmp_path: Path) -> None:
    (tmp_path / ".small.part").write_bytes(bytes(len(GOOD) + 1))
    assert_unpacked(get(Server(), tmp_path))


def test_without_a_network_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        fetch("vosk-small-en-us", tmp_path, open_url=no_network)
    assert caught.value.exit_code == 3
    assert CATALOGUE["vosk-small-en-us"].url in str(caught.value)
    assert "--archive" in caught.value.remedy


def test_an_archive_that_was_brought_is_used(tmp_path: Path) -> None:
    brought = tmp_path / "brought.zip"
    brought.write_bytes(GOOD)
    server = Server()
    assert_unpacked(get(server, tmp_path / "models", archive=brought))
    assert server.offsets == []
    assert brought.exists()


@pytest.mark.parametrize("content", [None, b"something else"])
def test_a_wrong_brought_archive_is_refused(tmp_path: Path, content: bytes | None) -> None:
    brought = tmp_path / "brought.zip"
    if content is not None:
        brought.write_bytes(content)
    with pytest.raises(BadInput):
        get(Server(), tmp_path / "models", archive=brought)


@pytest.mark.parametrize(
    "bad",
    [
        make_zip(("../evil", b"x")),
        make_zip(("model/../../evil", b"x")),
        make_zip(("/etc/evil", b"x")),
        make_zip(("model\\..\\evil", b"x")),
        make_zip(("model/link", b"/etc/passwd"), mode=0o120777),
        make_zip(("one/a", b"x"), ("two/b", b"x")),
        make_zip(("model/bomb", bytes(2000))),
        make_zip(),
        b"not a zip at all",
    ],
)
def test_a_hostile_archive_is_not_unpacked(tmp_path: Path, bad: bytes) -> None:
    models = tmp_path / "models"
    with pytest.raises(DeviceError):
        get(Server(data=bad), models, entry_for(bad))
    assert not (models / "small").exists()
    assert not (tmp_path / "evil").exists()
    assert all(path.name.endswith(".part") for path in models.iterdir())


def test_a_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="can't be written"):
        get(Server(), tmp_path / "file" / "models")


def test_a_full_disk_is_not_taken_for_the_network(tmp_path: Path) -> None:
    (tmp_path / ".small.part").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="No space left"):
        get(Server(), tmp_path)


def test_an_unknown_name_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="vosk-small-en-us"):
        fetch("vosk-tiny", tmp_path)


def test_the_catalogue_is_sane() -> None:
    for name, entry in CATALOGUE.items():
        assert entry.name == name
        assert entry.url.startswith("https://")
        assert len(bytes.fromhex(entry.sha256)) == 32
        assert 0 < entry.size < entry.unpacked


def test_only_https_is_opened() -> None:
    opener: OpenUrl = open_https
    with pytest.raises(ValueError, match="not https"), opener("file:///etc/passwd", 0):
        pass
