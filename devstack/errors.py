"""What can go wrong while servers start, told in one line each."""


class EmbeddedError(Exception):
    """A failure whose message is complete: it is printed as it is, without a traceback."""


class Locked(EmbeddedError):
    """Another process holds the data directory; `holder` is what it wrote about itself."""

    def __init__(self, message: str, holder: dict[str, str]) -> None:
        super().__init__(message)
        self.holder = holder
