"""The last step of a run: past the golden commands, signed, and in the place of the bundle before it."""

from __future__ import annotations

import shutil
from pathlib import Path

from device.errors import BundleError
from device.nlu.onnx_model import load_model
from models.manifest import MANIFEST, Manifest
from models.signature import sign
from quantize.evaluate.figures import Figures
from quantize.export.bundle import only_a_bundle
from quantize.feedback.regression import check, read_golden
from quantize.pipeline import Run


def release(run: Run, out: Path, golden: Path | None = None, key: Path | None = None) -> Figures:
    """Make a run's bundle, and put it to `out` if nothing speaks against it; otherwise `out` stays as it is.

    Args:
        run: With its student trained, or everything that it needs for that.
        out: Folder of the bundle. The bundle that lies there is the one to be measured against, and is replaced.
        golden: Commands of which none may break that the old bundle understands. Not looked at if there is no old
            bundle, or one of another ontology.
        key: Private key that signs the bundle.

    Returns:
        The held-out figures of the int8 model.

    Raises:
        BadInput: `out` is a folder that holds something else than a bundle, or the golden commands can't be read.
        ParityError: Quantization lost more than it may.
        RegressionError: A golden command breaks; the new bundle stays in the run's folder.
        KeyFileError: This is no private key.
    """
    only_a_bundle(out)
    made = run.folder / "bundle"
    figures = run.bundle(made)
    if golden is not None and (out / MANIFEST).exists():
        new = load_model(made)
        try:
            old = load_model(out)
        except BundleError:
            old = None
        if old is not None and old.labels == new.labels:
            check(read_golden(golden), old.predict, new.predict)
    if key is not None:
        signed, _ = sign(Manifest.read(made), key.read_bytes())
        signed.write(made)
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(made, fresh)
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)
    return figures
