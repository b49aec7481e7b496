"""Short rendered sentences that are said again and again ("OK.", "Timer cancelled."), least recently used out."""

from __future__ import annotations

from collections import OrderedDict

from device.audio.ports import Pcm


class PcmCache:
    """Maps text to PCM within a bound of bytes.

    Args:
        limit: Bytes of PCM that are kept at most; 0 keeps nothing.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[str, Pcm] = OrderedDict()
        self.size = 0

    def get(self, text: str) -> Pcm | None:
        """The PCM of `text`, which thereby counts as just used."""
        pcm = self._entries.get(text)
        if pcm is not None:
            self._entries.move_to_end(text)
        return pcm

    def put(self, text: str, pcm: Pcm) -> None:
        """Keep a copy of `pcm`, unless it alone fills more than a quarter of the cache."""
        if pcm.nbytes * 4 > self._limit or text in self._entries:
            return
        kept = pcm.copy()
        kept.setflags(write=False)
        self._entries[text] = kept
        self.size += kept.nbytes
        while self.size > self._limit:
            _, oldest = self._entries.popitem(last=False)
            self.size -= oldest.nbytes
