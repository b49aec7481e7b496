"""The page in a real browser: typed and spoken commands, and the plug."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from device.audio.files import write_wav
from device.audio.ports import SAMPLE_RATE
from device.errors import EngineMissing
from device.speech.ports import render
from device.speech.tts_piper import PiperTts
from firmware_sim.web.server import Running, start

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")

CHROMIUM = Path("/usr/bin/chromium")
"""Debian's."""

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed (apt install chromium)"),
]

PATIENCE = 30_000.0
"""Milliseconds."""

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)

COUNT_SOUNDS = """
    window.played = 0;
    const start = AudioBufferSourceNode.prototype.start;
    AudioBufferSourceNode.prototype.start = function (...when) { window.played += 1; return start.apply(this, when); };
"""
"""Counts the pieces of sound that the page plays."""

WIDTHS = ({"width": 1400, "height": 900}, {"width": 390, "height": 844})


class Visitor:
    """Somebody in front of the page."""

    def __init__(self, page: "playwright.Page", url: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._url = url
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def come(self) -> None:
        await self.page.add_init_script(COUNT_SOUNDS)
        await self.page.goto(self._url)
        await self.sees("#status", "Ready")

    async def sees(self, what: str, text: str) -> None:
        await playwright.expect(self.page.locator(what)).to_contain_text(text, timeout=PATIENCE)

    async def sees_lamp(self, name: str, state: str) -> None:
        lamp = self.page.get_by_role("img", name=f"{name}: {state}")
        await playwright.expect(lamp).to_have_count(1, timeout=PATIENCE)

    async def types(self, text: str) -> None:
        await self.page.get_by_label("Type a command").fill(text)
        await self.page.keyboard.press("Enter")


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spoken command with silence after it; Chromium repeats it, should the machine have stuttered."""
    try:
        command = render(PiperTts(variation=0), "Hey Jarvis, turn on the kitchen light.")
    except EngineMissing as missing:
        pytest.skip(str(missing))
    path = tmp_path_factory.mktemp("recording") / "command.wav"
    pause = np.zeros(SAMPLE_RATE, np.int16)
    write_wav(path, np.concatenate((pause, command, np.tile(pause, 8))))
    return path


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Running]:
    running = await start(tmp_path)
    yield running
    await running.stop()


@pytest.fixture
async def visitor(served: Running, recording: Path) -> AsyncIterator[Visitor]:
    sound = f"--use-file-for-fake-audio-capture={recording}"
    async with playwright.async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=str(CHROMIUM), args=[*FLAGS, sound])
        visitor = Visitor(await browser.new_page(), served.url)
        await visitor.come()
        yield visitor
        await browser.close()
        assert not visitor.complaints


async def test_a_visit(visitor: Visitor) -> None:
    """What a person would try first; one visit, since every browser and every boot takes seconds."""
    page = visitor.page
    for size in WIDTHS:
        await page.set_viewport_size(size)
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"

    # Typed.
    await visitor.sees_lamp("office light", "off")
    await visitor.types("turn on the office light")
    await visitor.sees_lamp("office light", "on, 100 %")
    await visitor.sees("#transcript", "the office light is on")
    await visitor.sees("#time-head", "The first sound came")
    while await page.evaluate("window.played") < 20:  # more than a chime
        await page.wait_for_timeout(100)

    # What is wrong is said in words; the page goes on.
    await page.get_by_role("button", name="Flash full").click()
    await visitor.types("set an alarm for seven tomorrow morning")
    await visitor.sees("#transcript", "my storage is full or read-only")
    await page.get_by_role("button", name="Flash full").click()
    await visitor.types("set a timer for ten minutes")
    await visitor.sees("#mind", "09:5")

    # The plug: the ring goes dark, the lamp stays on; with the power comes what was promised.
    await page.get_by_role("button", name="Pull the plug").click()
    await visitor.sees("#status", "No power")
    assert await page.locator("#stage").get_attribute("data-light") == "off"
    assert await page.get_by_role("button", name="Talk").is_disabled()
    await visitor.sees_lamp("office light", "on, 100 %")
    await visitor.types("turn off the office light")
    await visitor.sees("#alerts", "no power")
    await page.get_by_role("button", name="Plug in").click()
    await visitor.sees("#status", "Ready")
    await visitor.sees("#mind", "Timer")

    # The talk button, by the keyboard.
    await page.locator("body").click(position={"x": 5, "y": 5})
    await page.keyboard.press("Space")
    await visitor.sees("#status", "Listening")
    assert await page.locator("#stage").get_attribute("data-light") == "listening"


async def test_a_recorded_command_goes_in_through_the_browsers_microphone(visitor: Visitor) -> None:
    await visitor.sees_lamp("kitchen light", "off")
    microphone = visitor.page.get_by_role("button", name="Microphone", exact=True)
    await microphone.click()
    await visitor.sees_lamp("kitchen light", "on, 100 %")
    # The browser plays the recording again and again: on a busy machine, where sound stutters, not every time is heard.
    await visitor.sees("#transcript", "Turn on the kitchen light")
    await visitor.sees("#transcript", "kitchen light is on")
    await visitor.sees("#time", "Speech to text")
    button = visitor.page.locator("#mic")
    assert await button.get_attribute("aria-pressed") == "true"
    await button.click()
    assert await button.get_attribute("aria-pressed") == "false"


async def test_a_server_that_comes_back_is_found_again(visitor: Visitor, served: Running, tmp_path: Path) -> None:
    port = int(served.url.rstrip("/").rpartition(":")[2])
    await served.stop()
    await visitor.sees("#link", "Server gone")
    again = await start(tmp_path, port=port)
    try:
        await visitor.sees("#link", "Connected")
        await visitor.sees("#status", "Ready")
    finally:
        await again.stop()
    visitor.complaints.clear()  # the browser's own, about a server that is gone
