"""Errors of the store. The driver's own errors end here."""


class StoreError(Exception):
    """The store could not do what was asked."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__ or "")


class StoreUnavailable(StoreError):
    """The state engine cannot be reached right now; try again in a moment."""


class EngineRefuses(StoreUnavailable):
    """The state engine is there, but how it is spoken to is wrong: a setting must be changed."""


class NotReplicated(StoreUnavailable):
    """The state engine has what was written, but no replica has it yet.

    It stands unless the server is lost before a replica catches up: to whoever
    asked, the outcome is unknown. Decide again on what is there then; a decision
    that finds its work done does nothing.
    """

    def __init__(self, reply: object = None) -> None:
        super().__init__("The state engine has this, but no replica has confirmed it")
        self.reply = reply


class StoreFull(StoreUnavailable):
    """The state engine has no memory left for writes."""


class TooManyConflicts(StoreError):
    """The same values kept changing while a decision was made on them."""


class CrossPartition(StoreError):
    """A commit names keys of more than one partition."""


class BadCursor(StoreError):
    """A cursor that no stream can have given out."""


class WrongType(StoreError):
    """A key holds another type than the one that was asked for."""
