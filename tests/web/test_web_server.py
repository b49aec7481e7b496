"""The server: who may connect, what it answers, and that a connection survives nonsense."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import unused_port

from device.errors import BadInput
from firmware_sim.kit import TonesKit
from firmware_sim.web.server import LONGEST, STATIC, Running, start

PATIENCE = 20.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture
async def running(home: Path) -> AsyncIterator[Running]:
    served = await start(home, kit=TonesKit())
    yield served
    await served.stop()


@pytest.fixture
async def session(running: Running) -> AsyncIterator[ClientSession]:
    async with ClientSession(running.url) as session:
        yield session


def own(running: Running) -> dict[str, str]:
    return {"Origin": running.url.rstrip("/")}


async def until(socket: ClientWebSocketResponse, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The next JSON message that is wanted; sound and others are passed over."""
    async with asyncio.timeout(PATIENCE):
        while True:
            received = await socket.receive()
            assert received.type in (WSMsgType.TEXT, WSMsgType.BINARY), received
            if received.type is WSMsgType.TEXT and wanted(message := received.json()):
                return dict(message)


def of_type(kind: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: message["type"] == kind


async def test_the_page_and_all_it_needs_come_from_here_alone(session: ClientSession) -> None:
    for name in ("", *(path.name for path in STATIC.iterdir())):
        async with session.get(f"/{name}") as response:
            assert response.status == 200
            assert "default-src 'self'" in response.headers["Content-Security-Policy"]
            text = await response.text()
            assert "https://" not in text
            assert "http://" not in text.replace("http://www.w3.org/", "").replace("http://127.0.0.1", "")
    for wrong in ("/nothing", "/../server.py", "/%2e%2e/server.py"):
        async with session.get(wrong) as response:
            assert response.status in (403, 404)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "null"},
        {"Origin": "http://evil.example", "Host": "evil.example"},  # a name that was made to point here
    ],
)
async def test_foreign_pages_may_not_connect(session: ClientSession, headers: dict[str, str]) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await session.ws_connect("/socket", headers=headers)
    assert refused.value.status == 403


async def test_a_typed_command_lights_the_lamp_and_nonsense_is_answered(
    session: ClientSession, running: Running
) -> None:
    async with session.ws_connect("/socket", headers=own(running)) as socket:
        welcome = await until(socket, lambda _: True)
        assert welcome["type"] == "welcome"
        assert welcome["state"]["house"]["light.kitchen"]["on"] is False
        if welcome["state"]["power"] != "on":
            await until(socket, lambda m: m.get("power") == "on")
        for nonsense in ("}{", '{"type": "explode"}', '{"type": "volume", "level": 1000}'):
            await socket.send_str(nonsense)
            assert "can't be used" in (await until(socket, of_type("refused")))["message"]
        await socket.send_bytes(b"\0")
        assert "no piece" not in str(await _nothing(socket))  # this page streams nothing: it is not listened to
        await socket.send_json({"type": "microphone", "on": True})
        await until(socket, lambda m: m.get("streaming"))
        await socket.send_bytes(b"\0")
        assert "no piece of 16-bit sound" in (await until(socket, of_type("refused")))["message"]
        await socket.send_json({"type": "say", "text": "turn on the kitchen light"})
        await until(socket, lambda m: m.get("house", {}).get("light.kitchen", {}).get("on"))
        turn = await until(socket, of_type("turn"))
        assert turn["turn"]["interpretations"][0]["intent"] == "light.on"
        await until(socket, of_type("first_sound"))


async def _nothing(socket: ClientWebSocketResponse) -> object:
    """What comes within a moment, if anything."""
    try:
        return (await socket.receive(timeout=0.1)).data
    except TimeoutError:
        return None


async def test_a_page_that_leaves_takes_its_microphone_along(session: ClientSession, running: Running) -> None:
    async with session.ws_connect("/socket", headers=own(running)) as stays:
        await until(stays, of_type("welcome"))
        async with session.ws_connect("/socket", headers=own(running)) as leaves:
            await leaves.send_json({"type": "microphone", "on": True})
            await until(stays, lambda m: m.get("streaming") is True)
            await stays.send_json({"type": "microphone", "on": False})  # not its own: it goes on
            await stays.send_json({"type": "plug", "on": False})
            state = await until(stays, lambda m: m.get("power") == "off" or m.get("streaming") is False)
            assert "streaming" not in state
        await until(stays, lambda m: m.get("streaming") is False)


async def test_too_long_a_message_ends_its_connection_alone(session: ClientSession, running: Running) -> None:
    async with session.ws_connect("/socket", headers=own(running)) as socket:
        await socket.send_str("x" * (LONGEST + 1))
        async with asyncio.timeout(PATIENCE):
            while (await socket.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING):
                pass
    async with session.ws_connect("/socket", headers=own(running)) as socket:
        await until(socket, of_type("welcome"))


async def test_a_port_that_is_taken_and_a_board_that_is_not_there(home: Path, tmp_path: Path) -> None:
    port = unused_port()
    holder = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", port)
    async with holder:
        with pytest.raises(BadInput, match="can't be listened on"):
            await start(tmp_path, port=port, kit=TonesKit())
    with pytest.raises(BadInput, match="no board"):
        await start(tmp_path, board="toaster", kit=TonesKit())
    again = await start(tmp_path, port=port, kit=TonesKit())  # what failed holds nothing
    await again.stop()
