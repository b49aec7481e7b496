"""`homebody image`: what a gadget maker flashes: a disk image, a signed update, and what is in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Device images: build, test, keys.")


@app.command()
def build(
    board: Annotated[str, typer.Option(help="generic-x86_64, generic-arm64 or rpi4.")],
    out: Annotated[Path, typer.Option(help="Folder of the results.")] = Path("dist"),
    key: Annotated[Path, typer.Option(help="Private key that signs the update.")] = Path("keys/update.key.pem"),
    certificate: Annotated[Path, typer.Option(help="Its certificate, which devices trust.")] = Path(
        "keys/update.cert.pem"
    ),
    model: Annotated[Path | None, typer.Option(help="Language model bundle; the one that ships by default.")] = None,
    version: Annotated[str, typer.Option(help="Of image and update; Homebody's by default.")] = "",
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Update in RAUC's plain format, checked as a whole at first."),
    ] = False,
    cache: Annotated[Path, typer.Option(help="Wheels, kept for the next build.")] = Path("runs/wheels"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Build a disk image, a signed update and the list of what is in them.

    The same packages, checkout and key give the same root file system; SOURCE_DATE_EPOCH sets the time of its files.
    """
    from rich.console import Console

    from quantize.image.board import board as find
    from quantize.image.build import Order, build
    from quantize.image.update import Format, Signer

    form: Format = "plain" if plain else "verity"
    order = Order(find(board), Signer(key, certificate), model, version, form=form)
    console = Console(stderr=True, highlight=False)
    with console.status("…") as status:
        made = build(order, out, cache.resolve(), lambda what: status.update(f"{order.board.title}: {what}"))
    sizes = {str(file): file.stat().st_size for file in made}
    if as_json:
        typer.echo(json.dumps({"board": board, "files": sizes}))
        return
    for name, size in sizes.items():
        typer.echo(f"{size / 1e6:9.1f} MB  {name}")


@app.command("test")
def try_image(
    board: Annotated[str, typer.Option(help="Which image; generic-x86_64, generic-arm64 or rpi4.")] = "generic-x86_64",
    out: Annotated[Path, typer.Option(help="Folder of the results of a build.")] = Path("dist"),
    key: Annotated[Path, typer.Option(help="Private key, for an update that is ill on purpose.")] = Path(
        "keys/update.key.pem"
    ),
    certificate: Annotated[Path, typer.Option(help="Its certificate.")] = Path("keys/update.cert.pem"),
    quick: Annotated[
        bool, typer.Option("--quick", help="Hear, answer, refuse and install; nothing is started anew.")
    ] = False,
    work: Annotated[Path, typer.Option(help="For disks, consoles and logs; they stay.")] = Path("runs/image-test"),
    cache: Annotated[Path, typer.Option(help="Wheels, kept for the next build.")] = Path("runs/wheels"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Start an image in an emulator, speak to it, update it, and break it.

    Takes no hardware and no KVM. Exit code 0: all went as it should; 1: something did not; 3: a program is missing.
    """
    import shutil
    import time
    from dataclasses import asdict

    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    from quantize.image.board import board as find
    from quantize.image.inference import as_arm64
    from quantize.image.machine import Machine
    from quantize.image.trial import Shown, Trial
    from quantize.image.trials import prepare
    from quantize.image.update import Signer

    console = Console(highlight=False)

    def told(shown: Shown) -> None:
        if as_json:
            return
        mark, style = ("✓", "green") if shown.ok else ("✗", "red")
        console.print(Text.assemble((f" {mark} ", style), f"{shown.name:<48}{shown.seconds:5.0f} s"))
        console.print(Padding(Text(shown.detail, "dim"), (0, 0, 0, 3)))

    folder = work.resolve() / board
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    found = find(board)
    signer = None if quick else Signer(key, certificate)
    if signer:
        signer.check()
    disk, stick = prepare(found, out, folder, signer, folder / "log")
    trial = Trial(Machine(found, disk, folder, stick), time.monotonic, told)
    if quick or found.debian == "arm64":
        trial.show(
            "hears and speaks as arm64 code", lambda: as_arm64(folder / "arm64", cache.resolve(), folder / "log")
        )
    trial.run(quick=quick)
    if as_json:
        typer.echo(json.dumps({"board": board, "shown": [asdict(shown) for shown in trial.results]}))
    raise typer.Exit(0 if all(shown.ok for shown in trial.results) else 1)


@app.command()
def keygen(
    out: Annotated[Path, typer.Option(help="Folder of the new key and certificate.")] = Path("keys"),
    name: Annotated[str, typer.Option(help="Whose updates they are.")] = "Homebody updates",
) -> None:
    """Make the key that signs updates, and the certificate by which devices know it."""
    from quantize.image.tools import require
    from quantize.image.update import keygen

    require("openssl")
    out.mkdir(parents=True, exist_ok=True)
    signer = keygen(out, name, out / "keygen.log")
    typer.echo(f"The private key is {signer.key}: keep it secret, and a copy safe. Devices trust {signer.certificate}.")
