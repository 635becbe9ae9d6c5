"""Errors of the store. The driver's own errors end here."""


class StoreError(Exception):
    """The store could not do what was asked."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or self.__doc__ or "")


class StoreUnavailable(StoreError):
    """The state engine cannot be reached right now; try again in a moment."""


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
