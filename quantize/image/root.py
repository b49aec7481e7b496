"""The root file system: Debian by mmdebstrap with Homebody in `/opt`, packed as a read-only image.

The same package versions and the same checkout give the same bytes: times are those of `SOURCE_DATE_EPOCH`, nothing is
random, and caches and logs are left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quantize.image.board import Board
from quantize.image.tools import run

SUITE: Final = "bookworm"
OVERLAY: Final = Path(__file__).parent / "overlay"

PACKAGES: Final = (
    *(
        "systemd-sysv",
        "systemd-resolved",
        "systemd-timesyncd",
        "usr-is-merged",
        "udev",
        "dbus",
        "kmod",
        "initramfs-tools",
        "zstd",
    ),
    *("python3", "libstdc++6", "libgomp1", "libportaudio2", "espeak-ng", "alsa-utils"),
    *("rauc", "rauc-service", "ca-certificates", "e2fsprogs", "dosfstools", "fdisk"),
    *("iwd", "wireless-regdb", "dropbear-bin"),
)
"""Debian packages of every board."""

MODULES: Final = ("virtio_pci", "virtio_mmio", "virtio_blk", "squashfs", "loop", "ext4")
"""Kernel modules in every initramfs."""

_LEFT_OUT: Final = Path(__file__).parent / "dpkg.cfg"
"""What dpkg does not unpack: documentation but for licences, and kernel modules that no gadget has."""

_OPTIONS: Final = "root=PARTLABEL=root-@NAME@ rootfstype=squashfs ro rauc.slot=@NAME@ systemd.volatile=state panic=10"

_ENTRIES: Final = {
    "efi": """\
title Homebody @NAME@
sort-key homebody
version 1
linux /@NAME@/linux
initrd /@NAME@/initrd
options {options}
""",
    "uboot": "options={options}\n",
}

_GENERATORS: Final = (
    *("cryptsetup", "gpt-auto", "hibernate-resume", "integritysetup", "rc-local", "run", "system-update", "sysv"),
    "veritysetup",
)
"""systemd's generators for what no gadget has: encrypted disks, hibernation, scripts of SysV."""

_MASKED: Final = (
    *("systemd-boot-update.service", "apt-daily.timer", "apt-daily-upgrade.timer"),
    *("dev-hugepages.mount", "dev-mqueue.mount", "sys-fs-fuse-connections.mount", "sys-kernel-config.mount"),
    *("sys-kernel-debug.mount", "sys-kernel-tracing.mount", "proc-sys-fs-binfmt_misc.automount"),
    *("systemd-binfmt.service", "systemd-firstboot.service", "systemd-machine-id-commit.service"),
    *("systemd-pcrphase-sysinit.service", "systemd-pcrphase.service", "systemd-sysusers.service"),
    *("systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "systemd-network-generator.service"),
    *("systemd-ask-password-console.path", "systemd-ask-password-wall.path"),
    *("cryptsetup.target", "integritysetup.target", "veritysetup.target"),
)
"""Units that a device has no use for; with `_GENERATORS` they delay its ears by two seconds under emulation."""

_ALONE: Final = "no-fragments@name(*.pyc)||name(*.py)||name(*.so*)"
"""What is packed by itself: to read one of them from a block that many files share, all of the block is unpacked."""

_CLEAN: Final = (
    # Nothing is installed on a device; dpkg's list stays for who looks what is in it.
    *("usr/bin/perl*", "usr/lib/*/perl-base", "usr/bin/apt*", "usr/lib/apt", "usr/lib/*/libapt-*", "usr/bin/pzstd"),
    *("usr/lib/*/espeak-ng-data/[!e]*_dict", "usr/lib/*/espeak-ng-data/e[!n]*_dict", "usr/bin/iwmon"),
    *("var/cache/apt", "var/lib/apt/lists", "var/log", "var/cache/ldconfig/aux-cache", "var/cache/debconf"),
    *("etc/ssh/ssh_host_*", "etc/machine-id", "var/lib/dbus/machine-id", "etc/resolv.conf", "etc/hostname"),
    *("usr/lib/*/gconv", "usr/lib/udev/hwdb*", "usr/share/bash-completion", "usr/share/zoneinfo/right"),
    # They are on the boot partition.
    *("usr/lib/raspi-firmware", "usr/lib/u-boot", "usr/lib/systemd/boot"),
    *(f"usr/lib/systemd/system-generators/systemd-{name}-generator" for name in _GENERATORS),
    *("boot/[!e]*", "vmlinuz*", "initrd.img*", "var/lib/dpkg/*-old", "etc/*-", "run/*", "tmp/*"),
)


@dataclass(frozen=True, slots=True)
class Root:
    """What was made.

    Attributes:
        image: The root as squashfs.
        kernel: Its kernel.
        initrd: Its initramfs.
        boot: Folder with what else the boot partition holds: boot loader, firmware.
        packages: Lines of `dpkg-query`: package, version, architecture, source.
    """

    image: Path
    kernel: Path
    initrd: Path
    boot: Path
    packages: Path


def entry_template(board: Board) -> str:
    """How the boot loader starts a system, where @NAME@ is its name, a or b.

    Of two entries of systemd-boot the one with the higher version starts; U-Boot has its variables for that.
    """
    return _ENTRIES[board.boot].format(options=f"{_OPTIONS} console=tty0 console={board.console},115200")


def make_root(board: Board, payload: Path, config: Path, out: Path, epoch: int, log: Path) -> Root:
    """Make the root file system of a board.

    Args:
        board: Which one.
        payload: What becomes `/opt/homebody`.
        config: Files that are laid over the root last: what this build alone has, such as its update keys.
        out: A folder for the results.
        epoch: Seconds since 1970 that files are no newer than.
        log: What the programs say is added to it.

    Raises:
        ToolFailed: mmdebstrap or mksquashfs ended with an error.
    """
    shutil.rmtree(out / "boot", ignore_errors=True)
    made = Root(*(out / name for name in ("root.img", "linux", "initrd", "boot", "packages.txt")))
    with _laid_over(board, config, out / "overlay") as overlay:
        run(_mmdebstrap(board, overlay, payload, out, made), log, environment={"SOURCE_DATE_EPOCH": str(epoch)})
    tree = out / "root"
    made.image.unlink(missing_ok=True)
    times = ("-mkfs-time", str(epoch), "-all-time", str(epoch))
    pack = ("-quiet", "-noappend", "-no-xattrs", "-comp", "zstd", "-Xcompression-level", "15", "-b", "256K")
    run(["mksquashfs", tree, made.image, *pack, "-action", _ALONE, *times], log)
    shutil.rmtree(tree)
    return made


def _mmdebstrap(board: Board, overlay: Path, payload: Path, out: Path, made: Root) -> list[str | Path]:
    root = '"$1"'
    users = "adduser --system --group --quiet --home /data/homebody --no-create-home --shell /usr/sbin/nologin homebody"
    folders = " ".join(f"{root}/{name}" for name in ("data", "efi", "opt/homebody"))
    query = r"-f '${Package}\t${Version}\t${Architecture}\t${source:Package}\n'"
    before = (
        # The modules of the initramfs have to be known before the kernel is installed, or it is packed twice.
        f"mkdir -p {root}/etc/initramfs-tools/conf.d",
        f"cp {overlay}/etc/initramfs-tools/modules {root}/etc/initramfs-tools/modules",
        f"cp {overlay}/etc/initramfs-tools/conf.d/* {root}/etc/initramfs-tools/conf.d",
    )
    after = (
        f"mkdir -p {folders}",
        f"sync-in {overlay} /",
        f"sync-in {payload} /opt/homebody",
        f"chroot {root} {users}",
        f"chroot {root} adduser --quiet homebody audio",
        f"rm -rf {root}/root/.ssh",
        f"ln -s /data/ssh {root}/root/.ssh",
        # mmdebstrap merges /usr by a package that needs all of Perl.
        f"chroot {root} apt-get purge --yes --auto-remove --quiet usrmerge perl perl-modules-5.36 libperl5.36",
        f"chroot {root} python3 -m compileall -q --invalidation-mode unchecked-hash /opt/homebody /usr/lib/python3.11",
        f"chroot {root} systemctl preset-all --preset-mode=full",
        f"chroot {root} systemctl mask {' '.join(_MASKED)}",
        f"ln -sf /run/systemd/resolve/stub-resolv.conf {root}/etc/resolv.conf.new",
        f"cp {root}/boot/vmlinuz-* {made.kernel}",
        f"cp {root}/boot/initrd.img-* {made.initrd}",
        *(_fetch(f"{root}/{paths}", made.boot, place) for paths, place in board.boot_files.items()),
        f"chroot {root} dpkg-query -W {query} > {made.packages}",
        *(f"rm -rf {root}/{path}" for path in _CLEAN),
        f": > {root}/etc/machine-id",
        f"echo homebody > {root}/etc/hostname",
        f"mv {root}/etc/resolv.conf.new {root}/etc/resolv.conf",
        f"mkdir -p {root}/var/log",
        f"chmod 755 {root}",
        f"cp {made.kernel} {made.initrd} {root}/boot",
    )
    return [
        "mmdebstrap",
        "--variant=minbase",
        f"--architectures={board.debian}",
        "--components=main,non-free-firmware",
        f"--include={','.join((*PACKAGES, *board.packages))}",
        '--aptopt=Apt::Install-Recommends "false"',
        "--dpkgopt=force-confold",
        f"--dpkgopt={_LEFT_OUT}",
        *(f"--essential-hook={hook}" for hook in before),
        *(f"--customize-hook={hook}" for hook in after),
        SUITE,
        out / "root",
    ]


def _fetch(paths: str, folder: Path, place: str) -> str:
    """A line of shell that copies to a file in a folder, or into a folder in it: "", or with a slash at its end."""
    is_folder = not place or place.endswith("/")
    return f"install -D -m 644 {f'-t {folder}/{place} {paths}' if is_folder else f'{paths} {folder}/{place}'}"


@contextmanager
def _laid_over(board: Board, config: Path, folder: Path) -> Iterator[Path]:
    """The files that are laid over Debian's: those of all boards, of its way to start, of this build."""
    shutil.rmtree(folder, ignore_errors=True)
    for source in (OVERLAY / "common", OVERLAY / board.boot, config):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    modules = folder / "etc/initramfs-tools/modules"
    modules.write_text("\n".join([*MODULES, *board.modules, ""]), encoding="utf-8")
    (folder / "boot").mkdir()
    (folder / "boot/entry.conf").write_text(entry_template(board), encoding="utf-8")
    yield folder
    shutil.rmtree(folder)
