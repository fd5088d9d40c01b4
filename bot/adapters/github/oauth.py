"""Who is behind a browser? GitHub's web flow says: an address to send it to, and the account behind the code that comes back.

Decides what is asked (no scope at all) and that the token is used once, for the account, and forgotten.
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

import re
from urllib.parse import urlencode

import httpx

from bot.domain.errors import TransientError, UserError
from bot.domain.people import Person

_CODE = re.compile(r"[A-Za-z0-9._-]{1,200}\Z")
SECONDS = 10.0


class OAuthClient:
    """Safe for several threads. `url` is GitHub's address for people, `api_url` its REST address."""

    def __init__(self, *, url: str, api_url: str, client_id: str, client_secret: str) -> None:
        self._url = url.rstrip("/")
        self._api = api_url.rstrip("/")
        self._client_id = client_id
        self._secret = client_secret

    def address(self, *, state: str, back: str) -> str:
        """Where the browser is sent; `back` is where it returns to."""
        asked = {"client_id": self._client_id, "state": state, "redirect_uri": back, "allow_signup": "false"}
        return f"{self._url}/login/oauth/authorize?{urlencode(asked)}"

    def person(self, code: str, *, back: str) -> Person:
        """The account behind a code. `UserError` when GitHub does not take the code, `TransientError` when it cannot be asked."""
        if not _CODE.match(code):
            raise UserError("GitHub's answer holds no code.", fix="type `/promote link` again")
        form = {"client_id": self._client_id, "client_secret": self._secret, "code": code, "redirect_uri": back}
        try:
            given = httpx.post(
                f"{self._url}/login/oauth/access_token", data=form, headers={"accept": "application/json"}, timeout=SECONDS
            ).json()
            token = given.get("access_token") if isinstance(given, dict) else None
            if not isinstance(token, str) or not token:
                raise UserError("GitHub did not take the code: it is used up or too old.", fix="type `/promote link` again")
            headers = {"authorization": f"Bearer {token}", "accept": "application/vnd.github+json"}
            answer = httpx.get(f"{self._api}/user", headers=headers, timeout=SECONDS)
            answer.raise_for_status()
            account = answer.json()
            return Person(id=int(account["id"]), login=str(account["login"]), bot=account.get("type", "User") != "User")
        except httpx.HTTPError as error:
            raise TransientError(f"GitHub cannot be asked who you are ({type(error).__name__})") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TransientError(f"GitHub's answer to who you are could not be understood ({type(error).__name__})") from None
