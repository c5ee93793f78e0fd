"""How this org behaves: every knob, to be set at the start or while it runs."""

from __future__ import annotations

from dataclasses import dataclass

LOGINS = ("refresh_token", "jwt", "client_credentials", "authorization_code", "session")


@dataclass
class Settings:
    """The knobs of a sandbox. Counts of rows, calls and polls; times in seconds.

    Logging in: `login` is what the printed config is for; `my_domain=False` gives the login a host of its own that
    serves no data and no client credentials, as login.salesforce.com; `rotate` replaces a refresh token at each use
    and takes the reuse of an old one for theft; `session_seconds` is a session's life, None for ever; `pkce` demands a
    code challenge; `approve=False` lets the user say no.

    Reading: `page_rows` of a query, `cursors` open at once, `result_rows` of a Bulk result page.

    Bulk jobs are shown InProgress for `job_polls` polls and `job_seconds`, whichever is longer; `upload_bytes` is the
    largest upload; `hard_delete` the permission.

    Limits: `daily_limit` API requests, `daily_used` of them already; `api_disabled` refuses all; `lock_share` is the
    share of rows that another transaction holds.
    """

    api_version: str = "67.0"
    login: str = "refresh_token"
    my_domain: bool = True
    rotate: bool = False
    session_seconds: float | None = None
    pkce: bool = False
    approve: bool = True
    page_rows: int = 2000
    cursors: int = 10
    result_rows: int = 50_000
    job_polls: int = 1
    job_seconds: float = 0
    upload_bytes: int = 150_000_000
    hard_delete: bool = True
    daily_limit: int = 100_000
    daily_used: int = 0
    api_disabled: bool = False
    lock_share: float = 0

    def __post_init__(self) -> None:
        if self.login not in LOGINS:
            msg = f"login {self.login!r} is none of {', '.join(LOGINS)}"
            raise ValueError(msg)

    def change(self, name: str, value: object) -> None:
        """Set one knob. Raises ValueError for one that does not exist."""
        if name not in self.__dataclass_fields__:
            msg = f"there is no setting {name!r}: there are {', '.join(self.__dataclass_fields__)}"
            raise ValueError(msg)
        setattr(self, name, value)
