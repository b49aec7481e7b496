"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

BUNDLE: Final = Path(__file__).parents[2] / "models" / "artefacts" / "homebody-en"
"""The bundle that ships."""

DataDir = Annotated[Path, typer.Option(help="Folder of the corpora, in their upstream layouts (see the model card).")]
Packs = Annotated[Path, typer.Option(help="Folder of the skill packs.")]
Runs = Annotated[Path, typer.Option(help="Intermediate results; a run goes on where it stopped.")]
