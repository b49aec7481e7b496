"""The last step of a run: past the golden commands, signed, and in the place of the bundle before it."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from device.errors import BundleError
from device.nlu.onnx_model import JointModel, load_model
from models.manifest import MANIFEST, Manifest
from models.signature import sign
from quantize.evaluate.figures import Figures
from quantize.export.bundle import only_a_bundle
from quantize.feedback.regression import broken, check, lesson, read_golden
from quantize.pipeline import Run

_log = logging.getLogger(__name__)


def release(run: Run, out: Path, golden: Path | None = None, key: Path | None = None) -> Figures:
    """Make a run's bundle, and put it to `out` if nothing speaks against it; otherwise `out` stays as it is.

    Golden commands that break are taught to the student by rehearsal, once; then the bundle is made and checked again.

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
        RegressionError: A golden command is still broken; the new bundle stays in the run's folder.
        KeyFileError: This is no private key.
    """
    only_a_bundle(out)
    made = run.folder / "bundle"
    figures = run.bundle(made)
    if golden is not None and (old := _replaced(out, made)) is not None:
        commands = read_golden(golden)
        lost = {one.text for one in broken(commands, old.predict, load_model(made).predict)}
        if lost:
            _log.info("%d golden commands broke, and are rehearsed: %s", len(lost), "; ".join(sorted(lost)))
            run.repair([lesson(command) for command in commands if command.text in lost])
            figures = run.bundle(made)
            check(commands, old.predict, load_model(made).predict)
    if key is not None:
        signed, _ = sign(Manifest.read(made), key.read_bytes())
        signed.write(made)
    fresh = out.with_name(f".{out.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(made, fresh)
    shutil.rmtree(out, ignore_errors=True)
    fresh.rename(out)
    return figures


def _replaced(out: Path, made: Path) -> JointModel | None:
    """The bundle that would be replaced, if it can be compared with the new one."""
    if not (out / MANIFEST).exists():
        return None
    try:
        old = load_model(out)
    except BundleError:
        return None
    return old if old.labels == load_model(made).labels else None
