"""Serves the page: its files, and one WebSocket for what happens; to this machine alone unless told otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import tempfile
import webbrowser
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import typer
from aiohttp import WSMsgType, web

from device.app import make_home
from device.clock import Clock, SystemClock
from device.config import load_config
from device.errors import BadInput, DeviceError
from device.workers import ThreadWorkers, Workers
from firmware_sim.board.profile import load_profile
from firmware_sim.kit import Kit, SpeechKit
from firmware_sim.web.live import LiveGadget
from firmware_sim.web.messages import Message, Microphone, Refused, read_order

BOARD: Final = "speaker-pi4"
"""The board that is shown unless another is wanted: a speaker with a ring of LEDs and a mute switch."""

STATIC: Final = Path(__file__).parent / "static"

BACKLOG: Final = 512
"""Messages that wait for one page at most; a page that takes no more is let go, and comes back for the whole state."""

LONGEST: Final = 65_536
"""Bytes of one message from a page."""

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
"""The page takes nothing from elsewhere and sends nothing there; a browser that follows this couldn't."""


@dataclass(eq=False, slots=True)
class _Page:
    """One open page: what waits to be sent to it."""

    socket: web.WebSocketResponse
    outbox: asyncio.Queue[str | bytes] = field(default_factory=lambda: asyncio.Queue(BACKLOG))

    async def send(self) -> None:
        """Send what waits, for ever; ends with the connection."""
        with contextlib.suppress(ConnectionError):
            while True:
                waiting = await self.outbox.get()
                if isinstance(waiting, bytes):
                    await self.socket.send_bytes(waiting)
                else:
                    await self.socket.send_str(waiting)


class Pages:
    """All open pages of one gadget, and the way from and to them."""

    def __init__(self, gadget: LiveGadget, host: str) -> None:
        """`host` is the name under which it is served."""
        self._gadget = gadget
        self._host = host
        self._pages: set[_Page] = set()
        self._speaking: _Page | None = None
        gadget.tell = lambda message: self._send_all(_encoded(message))
        gadget.play = self._send_all

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(middlewares=[_secure])
        application.router.add_get("/", _index)
        application.router.add_get("/socket", self._socket)
        application.router.add_static("/", STATIC)
        application.on_shutdown.append(self._close)
        return application

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        """One page's connection.

        Any page that a browser has open may try to connect to this machine, so the origin must be our own page; and a
        foreign name may be made to point here, so the host must be an address or a name of ours.
        """
        if request.headers.get("Origin") != f"{request.scheme}://{request.host}" or not self._is_ours(request.host):
            raise web.HTTPForbidden(text="Only the gadget's own page may connect.")
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=LONGEST, compress=False)
        await socket.prepare(request)
        page = _Page(socket)
        page.outbox.put_nowait(_encoded(self._gadget.welcome()))
        self._pages.add(page)
        sending = asyncio.create_task(page.send())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._order(page, message.data)
                elif message.type is WSMsgType.BINARY:
                    self._hear(page, message.data)
        finally:
            self._pages.discard(page)
            sending.cancel()
            if self._speaking is page:
                self._speaking = None
                await self._gadget.obey(Microphone(False))
        return socket

    async def _order(self, page: _Page, text: str) -> None:
        """Carry one order out; what is wrong with it is answered, and the connection stays."""
        try:
            order = read_order(text)
            if isinstance(order, Microphone):
                if not order.on and self._speaking is not page:
                    return
                self._speaking = page if order.on else None
            await self._gadget.obey(order)
        except DeviceError as error:
            self._refuse(page, error)

    def _hear(self, page: _Page, sound: bytes) -> None:
        """Sound of the page that turned its microphone on last; of others nothing is taken."""
        if page is self._speaking:
            try:
                self._gadget.microphone.feed(sound)
            except BadInput as error:
                self._refuse(page, error)

    def _refuse(self, page: _Page, error: DeviceError) -> None:
        self._send(page, _encoded(Refused(Exception.__str__(error), error.remedy)))

    def _send_all(self, message: str | bytes) -> None:
        for page in tuple(self._pages):
            self._send(page, message)

    def _send(self, page: _Page, message: str | bytes) -> None:
        try:
            page.outbox.put_nowait(message)
        except asyncio.QueueFull:
            self._pages.discard(page)
            asyncio.get_running_loop().create_task(page.socket.close())

    def _is_ours(self, host: str) -> bool:
        name = host.rpartition(":")[0].strip("[]") if ":" in host else host
        if name in ("localhost", self._host):
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    async def _close(self, _: web.Application) -> None:
        for page in tuple(self._pages):
            await page.socket.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A served gadget.

    Attributes:
        gadget: The device and its world.
        url: Where its page is.
    """

    gadget: LiveGadget
    url: str
    _closing: contextlib.AsyncExitStack

    async def stop(self) -> None:
        """Pull the plug and close the server."""
        await self._closing.aclose()


async def start(
    home: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    board: str = BOARD,
    *,
    kit: Kit | None = None,
    clock: Clock | None = None,
    workers: Callable[[], Workers] = ThreadWorkers,
) -> Running:
    """Serve the page and put the plug in; returns while the device still boots.

    Args:
        home: Folder of all state; `config.toml` in it is respected.
        host: Address to listen on.
        port: 0 takes a free one.
        board: Name of its profile, or the path of one.
        kit: Ears and voice; the configured ones by default.
        clock: Time; the system's by default.
        workers: Makes the workers of each boot.

    Raises:
        BadInput: A wrong configuration, no such board, or an address that can't be listened on.
        StorageError: The folder can't be made.
    """
    profile, config = load_profile(board), load_config(make_home(home))
    time = clock or SystemClock(config.home.timezone)
    gadget = LiveGadget(config, home, profile, time, workers, kit or SpeechKit(config, home / "models"))
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(gadget.flash)
        runner = web.AppRunner(Pages(gadget, host).application(), shutdown_timeout=1.0)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise BadInput(
                f"{host}:{port} can't be listened on: {error.strerror}.", remedy="Choose another port."
            ) from error
        await gadget.plug(True)
        stack.push_async_callback(gadget.plug, False)
        closing = stack.pop_all()
    bound = runner.addresses[0][1]
    return Running(gadget, f"http://{f'[{host}]' if ':' in host else host}:{bound}/", closing)


def serve(home: Path | None, host: str, port: int, board: str, open_browser: bool) -> None:
    """Serve the page until Ctrl+C.

    Args:
        home: Folder of all state; None takes one that is thrown away afterwards.
        host: Address to listen on.
        port: 0 takes a free one.
        board: Name of its profile, or the path of one.
        open_browser: Show the page in the browser.

    Raises:
        DeviceError: See `start`.
    """
    with contextlib.ExitStack() as stack:
        if home is None:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="homebody-web-")))
        stack.enter_context(contextlib.suppress(KeyboardInterrupt))
        asyncio.run(_serve(home, host, port, board, open_browser))


async def _serve(home: Path, host: str, port: int, board: str, open_browser: bool) -> None:
    running = await start(home, host, port, board)
    try:
        typer.echo(f"The gadget is at {running.url} (Ctrl+C ends).")
        if open_browser:
            await asyncio.to_thread(webbrowser.open, running.url)
        await asyncio.Event().wait()
    finally:
        await running.stop()


@web.middleware
async def _secure(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.update(HEADERS)
    return response


async def _index(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


def _encoded(message: Message) -> str:
    return msgspec.json.encode(message).decode()
