"""Cookies of this bank: over TLS bound to this host by their own name, over plain HTTP without it.

``__Host-`` (whole site) and ``__Secure-`` (one part of it) are names a browser takes only with
Secure, and never from a neighbouring host or over plain HTTP: nobody can plant one. Source:
RFC 6265bis section 4.1.3.
"""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

SameSite = Literal["strict", "lax"]


def cookie(request: Request, name: str, *, path: str = "/") -> str:
    """The value of one of our cookies; empty when the browser has none."""
    return request.cookies.get(_full_name(request, name, path), "")


def put_cookie(
    request: Request,
    answer: Response,
    name: str,
    value: str,
    *,
    path: str = "/",
    seconds: int | None = None,
    samesite: SameSite = "strict",
) -> None:
    """Give the browser a cookie that no script reads; without ``seconds`` it goes with it."""
    answer.set_cookie(
        _full_name(request, name, path),
        value,
        max_age=seconds,
        path=path,
        secure=_is_tls(request),
        httponly=True,
        samesite=samesite,
    )


def drop_cookie(request: Request, answer: Response, name: str, *, path: str = "/") -> None:
    """Have the browser forget one of our cookies."""
    answer.delete_cookie(
        _full_name(request, name, path),
        path=path,
        secure=_is_tls(request),
        httponly=True,
        samesite="strict",
    )


def _is_tls(request: Request) -> bool:
    return request.url.scheme == "https"


def _full_name(request: Request, name: str, path: str) -> str:
    if not _is_tls(request):
        return name
    return f"__Host-{name}" if path == "/" else f"__Secure-{name}"
