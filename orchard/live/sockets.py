"""The web server's side of a live socket: a frame for many is packed once, and kept once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from orchard.live.frames import SharedText

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent


class LiveProtocol(WebSocketsSansIOProtocol):
    """Uvicorn's WebSocket, whose sockets write the very same bytes when they say the same.

    So what waits for slow readers is in memory once, however many they are. It
    may not be used with extensions, which pack for each socket.
    """

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message of the application.

        Raises:
            ClientDisconnected: nobody is there any more.
        """
        text = message.get("text")
        if not isinstance(text, SharedText) or not self.handshake_complete:
            await super().send(message)
            return
        await self.writable.wait()
        if self.disconnected or self.close_sent or self.conn.state is not State.OPEN:
            raise ClientDisconnected
        if not text.packed:
            text.packed = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
        self.transport.write(text.packed)
