"""The ledger's leave for a held payment to go out: who may sign, and for how long it holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tangguh.core import authorisation
from tangguh.core.authorisation import AuthorisationKey, Facts, creditor_of
from tangguh.core.errors import InvariantBroken, Misconfigured
from tangguh.payments.payment import Payment, State


class AuthoriseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ledger's key, Ed25519 in PEM. No path: a key for the life of the process, which no
    gateway outside it can know.

    ``expires_seconds`` after its acceptance, or after its release when it was parked, a payment may
    no longer be sent.
    """

    private_key_path: str = ""
    public_key_path: str = ""
    expires_seconds: float = 120.0


class Signer:
    """Signs what the book has decided to send."""

    def __init__(self, key: AuthorisationKey, expires_seconds: float) -> None:
        self._key = key
        self._life = timedelta(seconds=expires_seconds)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What gatekeepers and gateways check with."""
        return self._key.public

    def authorise(self, payment: Payment) -> str:
        """The token of a payment that is held. Raises InvariantBroken for any other.

        Not a refusal: whoever sends a payment in another state may have sent it before, and a
        "not sent" would then release money that has left.
        """
        payee = getattr(payment.order, "payee", None)
        if payment.state is not State.HELD or payee is None:
            raise InvariantBroken(f"{payment.id} is {payment.state}: only what is held may go out")
        facts = Facts(
            reference=payment.reference,
            rail=payment.rail,
            debtor=payment.debtor,
            creditor=creditor_of(payee),
            amount_minor=payment.to_payee_minor,
        )
        was_parked = payment.events > 1
        begins = payment.resolve_at if was_parked and payment.resolve_at else payment.accepted_at
        return self._key.authorise(facts, begins + self._life)


def signer_of(settings: AuthoriseSettings) -> Signer:
    """The signer of these settings. Raises Misconfigured when a key cannot be used."""
    if not settings.private_key_path:
        if settings.public_key_path:
            raise Misconfigured("authorise: public_key_path is set and private_key_path is not")
        return Signer(AuthorisationKey.fresh(), settings.expires_seconds)
    key = authorisation.load_key(_read(settings.private_key_path), settings.private_key_path)
    if settings.public_key_path:
        told = authorisation.load_public(_read(settings.public_key_path), settings.public_key_path)
        if told.public_bytes_raw() != key.public.public_bytes_raw():
            raise Misconfigured("authorise: the two keys are not one pair: every payment would end")
    return Signer(key, settings.expires_seconds)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Misconfigured(f"authorise: {path}: {error.strerror}") from error
