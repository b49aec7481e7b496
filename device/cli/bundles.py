"""`homebody models verify|install|rollback|keygen|sign`: bundles of the language model, and who made them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from device.app import (
    BUNDLE,
    bundle_folders,
    fit_model,
    foreign_intents,
    load_all_packs,
    trusted_keys,
)
from device.config import Config, home_folder, load_config
from device.errors import BadInput, BundleError, Missing
from device.nlu.bundles import SHIPPED, Bundles, Change, split_key
from device.nlu.onnx_model import load_model
from models import signature
from models.manifest import Manifest, ManifestError
from models.signature import KeyFileError, PublicKey

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]

BUNDLE_HELP = "Folder of a bundle, an installed version, or `shipped`"
_DAMAGED = "Get the bundle again from whoever made it."


class Signed(NamedTuple):
    """Who signed a bundle: `state` is "trusted", "unknown key" or "unsigned"; `by` is the key."""

    state: str
    id: str | None
    comment: str

    def __str__(self) -> str:
        by = f"{self.id} ({self.comment})" if self.comment else self.id
        return {"trusted": f"by {by}, trusted", "unknown key": f"by {by}, which is not trusted here"}.get(
            self.state, "by nobody"
        )


def verify(
    bundle: Annotated[str, typer.Argument(help=f"{BUNDLE_HELP}; by default the one in use.")] = "",
    key: Annotated[
        str | None, typer.Option(help="Public key, or its file: this one must have signed it, and no other.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Is a bundle whole, who signed it, does it fit and load? 0 yes, 1 not trusted, 2 damaged, 3 not there."""
    home = home_folder()
    config = load_config(home)
    folder = folder_of(bundle, config, home)
    keys = (_public_key(key),) if key else trusted_keys(config)
    signed = who_signed(folder, keys)
    required = key is not None or (config.nlu.require_signature and folder != BUNDLE)
    model = load_model(folder, keys=keys if required else None)
    manifest, labels = model.manifest, model.labels
    foreign = foreign_intents(model, load_all_packs(config, home))
    size = sum(file.stat().st_size for file in folder.iterdir())
    if as_json:
        found: dict[str, Any] = {
            "folder": str(folder),
            "name": manifest.name,
            "version": manifest.version,
            "ok": True,
            "signature": signed.state,
            "signer": signed.id,
            "ontology": manifest.ontology,
            "intents": len(labels.intents),
            "foreign": foreign,
            "board": manifest.board,
            "bytes": size,
        }
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{manifest.name} {manifest.version} is whole: {len(manifest.files) + 1} files, {size / 1e6:.1f} MB")
    fits = f"no pack here defines {', '.join(foreign[:3])}" if foreign else "each has a pack here"
    rows = {
        "signed": str(signed),
        "ontology": f"{manifest.ontology[:12]}, {len(labels.intents)} intents: {fits}",
        "made for": manifest.board or "any board",
        "loads": "yes",
    }
    table = Table.grid(padding=(0, 2))
    for what, detail in rows.items():
        table.add_row(f"  {what}", detail)
    Console(highlight=False, markup=False).print(table)


def install(bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")], as_json: AsJson = False) -> None:
    """Verify a bundle, keep a copy of it here and use that from now on."""
    home = home_folder()
    config = load_config(home)
    folder = folder_of(str(bundle), config, home)
    signed = who_signed(folder, trusted_keys(config))
    fit_model(folder, config, load_all_packs(config, home))
    change = Bundles(home).install(folder)
    done = "is in use already" if change.before == change.after else "is installed and in use"
    _tell(change, f"{described(change.after)} {done}", config, as_json, signed)


def rollback(
    to: Annotated[
        str | None, typer.Option(help="An installed version, or `shipped`; by default the one before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Use the model again that was in use before; the one left stays installed."""
    home = home_folder()
    config = load_config(home)
    packs = load_all_packs(config, home)
    bundles = Bundles(home)

    def check(key: str) -> None:
        fit_model(BUNDLE if key == SHIPPED else bundles.folder(key), config, packs)

    change = bundles.rollback(check, bundles.find(to) if to is not None else None)
    _tell(change, f"{described(change.after)} is in use again", config, as_json)


def keygen(
    out: Annotated[Path, typer.Option(help="Where the private key goes; it must not be there yet.")],
    comment: Annotated[str, typer.Option(help="Whose key it is; goes along with the public key.")] = "",
) -> None:
    """Make a key pair to sign bundles with; prints the public key."""
    pem, key = signature.generate(" ".join(comment.split()))
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
    except FileExistsError as error:
        raise BadInput(f"{out} is there already.", remedy="Name another file; a key is never overwritten.") from error
    except OSError as error:
        raise BadInput(f"{out} can't be written: {error.strerror}.", remedy="Name another file.") from error
    typer.echo(key.text)
    typer.echo(
        f"The private key {key.id} is in {out}: keep it secret, and a copy safe. The line above is the public key: it "
        "goes into models/keys/NAME.pub of a release, or into nlu.trusted_keys of a device.",
        err=True,
    )


def sign(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    key: Annotated[Path, typer.Option(help="Private key, as `homebody models keygen` makes it.")],
) -> None:
    """Sign a bundle: its manifest, and by that every file of it."""
    try:
        manifest = Manifest.read(bundle)
        manifest.verify(bundle)
        signed, public = signature.sign(manifest, key.read_bytes())
        signed.write(bundle)
    except ManifestError as error:
        raise BundleError(f"{bundle} is not signed: {error}.", remedy=_DAMAGED) from error
    except KeyFileError as error:
        raise BadInput(f"{key} can't be used: {error}.", remedy="Make one with `homebody models keygen`.") from error
    except OSError as error:
        raise BadInput(f"{error.filename} can't be read or written: {error.strerror}.") from error
    typer.echo(f"{signed.name} {signed.version} is signed by {public.id}")


def folder_of(bundle: str, config: Config, home: Path) -> Path:
    """The folder that is meant by a path, an installed version, `shipped`, or nothing: the bundle in use.

    Raises:
        Missing: There is no such folder or version.
    """
    if not bundle:
        return bundle_folders(config, home, [])[0]
    if Path(bundle).is_dir():
        return Path(bundle)
    bundles = Bundles(home)
    try:
        key = bundles.find(bundle)
    except BadInput as error:
        raise Missing(f"There is no folder {bundle}. {Exception.__str__(error)}", remedy=error.remedy) from error
    return BUNDLE if key == SHIPPED else bundles.folder(key)


def who_signed(folder: Path, keys: tuple[PublicKey, ...]) -> Signed:
    """Who signed a bundle, as far as these keys tell.

    Raises:
        BundleError: Its manifest can't be read, or was changed after it was signed.
    """
    try:
        manifest = Manifest.read(folder)
        key = signature.check(manifest, keys)
    except signature.Untrusted:
        wanted = signature.signer_id(manifest)
        return Signed("unknown key" if wanted else "unsigned", wanted, "")
    except ManifestError as error:
        raise BundleError(f"The model bundle {folder} can't be used: {error}.", remedy=_DAMAGED) from error
    return Signed("trusted", key.id, key.comment)


def described(key: str) -> str:
    """A bundle in words, by its key."""
    if key == SHIPPED:
        manifest = Manifest.read(BUNDLE)
        return f"{manifest.name} {manifest.version}, which ships,"
    name, version, digest = split_key(key)
    return f"{name} {version} ({digest})"


def _tell(change: Change, done: str, config: Config, as_json: bool, signed: Signed | None = None) -> None:
    if as_json:
        found = {"before": change.before or "shipped", "after": change.after or "shipped"}
        typer.echo(json.dumps(found | ({"signature": signed.state, "signer": signed.id} if signed else {})))
    else:
        before = "" if change.before == change.after else f"; before it was {described(change.before).rstrip(',')}"
        typer.echo(f"{done}{before}.")
        if signed:
            typer.echo(f"It is signed {signed}.")
    if config.nlu.model:
        typer.echo(f"Note: nlu.model in the configuration names {config.nlu.model}, which is used instead.", err=True)


def _public_key(text: str) -> PublicKey:
    try:
        return PublicKey.read(Path(text)) if Path(text).is_file() else PublicKey.parse(text)
    except KeyFileError as error:
        raise BadInput(f"--key: {error}.", remedy="Give the line that `homebody models keygen` prints.") from error
