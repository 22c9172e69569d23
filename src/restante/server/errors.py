"""The server's error tree: every refusal is a Refusal with one of the codes of restante.protocol.codes.

    Refusal(code)            an expected answer: logged as an event, never as an error
    ├── RetryLater           503 busy, 423 locked, 429 rate-limited, 507 storage-full: carries Retry-After
    └── (everything else by its code)

Anything that is not a Refusal is a fault: 500 `internal`, logged with its request id.
"""

from restante.protocol.codes import CODES


class Refusal(Exception):
    """An expected refusal; ``detail`` adds what the sentence cannot know and never repeats secrets."""

    def __init__(
        self,
        code: str,
        *,
        detail: str = "",
        headers: dict[str, str] | None = None,
        recipients: list[str] | None = None,
        limit: int | None = None,
        used: int | None = None,
    ) -> None:
        self.entry = CODES[code]
        self.detail = detail
        self.headers = dict(headers or {})
        if self.entry.status == 401:
            self.headers.setdefault("www-authenticate", "Bearer")  # RFC 9110 section 15.5.2
        self.recipients = recipients
        self.limit = limit
        self.used = used
        super().__init__(code)

    @property
    def retry_after(self) -> int | None:
        """Seconds, when the refusal says when to come back."""
        value = self.headers.get("retry-after")
        return int(value) if value is not None else None


class RetryLater(Refusal):
    """A passing refusal that names the seconds to wait."""

    def __init__(self, code: str, *, seconds: float, detail: str = "") -> None:
        super().__init__(code, detail=detail, headers={"retry-after": str(max(1, round(seconds)))})
