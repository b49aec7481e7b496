"""Signatures of manifests: what they cover, whose they are, and that they are the same each time."""

import json
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import signature
from models.manifest import FORMAT, MANIFEST, Calibration, Manifest, ManifestError, Provenance
from models.signature import KeyFileError, PublicKey, Untrusted, check, message, sign, signer_id

PEM, KEY = signature.generate("a maker")
OTHER_PEM, OTHER = signature.generate("somebody else")
MANIFEST_1 = Manifest(
    FORMAT,
    "tiny",
    "1",
    "en",
    "0" * 64,
    {"model.onnx": "1" * 64},
    32,
    Calibration(1.5, 1.0, (0.25,), -1.0, 0.5),
    recipe={"seed": 7, "rate": 1e-05, "layers": (1, 3)},
    metrics={"f1": 91.0},
    provenance=(Provenance("corpus", "CC0-1.0", "https://example.org", counts={"train": 3}),),
)
SIGNED, _ = sign(MANIFEST_1, PEM)


def test_the_bytes_that_are_signed_are_as_documented():
    """Written out, so that a library that writes JSON otherwise can't change them unnoticed."""
    assert message(SIGNED) == (
        b'{"calibration":{"act_temperature":1.0,"scope_bias":-1.0,"scope_weights":[0.25],"temperature":1.5,'
        b'"threshold":0.5},"files":{"model.onnx":"' + b"1" * 64 + b'"},"format":2,"language":"en","max_tokens":32,'
        b'"metrics":{"f1":91.0},"name":"tiny","ontology":"' + b"0" * 64 + b'","provenance":[{"counts":{"train":3},'
        b'"licence":"CC0-1.0","name":"corpus","source":"https://example.org"}],"recipe":{"layers":[1,3],"rate":0.00001,'
        b'"seed":7},"version":"1"}'
    )


def test_a_signature_names_its_key_and_says_nothing_of_others():
    assert signer_id(SIGNED) == KEY.id
    assert check(SIGNED, [OTHER, KEY]) == KEY
    with pytest.raises(Untrusted, match=f"signed by {KEY.id}"):
        check(SIGNED, [OTHER])
    with pytest.raises(Untrusted, match="not signed"):
        check(MANIFEST_1, [KEY])


def test_signing_again_gives_the_same_bytes_and_another_key_replaces_the_first():
    assert sign(SIGNED, PEM)[0] == SIGNED
    again, key = sign(SIGNED, OTHER_PEM)
    assert key.id == signer_id(again) == OTHER.id
    assert check(again, [OTHER]) == OTHER


@pytest.mark.parametrize(
    "change",
    [
        {"files": {"model.onnx": "2" * 64}},
        {"ontology": "1" * 64},
        {"recipe": {"seed": 8, "rate": 1e-05, "layers": [1, 3]}},
        {"metrics": {"f1": 92.0}},
        {"provenance": ()},
        {"calibration": Calibration(1.5, 1.0, (0.25,), -1.0, 0.4)},
        {"version": "2"},
        {"board": "rpi4"},
        {"format": 1},
    ],
)
def test_every_field_is_covered(change):
    with pytest.raises(ManifestError, match=f"changed after it was signed by {KEY.id}") as caught:
        check(msgspec.structs.replace(SIGNED, **change), [KEY])
    assert not isinstance(caught.value, Untrusted)


def test_a_signature_can_not_be_passed_off_as_another_keys():
    forged = msgspec.structs.replace(SIGNED, signature=SIGNED.signature.replace(KEY.id, OTHER.id))
    with pytest.raises(ManifestError, match="changed after"):
        check(forged, [KEY, OTHER])


def test_the_layout_of_the_file_does_not_matter(tmp_path):
    tree = json.loads(msgspec.json.encode(SIGNED))
    (tmp_path / MANIFEST).write_text(json.dumps(dict(reversed(tree.items())), indent=7))
    assert check(Manifest.read(tmp_path), [KEY]) == KEY


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
LEAF = (
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
JSON = st.recursive(LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner), max_leaves=6)


@settings(max_examples=60)
@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_any_recipe_survives_the_file(tmp_path_factory, recipe):
    folder = tmp_path_factory.getbasetemp()
    signed, _ = sign(msgspec.structs.replace(MANIFEST_1, recipe=recipe), PEM)
    signed.write(folder)
    assert check(Manifest.read(folder), [KEY]) == KEY


@pytest.mark.parametrize("text", ["", "hello", "ed25519:00:AAAA", f"rsa:{KEY.id}:{'A' * 86}=="])
def test_a_signature_of_another_form_is_refused_at_the_door(tmp_path, text):
    tree = json.loads(msgspec.json.encode(SIGNED)) | {"signature": text}
    (tmp_path / MANIFEST).write_text(json.dumps(tree))
    with pytest.raises(ManifestError, match="damaged"):
        Manifest.read(tmp_path)


def test_a_public_key_is_one_line(tmp_path):
    assert PublicKey.parse(KEY.text) == KEY
    assert KEY.text.endswith(" a maker")
    assert str(KEY) == f"{KEY.id} (a maker)"
    (tmp_path / "key.pub").write_text(KEY.text + "\n")
    assert PublicKey.read(tmp_path / "key.pub") == KEY
    assert PublicKey.parse(KEY.text.split()[0]).comment == ""


@pytest.mark.parametrize(
    "line",
    ["", "not base64!", "AAAA short", KEY.text.replace("=", "")],
    ids=["empty", "other letters", "short", "no padding"],  # the key is new in each process
)
def test_what_is_no_public_key_is_refused(line):
    with pytest.raises(KeyFileError, match="not a public key"):
        PublicKey.parse(line)


def test_what_is_no_private_key_is_refused():
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    def pem(key, protection):
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)

    locked = pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"word"))
    for data, said in (
        (b"hello", "not a private key"),
        (locked, "password"),
        (pem(ec.generate_private_key(ec.SECP256R1()), NoEncryption()), "not an Ed25519 key"),
    ):
        with pytest.raises(KeyFileError, match=said):
            sign(MANIFEST_1, data)


def test_the_keys_that_ship_are_keys():
    assert all(len(key.raw) == 32 and key.comment for key in signature.shipped_keys())


def test_nothing_heavy_is_loaded_until_a_signature_is_checked():
    code = "import sys; import models.signature, device.config, device.nlu.bundles; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "models.signature" in loaded
    assert not [name for name in loaded if name.startswith("cryptography")]
