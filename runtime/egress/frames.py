"""Server-sent events, taken out of whatever pieces they arrive in. One may be many megabytes long."""


class Frames:
    """Gathers lines until an event is whole, and looks at no byte twice."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._looked = 0
        self._data: list[bytes] = []

    def take(self, piece: bytes) -> list[bytes]:
        """The data of all events that this piece completes."""
        self._rest += piece
        done: list[bytes] = []
        start, end = 0, self._rest.find(b"\n", self._looked)
        while end >= 0:
            done += self._line(bytes(self._rest[start:end]).removesuffix(b"\r"))
            start, end = end + 1, self._rest.find(b"\n", end + 1)
        del self._rest[:start]
        self._looked = len(self._rest)
        return done

    def last(self) -> list[bytes]:
        """The event that nothing followed, not even the empty line it should have ended with."""
        return self.take(b"\n\n")

    def _line(self, line: bytes) -> list[bytes]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        if line or not self._data:
            return []
        data, self._data = b"\n".join(self._data), []
        return [data]
