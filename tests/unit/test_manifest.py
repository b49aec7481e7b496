import msgspec
import pytest

from models.manifest import (
    FORMAT,
    MANIFEST,
    REQUIRED_FILES,
    Calibration,
    Manifest,
    ManifestError,
    Provenance,
    file_sha256,
)

CALIBRATION = Calibration(1.2, 0.9, (1.0, 0.5), -0.25, 0.4)


@pytest.fixture
def folder(tmp_path):
    for name in (*REQUIRED_FILES, "README.md"):
        (tmp_path / name).write_text(f"contents of {name}")
    files = {path.name: file_sha256(path) for path in tmp_path.iterdir()}
    provenance = (Provenance("corpus", "CC0-1.0", "https://example.org", "trained on"),)
    Manifest(FORMAT, "tiny", "1", "en", "0" * 64, files, 32, CALIBRATION, {"seed": 1}, {"f1": 2.5}, provenance).write(
        tmp_path
    )
    return tmp_path


def change(folder, **fields):
    data = msgspec.json.decode((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_bytes(msgspec.json.encode(data | fields))


def test_survives_a_file(folder):
    manifest = Manifest.read(folder)
    manifest.verify(folder)
    assert manifest.calibration == CALIBRATION
    assert manifest.metrics == {"f1": 2.5}
    assert manifest.provenance[0].licence == "CC0-1.0"
    manifest.write(folder)
    assert Manifest.read(folder) == manifest


@pytest.mark.parametrize("name", [*REQUIRED_FILES, "README.md"])
def test_names_a_damaged_file(folder, name):
    (folder / name).write_text("something else")
    with pytest.raises(ManifestError, match=f"{name} is damaged"):
        Manifest.read(folder).verify(folder)


@pytest.mark.parametrize("name", REQUIRED_FILES)
def test_names_a_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(ManifestError, match=f"{name} can't be read"):
        Manifest.read(folder).verify(folder)


def test_every_required_file_must_be_listed(folder):
    change(folder, files={"labels.json": file_sha256(folder / "labels.json")})
    with pytest.raises(ManifestError, match=r"model\.onnx is not listed"):
        Manifest.read(folder).verify(folder)


def test_says_that_a_layout_is_unknown_even_if_it_has_other_fields(folder):
    (folder / MANIFEST).write_text('{"format": 99, "something": "new"}')
    with pytest.raises(ManifestError, match="layout version 99"):
        Manifest.read(folder)


@pytest.mark.parametrize(
    "fields",
    [
        {"files": {"../../etc/passwd": "0" * 64}},
        {"files": {"model.onnx": "abc"}},
        {"ontology": ""},
        {"max_tokens": 0},
        {"name": "../up"},
        {"version": ".."},
        {"signature": "mine"},
        {"unknown": 1},
        {"calibration": {"temperature": 0, "act_temperature": 1, "scope_weights": [], "scope_bias": 0, "threshold": 0}},
    ],
)
def test_refuses_impossible_values(folder, fields):
    change(folder, **fields)
    with pytest.raises(ManifestError, match="damaged"):
        Manifest.read(folder)


def test_refuses_a_missing_or_truncated_manifest(folder):
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text[: len(text) // 2])
    with pytest.raises(ManifestError, match="damaged"):
        Manifest.read(folder)
    (folder / MANIFEST).unlink()
    with pytest.raises(ManifestError, match="can't be read"):
        Manifest.read(folder)


def test_names_a_file_that_nobody_listed(folder):
    (folder / "weights.bin").write_text("not signed for")
    with pytest.raises(ManifestError, match=r"weights\.bin is in the folder but not listed"):
        Manifest.read(folder).verify(folder)


def test_the_layout_before_this_one_is_read(folder):
    """Version 1 wrote every field, and had no board and no counts."""
    data = msgspec.json.decode((folder / MANIFEST).read_bytes()) | {"format": 1, "signature": None}
    (folder / MANIFEST).write_bytes(msgspec.json.encode(data))
    manifest = Manifest.read(folder)
    assert (manifest.format, manifest.board, manifest.provenance[0].counts) == (1, "", {})
    manifest.write(folder)
    assert Manifest.read(folder) == manifest


def test_writing_replaces_the_manifest_and_leaves_nothing_else(folder):
    before = {path.name for path in folder.iterdir()}
    manifest = msgspec.structs.replace(Manifest.read(folder), board="rpi4")
    manifest.write(folder)
    assert Manifest.read(folder).board == "rpi4"
    assert {path.name for path in folder.iterdir()} == before
    assert b'"signature"' not in (folder / MANIFEST).read_bytes(), "what has its default is not written"
