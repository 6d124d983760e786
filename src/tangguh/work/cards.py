"""Our own cards at any terminal: is it one of ours, may it be used, is the PIN right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tangguh.core.clock import JAKARTA, Clock
from tangguh.customers import cards
from tangguh.customers.cards import Card
from tangguh.db.pool import Pool
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.hsm import Hsm
from tangguh.rails.iso8583.inbound.address import is_from
from tangguh.rails.iso8583.message import Message
from tangguh.work import codes

_TRIES: int = 3


class _Guesses:
    """Wrong PINs of one card while somebody of it is being judged.

    ``wrong`` have been judged, ``counted`` of them are in the card's row. A reader that came before
    they were counted may have seen a row without them, so they are taken off what it says.
    """

    __slots__ = ("counted", "judging", "wrong")

    def __init__(self) -> None:
        self.judging = self.wrong = self.counted = 0


class CardOffice:
    """Looks cards up by the token of their number; a clear PIN never leaves the module."""

    def __init__(self, pool: Pool, book_id: int, security: Hsm, clock: Clock, prefix: str) -> None:
        """``prefix``: the eight digits of the national numbering that our cards begin with."""
        self._pool = pool
        self._book_id = book_id
        self._clock = clock
        self._prefix = prefix
        self.security = security
        self._loader = cards.CardLoader(pool, book_id)
        self._guesses: dict[str, _Guesses] = {}

    def is_ours(self, pan: str) -> bool:
        """Whether we issued such numbers."""
        return pan.startswith(self._prefix)

    async def find(self, pan: str) -> Card | None:
        """The card with this number, or None."""
        return await self._loader.find(self.security.token(pan))

    async def admit(self, request: Message, pan: str, pin_key: str) -> Card | str:
        """The card when it may be used, its PIN is right and it pays from its own account.

        Else the response code.

        A wrong PIN costs one of three tries; without any left the card is blocked (75). Of several
        at once none is judged beyond the tries that those before it left.
        """
        token = self.security.token(pan)
        with self._judging(token) as guesses:
            counted = guesses.counted
            card = await self._loader.find(token)
            if card is None:
                return codes.NO_SUCH_CARD
            left = card.tries_left - (guesses.wrong - counted)
            return await self._admit(request, pan, pin_key, card, left, guesses)

    @contextmanager
    def _judging(self, token: str) -> Iterator[_Guesses]:
        guesses = self._guesses.get(token)
        if guesses is None:
            guesses = self._guesses[token] = _Guesses()
        guesses.judging += 1
        try:
            yield guesses
        finally:
            guesses.judging -= 1
            if not guesses.judging:
                del self._guesses[token]

    async def _admit(
        self, request: Message, pan: str, pin_key: str, card: Card, left: int, guesses: _Guesses
    ) -> Card | str:
        if card.state == "lost":
            return codes.LOST_CARD
        if left <= 0:
            return codes.PIN_TRIES
        if card.state != "active":
            return codes.BLOCKED_CARD
        if self._has_expired(request, card):
            return codes.EXPIRED_CARD
        admitted = await self._check_pin(request, pan, card, pin_key, guesses)
        if admitted is card and not is_from(request, str(card.account_id)):
            return codes.NOT_ITS_ACCOUNT
        return admitted

    async def change_pin(self, pan: str, card: Card, new_block: str) -> str:
        """Keep the check value of a new PIN; the response code."""
        value = self.security.pin_value(new_block, pan, key=hsm.TPK)
        if value is None:
            return codes.FORMAT
        await cards.set_pvv(self._pool, self._book_id, card.card_token, value)
        return codes.APPROVED

    async def _check_pin(
        self, request: Message, pan: str, card: Card, pin_key: str, guesses: _Guesses
    ) -> Card | str:
        right = self.security.verify_pin(request.get(52), pan, key=pin_key, value=card.pvv)
        if right is None:
            return codes.FORMAT
        if right:
            if card.tries_left < _TRIES:
                await cards.give_tries(self._pool, self._book_id, card.card_token)
            return card
        guesses.wrong += 1
        left = await cards.take_try(self._pool, self._book_id, card.card_token)
        guesses.counted += 1
        return codes.WRONG_PIN if left else codes.PIN_TRIES

    def _has_expired(self, request: Message, card: Card) -> bool:
        """By our own record; what the stripe says must agree when it says something."""
        now = self._clock.now().astimezone(JAKARTA)
        track = request.get(35).replace("D", "=").partition("=")[2]
        on_stripe = request.get(14) or track[:4]
        month = f"{now.year % 100:02d}{now.month:02d}"
        return month > card.expires or (bool(on_stripe) and on_stripe != card.expires)
