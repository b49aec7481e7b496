"""Who made a bundle: an Ed25519 signature (RFC 8032) of its manifest, which names the SHA-256 of every file.

What is signed is `message(manifest)`: the manifest as JSON in UTF-8 without the field `signature` and without fields
that have their default value, keys sorted at every level, no white space, numbers as msgspec writes them (the shortest
text that gives the same number). It covers the files by their checksums, the ontology, recipe, metrics, calibration
and provenance. It is made from the fields as they were read, so that what was verified is what is used, and the layout
of the file doesn't matter. Ed25519 has no random part: the same key signs the same manifest with the same bytes.

A public key is one line: 32 bytes in base64, then a comment. Its id, by which a signature names it, is the first 16
hexadecimal digits of the SHA-256 of those bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from models.manifest import MANIFEST, Manifest, ManifestError

KEYS: Final = Path(__file__).with_name("keys")
"""Folder of the public keys that ship, `*.pub`."""

_KEY_BYTES: Final = 32
_ID_DIGITS: Final = 16


class KeyFileError(ValueError):
    """What was given is not a key."""


class Untrusted(ManifestError):
    """Nobody who is trusted signed the bundle: it is not signed, or by an unknown key."""


class PublicKey(NamedTuple):
    """A public key: `raw` are its 32 bytes, `comment` says whose it is."""

    raw: bytes
    comment: str

    @classmethod
    def parse(cls, line: str) -> PublicKey:
        """Read the line that `text` gives.

        Raises:
            KeyFileError: It is no such line.
        """
        encoded, _, comment = line.strip().partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError) as error:
            raise KeyFileError("this is not a public key: it is no base64") from error
        if len(raw) != _KEY_BYTES:
            raise KeyFileError(f"this is not a public key: it has {len(raw)} bytes instead of {_KEY_BYTES}")
        return cls(raw, comment.strip())

    @classmethod
    def read(cls, path: Path) -> PublicKey:
        """Read a file that holds one such line.

        Raises:
            KeyFileError: It can't be read, or is no public key.
        """
        try:
            return cls.parse(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise KeyFileError(f"{path} can't be read ({error.strerror})") from error
        except ValueError as error:
            raise KeyFileError(f"{path} is not a public key") from error

    @property
    def text(self) -> str:
        """The key as one line."""
        return f"{base64.b64encode(self.raw).decode()} {self.comment}".rstrip()

    @property
    def id(self) -> str:
        """A short fingerprint."""
        return hashlib.sha256(self.raw).hexdigest()[:_ID_DIGITS]

    def __str__(self) -> str:
        return f"{self.id} ({self.comment})" if self.comment else self.id


def shipped_keys() -> tuple[PublicKey, ...]:
    """The public keys that ship.

    Raises:
        KeyFileError: One of them is damaged.
    """
    return tuple(PublicKey.read(path) for path in sorted(KEYS.glob("*.pub")))


def message(manifest: Manifest) -> bytes:
    """The bytes that are signed."""
    return msgspec.json.encode(msgspec.structs.replace(manifest, signature=None), order="sorted")


def generate(comment: str) -> tuple[bytes, PublicKey]:
    """A new key pair: the private key in PEM (PKCS #8, not encrypted), and the public one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, PublicKey(private.public_key().public_bytes_raw(), comment)


def sign(manifest: Manifest, pem: bytes) -> tuple[Manifest, PublicKey]:
    """The manifest with a signature in place of any old one, and whose key it is.

    Args:
        manifest: Of a bundle that is whole.
        pem: The private key.

    Raises:
        KeyFileError: This is no private Ed25519 key, or one with a password.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        private = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise KeyFileError("the private key is encrypted with a password") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError("this is not a private key in PEM") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError("this is not an Ed25519 key")
    key = PublicKey(private.public_key().public_bytes_raw(), "")
    value = base64.b64encode(private.sign(message(manifest))).decode()
    return msgspec.structs.replace(manifest, signature=f"ed25519:{key.id}:{value}"), key


def signer_id(manifest: Manifest) -> str | None:
    """Id of the key that the signature names, whether it is true or not; None if it is not signed."""
    return manifest.signature.split(":")[1] if manifest.signature else None


def check(manifest: Manifest, keys: Iterable[PublicKey]) -> PublicKey:
    """Which of these keys signed the manifest.

    Raises:
        Untrusted: It is not signed, or by none of these keys.
        ManifestError: It was changed after it was signed.
    """
    if manifest.signature is None:
        raise Untrusted("it is not signed")
    _, wanted, value = manifest.signature.split(":")
    key = next((key for key in keys if key.id == wanted), None)
    if key is None:
        raise Untrusted(f"it is signed by {wanted}, a key that is not trusted here")

    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.raw).verify(base64.b64decode(value), message(manifest))
    except InvalidSignature as error:
        raise ManifestError(f"{MANIFEST} was changed after it was signed by {key}") from error
    return key
