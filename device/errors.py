"""The tree of errors a person can act on.

Every `DeviceError` says what happened, what the user can do (`remedy`), what is spoken where a person is
listening (`spoken`), and whether the device may recover by itself (`recoverable`). The command line maps the
classes to exit codes: 1 failed, 2 wrong use or bad input, 3 something is missing on this machine.
"""

from __future__ import annotations

from typing import ClassVar


class DeviceError(Exception):
    """Base of everything that the device reports.

    Attributes:
        remedy: What the user can do about it, one imperative sentence.
        spoken: What the assistant says aloud when this ends a turn.
        recoverable: True if trying again may succeed without a person doing anything.
        exit_code: Process exit code on the command line.
    """

    exit_code: ClassVar[int] = 1
    recoverable: ClassVar[bool] = False
    spoken: ClassVar[str] = "Sorry, something went wrong."

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.remedy}" if self.remedy else message


class BadInput(DeviceError):
    """The caller gave something that can't be used: a file, an argument, a pack, a configuration."""

    exit_code = 2


class ConfigError(BadInput):
    """A configuration file or variable has an unknown key or an impossible value."""


class PackError(BadInput):
    """A skill pack can't be used; the message names file and line where known."""


class AudioFormatError(BadInput):
    """An audio file is empty, truncated, too long or of a format that can't be read."""

    spoken = "Sorry, I can't read that recording."


class Missing(DeviceError):
    """Something is not installed or not present on this machine."""

    exit_code = 3


class EngineMissing(Missing):
    """A speech engine's package, program or model is not there."""

    spoken = "Sorry, a part of my voice is missing."


class AudioDeviceMissing(Missing):
    """No usable microphone or speaker."""

    spoken = "I can't find a microphone."


class MicrophoneStalled(DeviceError):
    """The microphone stopped delivering samples."""

    recoverable = True
    spoken = "I lost the microphone for a moment. Please say that again."


class MicrophoneSilent(DeviceError):
    """The microphone delivers samples that are all the same: not even the noise of an input."""

    recoverable = True
    spoken = "My microphone hears nothing at all. Please check it."


class SpeakerStalled(DeviceError):
    """The speaker stopped taking samples. What is spoken would not be heard before it is back."""

    recoverable = True
    spoken = "I lost the speaker for a moment."


class EngineFailed(DeviceError):
    """A speech engine raised, crashed or exceeded its deadline."""

    recoverable = True
    spoken = "Sorry, I didn't get that. Please say it again."


class EngineHung(EngineFailed):
    """A call of an engine missed its deadline; the lost thread may use the engine still, so it has to be made anew."""


class Unexpected(DeviceError):
    """An exception that nobody foresaw, a bug: what it broke ends, the device goes on."""

    recoverable = True


class OutOfMemory(DeviceError):
    """Something could not be done for want of memory."""

    recoverable = True
    spoken = "I'm short of memory. Please try again in a moment."


class BundleError(DeviceError):
    """A model bundle is damaged, foreign or not signed as required."""

    exit_code = 2
    spoken = "My language model is damaged, so I only know fixed phrases."


class BundleUntrusted(BundleError):
    """A model bundle is whole, but nobody who is trusted signed it."""

    exit_code = 1
    spoken = "My language model is not signed by anybody I trust, so I only know fixed phrases."


class BundleReplaced(BundleError):
    """A model bundle can't be used, and another one is in use instead."""

    spoken = "My language model can't be used, so I go on with the one before."


class UpdateError(DeviceError):
    """An update was not installed; what ran before runs on."""


class UpdateUntrusted(UpdateError):
    """Nobody whom this device trusts signed the update, or it was changed since."""


class UpdateForeign(UpdateError):
    """The update is for devices of another kind."""

    exit_code = 2


class StorageError(DeviceError):
    """State could not be written (disk full, read-only) or read (damaged)."""

    recoverable = True
    spoken = "I couldn't save that: my storage is full or read-only."


class DatabaseDamaged(StorageError):
    """What was stored can't be read any more, in part or at all; the device goes on with what is left."""

    recoverable = False
    spoken = "My memory was damaged, and I may have lost alarms, timers, reminders and lists. Please check them."


class SkillError(DeviceError):
    """A skill could not do what was asked, for a reason outside the dialogue."""

    recoverable = True
    spoken = "Sorry, that didn't work."


def reportable(error: Exception) -> DeviceError:
    """The error as something to report: itself, or one caused by it: what is no want of memory is a bug."""
    if isinstance(error, DeviceError):
        return error
    if isinstance(error, MemoryError):
        trouble: DeviceError = OutOfMemory(f"Memory is short: {error}.", remedy="End other programs.")
    else:
        trouble = Unexpected(f"{type(error).__name__}: {error}.", remedy="This is a bug; please report it.")
    trouble.__cause__ = error
    return trouble
