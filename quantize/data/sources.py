"""Where the corpora come from, under which licence, and whether what lies here is what was published.

What is checked is the SHA-256 of the sentences and labels as they are read: line ends, or SLURP's list of recordings
(which is not read), do not count, and one changed label does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from device.errors import BadInput
from quantize.data import corpora
from quantize.data.corpora import HWU_FOLDS, MASSIVE, Sentence, Split

_RAW: Final = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Download:
    """One file to fetch.

    Attributes:
        url: Where from.
        path: Where it belongs below the data folder; of an archive, where its members are unpacked.
        sha256: Of the file, or None where its publisher may pack it anew.
        members: Of an archive, what is unpacked, by the names in it without the leading folder that GitHub adds.
    """

    url: str
    path: Path
    sha256: str | None = None
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class PartSource:
    """A part of a corpus: its name, a file of it, and its reader.

    Attributes:
        name: Such as `train` or `fold 3 test`.
        paths: Files or folders below the data folder; the part is there if one of them is.
        read: Its sentences, given the data folder.
        sha256: `fingerprint` of the published part; None where it isn't known here.
    """

    name: str
    paths: tuple[Path, ...]
    read: Callable[[Path], Iterable[Sentence]]
    sha256: str | None = None


@dataclass(frozen=True)
class Source:
    """A public corpus.

    Attributes:
        name: As in `quantize.data.benchmarks.BENCHMARKS`.
        title: Name in the literature.
        licence: SPDX name.
        citation: Paper.
        homepage: Repository of the publisher.
        downloads: What `fetch` gets.
        parts: What is read.
    """

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    downloads: tuple[Download, ...]
    parts: tuple[PartSource, ...]


@dataclass(frozen=True)
class PartFound:
    """A part on this machine: its sentences (None: not there), and what is wrong with it ("" for nothing)."""

    source: PartSource
    sentences: int | None
    problem: str = ""


def fingerprint(sentences: Iterable[Sentence]) -> tuple[int, str]:
    """Number of sentences, and the SHA-256 of their intents and pieces in order."""
    digest, count = hashlib.sha256(), 0
    for count, sentence in enumerate(sentences, start=1):  # noqa: B007
        fields = (sentence.intent, *(field for piece in sentence.pieces for field in piece))
        digest.update("\x1f".join(fields).encode() + b"\n")
    return count, digest.hexdigest()


def survey(source: Source, data_dir: Path) -> list[PartFound]:
    """Read every part that is there, count it and compare it with what was published."""
    return [_found(part, data_dir) for part in source.parts]


def _found(part: PartSource, data_dir: Path) -> PartFound:
    if not any((data_dir / path).exists() for path in part.paths):
        return PartFound(part, None)
    try:
        count, digest = fingerprint(part.read(data_dir))
    except BadInput as error:
        return PartFound(part, 0, Exception.__str__(error))
    if part.sha256 not in (None, digest):
        return PartFound(
            part, count, f"{part.paths[0]} is not what was published: its sentences or labels have changed."
        )
    return PartFound(part, count)


def source(name: str) -> Source:
    """A corpus by its name.

    Raises:
        BadInput: There is none of that name.
    """
    if name not in SOURCES:
        raise BadInput(f"There is no corpus {name!r}.", remedy=f"Choose one of {', '.join(SOURCES)}.")
    return SOURCES[name]


_HWU_DIGESTS: Final = (
    (
        "985fd6a0e0b8a02c00b47250846a10bbce1c70b3656ccb236131fc7fa56cc345",
        "a157856e15eff5bdeac6c8670e5ae71e997e5d9d51fccfd4159ad70a79d20a29",
    ),
    (
        "fe440ea0c1710858c2d25bbbfa1adc069d481bbfdf67e1a20e5d4e6cd4af37c4",
        "058309f2ce10ed4a71e866c0c74e8d048447e974916932bbf9e095df4874bcb2",
    ),
    (
        "d7675a1f5c2e3c42cd44e06d4489e78d975f3578fd38f01702bd9ee807924408",
        "9bf4b7912b2ba88a0e4f6fa8d957d01b9c74085267f69d569eb3d84bb31257ff",
    ),
    (
        "c69ec44e8f954aae07b75f55d3d35e105cb7c67055f3805bea7aaa7e5132f484",
        "2acbc94c5b47e51510478aaf0e90686260cc282b4758b2fd2ae2c3f2c2850163",
    ),
    (
        "daae7d011a1f0e5b8d26816554bfb8a5760e399bb609fb6ee128b6a3af687cbf",
        "3b799ff62922b8267a5e2eb99c0a5bd9f011ffff97221f82da0a34dc66e5f69c",
    ),
    (
        "0c3363982339b4aedc96332c13619c8c5ea96cded860f0d97b25bf28ea2a2a49",
        "1c60f00502490f0ae57fee7afe97a918f57e2c8daee0b34fa2b80afe86b3630f",
    ),
    (
        "e54118c51514a5e1c39edfae4a670306645e567a493077c68081054ac9bd87b8",
        "c2da03b473805de57a51ad2ba812b603cd98e3321f7c1830076e089307141f3f",
    ),
    (
        "8ac09e212936b38ab6ee1be77eeb49405d04310b9a0e9c085deda59e13a75877",
        "7f9ed0f015dfb6d42a451eb88cba89d0b858142dd91b062922a1ec783b35fd0e",
    ),
    (
        "a32e864574fb4cfcd9f38a0fe8223a5120274939082de7650cd91e7705cde055",
        "438d72ab1640baeecf4aed53e3ba031712f13d411d6095f46d2f89b1ea05363a",
    ),
    (
        "17ad3ea303a8480e8ef0f848413249a1533b1d4bef3c24d3b2827b7be0f8dc33",
        "e37ef1467cfc5b625b203436fbf1b47c27870109766dcfa26c8caf31ff001efa",
    ),
)
"""Training and test set of each fold."""


def _hwu_parts() -> tuple[PartSource, ...]:
    return tuple(
        PartSource(
            f"fold {fold} {split}",
            (HWU_FOLDS / f"KFold_{fold}" / f"{split}set",),
            partial(corpora.hwu64, split=split, fold=fold),
            digest,
        )
        for fold, digests in enumerate(_HWU_DIGESTS, start=1)
        for split, digest in zip(_TRAIN_TEST, digests, strict=True)
    )


_TRAIN_TEST: Final[tuple[Split, ...]] = ("train", "test")
_SNIPS_FILES: Final = {
    "train/seq.in": "04ad1e3f2121d83c6478f9a4b17d2dbdc21d06d6127f73cb7af835ed733f9855",
    "train/seq.out": "fd5f2121d8055827e5d6b3d3bac30f3d7e94e82a5d437751960cbdd9e1b4f6d3",
    "train/label": "bfd7df6cf9dd76c5da5d8b61bc85f90386197bdd3d7510c1d324c051537b962f",
    "valid/seq.in": "64e0f6d8ad8aab3a3828164d7d53731a0993d3ca1aed437ceaca6d3d568d410e",
    "valid/seq.out": "712e6d34feb8d52d208b820a5f8bae6e6ff990f08374507dfde22de389088319",
    "valid/label": "9c1dd041216f647bcfca838aaf1a48eb5781e4404256d31ff07cd38a5436c52f",
    "test/seq.in": "c1e341173fcea2951a8ca371956a6f81c76de87b9583c62eb87edd6158fa3a7c",
    "test/seq.out": "58c07c9097d5e1f78889765c2a535a160f6455b90b3142055c8051847afcca47",
    "test/label": "37a26da3ad079bb41c42c85a3a8f827eb47efec4c5917ce5d08f4b2736e4f830",
}

SOURCES: Final[Mapping[str, Source]] = {
    found.name: found
    for found in (
        Source(
            "hwu64",
            "HWU64 (NLU-Evaluation-Data)",
            "CC-BY-4.0",
            "Liu, Eshghi, Swietojanski and Rieser 2019, arXiv 1903.05566",
            "https://github.com/xliuhw/NLU-Evaluation-Data",
            (
                Download(
                    "https://github.com/xliuhw/NLU-Evaluation-Data/archive/refs/heads/master.zip",
                    Path("nlu-evaluation-data"),
                    members=(str(HWU_FOLDS.relative_to("nlu-evaluation-data")),),
                ),
            ),
            _hwu_parts(),
        ),
        Source(
            "snips",
            "SNIPS, split of Goo et al. 2018",
            "CC0-1.0",
            "Coucke et al. 2018, arXiv 1805.10190; split: Goo et al. 2018, NAACL",
            "https://github.com/MiuLab/SlotGated-SLU",
            tuple(
                Download(f"{_RAW}/MiuLab/SlotGated-SLU/master/data/snips/{name}", Path("snips") / name, sha256)
                for name, sha256 in _SNIPS_FILES.items()
            ),
            (
                PartSource(
                    "train",
                    (Path("snips/train"),),
                    partial(corpora.snips, part="train"),
                    "d6d9a1b2569779b3a09af66e7f7dce819950adb7ad8b52ec695804eea438e6fb",
                ),
                PartSource(
                    "dev",
                    (Path("snips/valid"),),
                    partial(corpora.snips, part="dev"),
                    "03c5292e8f6e768816ee89599312cf321b21f4746db42c6813fa29c99ef4e7f0",
                ),
                PartSource(
                    "test",
                    (Path("snips/test"),),
                    partial(corpora.snips, part="test"),
                    "5a09d553583e027b45fd7c95ac2f66d4c80717e62394bcd5c908074f5a40ae7f",
                ),
            ),
        ),
        Source(
            "clinc150",
            "CLINC150",
            "CC-BY-3.0",
            "Larson et al. 2019, arXiv 1909.02027",
            "https://github.com/clinc/oos-eval",
            (
                Download(
                    f"{_RAW}/clinc/oos-eval/master/data/data_full.json",
                    Path("clinc150/data_full.json"),
                    "36923c3705a59e08fe9c3883d8bc2dd966ef93e22cb78ac41171782a698d56e0",
                ),
            ),
            (
                PartSource(
                    "train",
                    (Path("clinc150/data_full.json"),),
                    partial(corpora.clinc150, part="train"),
                    "f22db75dd5bf4b587808ca55fd6c698d11907dbb216fd409bd9820f6cef893c6",
                ),
                PartSource(
                    "dev",
                    (Path("clinc150/data_full.json"),),
                    partial(corpora.clinc150, part="dev"),
                    "80456a354ac1705951675f0aaa475997762285c90e4d9f167a8b3c530525a96e",
                ),
                PartSource(
                    "test",
                    (Path("clinc150/data_full.json"),),
                    partial(corpora.clinc150, part="test"),
                    "5205c24e6df1315764bada3cd8537459559bcdecb8b698479581d96291ca955a",
                ),
            ),
        ),
        Source(
            "slurp",
            "SLURP",
            "CC-BY-4.0",
            "Bastianelli, Vanzo, Swietojanski and Rieser 2020, arXiv 2011.13205",
            "https://github.com/pswietojanski/slurp",
            tuple(
                Download(
                    f"{_RAW}/pswietojanski/slurp/master/dataset/slurp/{name}.jsonl",
                    Path(f"slurp/dataset/slurp/{name}.jsonl"),
                )
                for name in ("train", "devel", "test")
            ),
            (
                PartSource("train", (Path("slurp/dataset/slurp/train.jsonl"),), partial(corpora.slurp, part="train")),
                PartSource(
                    "dev",
                    (Path("slurp/dataset/slurp/devel.jsonl"),),
                    partial(corpora.slurp, part="dev"),
                    "7ea2b605a0c6fc7a018b154374b94f4af71daa6c10d6e8a176e61ea1b160f825",
                ),
                PartSource("test", (Path("slurp/dataset/slurp/test.jsonl"),), partial(corpora.slurp, part="test")),
            ),
        ),
        Source(
            "massive",
            "MASSIVE 1.1, en-US",
            "CC-BY-4.0",
            "FitzGerald et al. 2022, arXiv 2204.08582",
            "https://github.com/alexa/massive",
            (
                Download(
                    "https://amazon-massive-nlu-dataset.s3.amazonaws.com/amazon-massive-dataset-1.1.tar.gz",
                    Path("massive"),
                    "4cba5faa11c71437928e17cb1b9b3d8b8e727e7ea363a3a9a8045e19c0491577",
                    (str(MASSIVE[0].relative_to("massive")), "1.1/LICENSE"),
                ),
            ),
            (
                PartSource("train", MASSIVE, partial(corpora.massive, part="train")),
                PartSource("dev", MASSIVE, partial(corpora.massive, part="dev")),
                PartSource("test", MASSIVE, partial(corpora.massive, part="test")),
            ),
        ),
    )
}
"""All corpora. MASSIVE's archive is checked when it is fetched; its sentences, and those of SLURP's training and test
set, have no checksum of their own here."""
