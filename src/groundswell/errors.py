"""The error tree: every failure says whose fault it is, and one place turns it into an answer.

GroundswellError
├── UserError            the caller's fault (4xx); the text is for users
│   ├── NotAuthenticated   401
│   ├── NotAllowed         403
│   └── NotFound           404
├── UpstreamError        somebody else's fault (Slack, a mail server); says whether to retry
├── StoreError           the engine's or the metadata database's fault
│   ├── StoreUnavailable   503, with a time to come back
│   └── QueryTooHeavy      400: the question went over a limit of time, memory or rows
└── StartupError         the operator's fault: the process cannot start; exit code 2 or 3
"""

from __future__ import annotations


class GroundswellError(Exception):
    """Raised when anything expected goes wrong; the root of the tree."""


class UserError(GroundswellError):
    """Raised when a request asks for something that cannot be answered.

    `message` is shown to the user: what was wrong, what is allowed, the nearest fix.
    `code` is stable for programs, `field` names the parameter, `status` is the HTTP status.
    """

    def __init__(
        self, message: str, *, code: str = "invalid", field: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.field = field
        self.status = status


class NotAuthenticated(UserError):
    """Raised when a request carries no credentials, or credentials that are not valid."""

    def __init__(self, message: str = "Authentication credentials were not provided.") -> None:
        super().__init__(message, code="not_authenticated", status=401)


class NotAllowed(UserError):
    """Raised when the caller is known but may not do or see this."""

    def __init__(self, message: str = "You do not have permission to perform this action.") -> None:
        super().__init__(message, code="not_allowed", status=403)


class NotFound(UserError):
    """Raised when what was asked for does not exist, or the caller may not know that it does.

    missing: what it was, for the operator at the command line; clients of the API are not told.
    """

    def __init__(
        self, message: str = "The requested resource does not exist", *, missing: str = ""
    ) -> None:
        super().__init__(message, code="not_found", status=404)
        self.missing = missing


class UpstreamError(GroundswellError):
    """Raised when a service that we call fails: Slack, a mail server, a webhook."""

    def __init__(
        self, message: str, *, retryable: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.retry_after_s = retry_after_s


class StoreError(GroundswellError):
    """Raised when the event store or the metadata database fails."""

    def __init__(self, message: str, *, engine_code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.engine_code = engine_code


class StoreUnavailable(StoreError):
    """Raised when the store cannot be reached or cannot write now; the caller may come back."""

    def __init__(
        self, message: str, *, retry_after_s: int = 30, engine_code: int | None = None
    ) -> None:
        super().__init__(message, engine_code=engine_code)
        self.retry_after_s = retry_after_s


class QueryTooHeavy(StoreError):
    """Raised when a question goes over a limit of time, memory or rows; the text names it."""


class StartupError(GroundswellError):
    """Raised when the process cannot start; `exit_code` is what the command exits with."""

    def __init__(self, message: str, *, exit_code: int = 2) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
