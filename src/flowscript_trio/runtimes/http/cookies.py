"""Owns how the cookies of a node's scope become those of its request, and what an answer set goes back."""

from __future__ import annotations

from http.cookiejar import Cookie, CookieJar

from ...types.cookies import Cookies, Key


def fill(jar: CookieJar, cookies: Cookies) -> None:
    """Put the cookies of a scope into the jar of one exchange."""
    for cookie in cookies:
        jar.set_cookie(cookie)


def changes(jar: CookieJar, before: Cookies) -> list[tuple[Key, Cookie | None]]:
    """What an exchange changed: the cookies that are new or other than before, and None for those deleted."""
    old = {_key(cookie): cookie for cookie in before}
    new = {_key(cookie): cookie for cookie in jar}
    found: list[tuple[Key, Cookie | None]] = [
        (key, cookie) for key, cookie in new.items() if old.get(key) is not cookie
    ]
    return found + [(key, None) for key in old if key not in new]


def _key(cookie: Cookie) -> Key:
    return cookie.domain, cookie.path, cookie.name
