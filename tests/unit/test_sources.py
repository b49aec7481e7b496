"""What is known of the public corpora, and their download, from a server on this machine."""

import io
import json
import tarfile
import threading
import zipfile
from dataclasses import replace
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from device.errors import BadInput, Missing
from quantize.cli.data import app
from quantize.data import corpora
from quantize.data.benchmarks import BENCHMARKS
from quantize.data.fetch import fetch
from quantize.data.sources import SOURCES, Download, PartSource, Source, fingerprint, source, survey

CLINC = {name: [["hello there", "greeting"]] for name in ("train", "val", "test", "oos_train", "oos_val", "oos_test")}
BODY = json.dumps(CLINC).encode()
FILE = Path("clinc150/data_full.json")


@pytest.fixture
def server():
    """A server of `files`, by path."""
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = files.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield files, f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


def clinc(url, sha=None, path=FILE, members=()):
    part = PartSource("train", (FILE,), partial(corpora.clinc150, part="train"))
    return Source("clinc150", "CLINC150", "CC-BY-3.0", "Larson", url, (Download(url, path, sha, members),), (part,))


def left(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_every_benchmark_has_a_source():
    assert set(SOURCES) == set(BENCHMARKS)
    for found in SOURCES.values():
        assert found.licence.startswith("CC")
        assert all(download.url.startswith("https://") for download in found.downloads)
    with pytest.raises(BadInput, match="Choose one of"):
        source("atis")


def test_the_fingerprint_sees_a_changed_label():
    sentence = corpora.Sentence("snips", "a", (("", "play"), ("artist", "queen")))
    count, digest = fingerprint([sentence])
    assert count == 1
    for other in (replace(sentence, intent="b"), replace(sentence, pieces=(("", "play"), ("album", "queen")))):
        assert fingerprint([other])[1] != digest


def test_a_changed_file_is_noticed(tmp_path):
    (tmp_path / "clinc150").mkdir()
    (tmp_path / FILE).write_bytes(BODY)
    for part in survey(SOURCES["clinc150"], tmp_path):
        assert part.sentences == 2
        assert "not what was published" in part.problem
    (tmp_path / FILE).write_bytes(BODY[:-9])
    assert all("published format" in part.problem for part in survey(SOURCES["clinc150"], tmp_path))
    assert all(part.sentences is None for part in survey(SOURCES["snips"], tmp_path))


def test_fetches_a_file_once(tmp_path, server):
    files, url = server
    files["/data.json"] = BODY
    wanted = clinc(f"{url}/data.json", sha256(BODY).hexdigest())
    (part,) = fetch(wanted, tmp_path / "new")
    assert part.sentences == 2
    assert left(tmp_path / "new") == [str(FILE)]
    del files["/data.json"]
    assert fetch(wanted, tmp_path / "new") == [part]


def test_a_wrong_file_is_thrown_away(tmp_path, server):
    files, url = server
    files["/data.json"] = BODY + b" "
    with pytest.raises(BadInput, match="SHA-256 differs"):
        fetch(clinc(f"{url}/data.json", sha256(BODY).hexdigest()), tmp_path)
    assert left(tmp_path) == []


def zipped(root):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"{root}data/data_full.json", BODY)
        archive.writestr(f"{root}other/large.bin", b"0" * 100)
    return buffer.getvalue()


def tarred(name):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(BODY)
        archive.addfile(member, io.BytesIO(BODY))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "body"),
    [("x.zip", zipped("repo-master/")), ("x.tar.gz", tarred("data/data_full.json"))],
)
def test_unpacks_what_is_wanted_of_an_archive(tmp_path, server, name, body):
    files, url = server
    files[f"/{name}"] = body
    part = PartSource("train", (Path("c/data/data_full.json"),), lambda folder: [])
    wanted = replace(clinc(f"{url}/{name}", None, Path("c"), ("data/data_full.json",)), parts=(part,))
    fetch(wanted, tmp_path)
    assert left(tmp_path) == ["c/data/data_full.json"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("x.zip", b"no archive"),
        ("x.zip", zipped("repo/")[:-30]),
        ("x.tar.gz", tarred("data/data_full.json")[:60]),
        ("x.tar.gz", tarred("../../evil")),
        ("x.tar.gz", tarred("something/else")),
    ],
    ids=["no zip", "half a zip", "half a tar", "a way out", "something else"],  # a tar holds the time
)
def test_a_bad_archive_leaves_nothing(tmp_path, server, name, body):
    files, url = server
    files[f"/{name}"] = body
    with pytest.raises(BadInput):
        fetch(clinc(f"{url}/{name}", None, Path("c"), ("data/data_full.json",)), tmp_path / "in")
    assert left(tmp_path) == []


def test_without_a_network_it_says_what_to_bring(tmp_path):
    url = "http://127.0.0.1:9/data.json"
    with pytest.raises(Missing, match="no network") as raised:
        fetch(clinc(url), tmp_path)
    assert raised.value.exit_code == 3
    assert url in raised.value.remedy
    assert str(tmp_path / FILE) in raised.value.remedy


def test_what_the_server_does_not_have(tmp_path, server):
    _, url = server
    with pytest.raises(Missing, match="404"):
        fetch(clinc(f"{url}/gone.json"), tmp_path)


def test_command_lists_what_is_here(tmp_path):
    result = CliRunner().invoke(app, ["list", "--data-dir", str(tmp_path), "--json"], catch_exceptions=False)
    listed = json.loads(result.stdout)
    assert set(listed) == set(BENCHMARKS)
    assert {row["here"] for row in listed.values()} == {"no"}
    (tmp_path / "clinc150").mkdir()
    (tmp_path / FILE).write_bytes(BODY)
    result = CliRunner().invoke(app, ["list", "--data-dir", str(tmp_path)], catch_exceptions=False)
    assert "clinc150 train: clinc150/data_full.json is not what was published" in result.stdout
    assert "homebody data fetch hwu64" in result.stdout
