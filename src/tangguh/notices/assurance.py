"""The sentence "your money is safe": computed, with the times of what proves it, or not said. Pure.

Three things are needed: the book's own proof (every entry balances, every balance is the sum of its
entries), the settlement match (the book and the networks' files agree), and sight: the book can be
read now and the independent watch sees. Nobody writes the sentence by hand: the lint refuses its
words everywhere else.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from tangguh.core import format as written
from tangguh.core.known import Known, Tristate, aged
from tangguh.core.outcome import Refusal, Refused

PROOF_AGE_MAX: Final = timedelta(hours=1)
MATCH_AGE_MAX: Final = timedelta(hours=26)
"""Networks send their files once a day; two hours for the file to come and be matched."""

SIGHT_AGE_MAX: Final = timedelta(seconds=20)
"""Whoever could not look for longer does not know that nothing has happened since."""

_SENTENCE: Final = {
    "id": (
        "Uang Anda aman: pembukuan terbukti seimbang {proved}, dan cocok dengan jaringan {matched}."
    ),
    "en": (
        "Your money is safe: the books balanced at {proved} and matched the networks at {matched}."
    ),
}


class Assurance(msgspec.Struct, frozen=True, kw_only=True):
    """What the last proof and the last match said, and when; None: there has been none.

    ``sight``: whether the book could be read and the watch saw, and when that was asked.
    """

    proved_at: datetime | None
    proof_holds: bool
    matched_at: datetime | None
    match_holds: bool
    sight: Known[Tristate] | None = None


class Assured(msgspec.Struct, frozen=True, kw_only=True):
    """An assurance that may be published in one language. Made by ``assure`` alone."""

    language: str
    proved_at: datetime
    matched_at: datetime

    @property
    def text(self) -> str:
        """The sentence with both times, as it must be written to pass the lint."""
        return _SENTENCE[self.language].format(
            proved=written.spoken_instant(self.proved_at, self.language),
            matched=written.spoken_instant(self.matched_at, self.language),
        )


def assure(
    assurance: Assurance,
    language: str,
    *,
    now: datetime,
    proof_age_max: timedelta = PROOF_AGE_MAX,
    match_age_max: timedelta = MATCH_AGE_MAX,
    sight_age_max: timedelta = SIGHT_AGE_MAX,
) -> Assured | Refused:
    """The sentence, if it is true and fresh. Refuses ORDER_INVALID, naming what is not.

    A time in the future is refused as an old one is: a clock that is wrong proves nothing.
    """
    proved = _refuse("proof", assurance.proved_at, now, proof_age_max, holds=assurance.proof_holds)
    matched = _refuse(
        "match", assurance.matched_at, now, match_age_max, holds=assurance.match_holds
    )
    if refused := proved or matched:
        return refused
    if aged(assurance.sight, now, sight_age_max) is not Tristate.YES:
        return Refused(Refusal.ORDER_INVALID, "sight", "nobody can see that it still holds")
    assert assurance.proved_at is not None
    assert assurance.matched_at is not None
    return Assured(
        language=language, proved_at=assurance.proved_at, matched_at=assurance.matched_at
    )


def _refuse(
    field: str, at: datetime | None, now: datetime, age_max: timedelta, *, holds: bool
) -> Refused | None:
    if at is None:
        return Refused(Refusal.ORDER_INVALID, field, "there has been none")
    if not holds:
        return Refused(Refusal.ORDER_INVALID, field, "it does not hold")
    if not timedelta() <= now - at <= age_max:
        return Refused(Refusal.ORDER_INVALID, field, "it is not of the time that counts")
    return None
