"""What is in an image: a software bill of materials (CycloneDX), licences, a manifest and checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from quantize.image.board import Board

_BLOCK: Final = 2**20


def debian_components(packages: Path) -> Iterator[Component]:
    """Of the lines of `dpkg-query`: package, version, architecture, source, with tabs.

    Args:
        packages: The file.
    """
    for line in packages.read_text(encoding="utf-8").splitlines():
        name, version, architecture, source = line.split("\t")
        qualifiers = {"arch": architecture, "distro": "bookworm"} | ({"upstream": source} if source != name else {})
        yield _component(name, version, PackageURL("deb", "debian", name, version, qualifiers))


def python_components(folder: Path) -> Iterator[Component]:
    """Of the Python distributions in a folder, with the licences that they state."""
    for each in sorted(distributions(path=[str(folder)]), key=lambda each: each.name.lower()):
        url = PackageURL("pypi", None, each.name.lower().replace("_", "-"), each.version)
        yield _component(each.name, each.version, url, licence(each))


def licence(distribution: Distribution) -> str:
    """What a distribution states: an SPDX expression, a classifier's words, or nothing."""
    meta: Any = distribution.metadata
    if expression := meta.get("License-Expression"):
        return str(expression)
    classifiers = [c.rpartition("::")[2].strip() for c in meta.get_all("Classifier", []) if c.startswith("License ::")]
    stated = str(meta.get("License") or "")
    return " AND ".join(classifiers) or (stated if "\n" not in stated else stated.splitlines()[0])


def bill_of_materials(board: Board, version: str, components: Iterable[Component], epoch: int) -> str:
    """The CycloneDX 1.6 document, JSON; the same for the same image."""
    name = f"homebody-{board.name}"
    system = Component(name=name, version=version, bom_ref=name, type=ComponentType.FIRMWARE)
    known = list(components)
    bom = Bom(
        metadata=BomMetaData(component=system, timestamp=datetime.fromtimestamp(epoch, UTC)),
        components=known,
        serial_number=uuid5(NAMESPACE_URL, f"{board.compatible}/{version}/{epoch}"),
    )
    bom.register_dependency(system, known)
    return str(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)) + "\n"


def licences(components: Iterable[Component]) -> str:
    """A line a component: its kind, name, version, and licence, or where it is to be found."""
    rows = []
    for each in components:
        stated = ", ".join(str(getattr(found, "value", None) or found.id or found.name) for found in each.licenses)
        kind = each.purl.type if each.purl else ""
        where = stated or (f"/usr/share/doc/{each.name}/copyright" if kind == "deb" else "not stated")
        rows.append(f"{kind}\t{each.name}\t{each.version}\t{where}")
    return "\n".join(["kind\tname\tversion\tlicence", *sorted(rows), ""])


def sha256(file: Path) -> str:
    """Hash of a file, in hex."""
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def manifest(board: Board, version: str, epoch: int, root: Path, files: Mapping[str, Path]) -> str:
    """What was built, as JSON: of the root the hash that two equal builds share."""
    named = {name: {"file": file.name, "bytes": file.stat().st_size} for name, file in files.items()}
    found = {
        "name": "homebody",
        "version": version,
        "board": board.name,
        "compatible": board.compatible,
        "architecture": board.debian,
        "source_date_epoch": epoch,
        "root_sha256": sha256(root),
        "files": named,
    }
    return json.dumps(found, indent=2) + "\n"


def checksums(files: Iterable[Path]) -> str:
    """What `sha256sum --check` reads."""
    return "".join(f"{sha256(file)}  {file.name}\n" for file in sorted(files))


def _component(name: str, version: str, url: PackageURL, stated: str = "") -> Component:
    found = [LicenseFactory().make_from_string(stated)] if stated else []
    return Component(name=name, version=version, purl=url, bom_ref=str(url), type=ComponentType.LIBRARY, licenses=found)
