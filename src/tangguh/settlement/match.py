"""Matching what a network lists with what we have: one to one, one to many, many to one. Pure.

Our records are kept in arrays and found by one dictionary; a line that finds its record leaves
nothing behind but a sum. So memory grows with our records and with what does not match, not with
the file. No tolerance: a sen that differs is a break. Signs: positive is what we owe.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec

from tangguh.settlement.file import Line

OPEN: Final = 0
POSTED: Final = 1
ENDED: Final = 2
"""What our record says: not known yet, moved, or never moved (voided)."""

_DUE: Final = 1
_BEFORE: Final = 2
_LISTED: Final = 4
_COVERED: Final = 8


class Kind(StrEnum):
    """What a break is about. The value is stored."""

    MISSING_IN_FILE = "missing_in_file"
    MISSING_IN_BOOK = "missing_in_book"
    AMOUNT_DIFFERS = "amount_differs"
    STATE_DIFFERS = "state_differs"
    DUPLICATE = "duplicate"
    ACCOUNT_DIFFERS = "account_differs"


class Found(msgspec.Struct, frozen=True):
    """A break as it was found. ``ours``: what we expected in this file, ``theirs``: what it says.

    ``account``: where the difference stands in the book once the position is posted.
    """

    kind: Kind
    reference: str
    payment_id: UUID | None
    account: int
    ours_minor: int
    theirs_minor: int


class Matched(msgspec.Struct, frozen=True, kw_only=True):
    """What came out. ``proven``: open payments the file lists, with the network's reference.

    ``disproven``: open payments it lists and takes back. ``absent``: open payments it does not
    list. ``net_of_account``: the file's position, by the account each line belongs to.
    """

    matched: int
    breaks: list[Found]
    proven: list[tuple[UUID, str]]
    disproven: list[UUID]
    absent: list[UUID]
    net_of_account: dict[int, int]


class Records:
    """Our side: payments, refunds and credits of one network, added one by one."""

    def __init__(self) -> None:
        self.places: dict[bytes, int] = {}
        self.ids = bytearray()
        self.amounts = array("q")
        self.before = array("q")
        self.accounts = array("q")
        self.states = bytearray()
        self.flags = bytearray()
        self.groups: dict[bytes, list[int]] = {}

    def __len__(self) -> int:
        return len(self.states)

    def add(
        self,
        key: bytes,
        payment_id: bytes,
        amount_minor: int,
        state: int,
        account: int,
        *,
        due: bool = True,
        before_minor: int | None = None,
        group: bytes = b"",
    ) -> None:
        """One record under the key its line would have. ``amount_minor`` is signed.

        ``due``: its cycle is closed, so a file that does not list it is a break. ``before_minor``:
        what other cycles listed of it, None when none did. ``group``: the key under which a line
        may list it together with others: a refund's original, or an aggregate.
        """
        place = len(self.states)
        if self.places.setdefault(key, place) != place:
            return
        self.ids += payment_id
        self.amounts.append(amount_minor)
        self.before.append(before_minor or 0)
        self.accounts.append(account)
        self.states.append(state)
        self.flags.append((_DUE if due else 0) | (_BEFORE if before_minor is not None else 0))
        if group:
            self.groups.setdefault(group, []).append(place)

    def id_of(self, place: int) -> UUID:
        """The payment's id."""
        return UUID(bytes=bytes(self.ids[place * 16 : place * 16 + 16]))


class Matcher:
    """Takes the lines of one file, then says what matches. Use it once."""

    def __init__(self, records: Records, stray_account: int) -> None:
        """``stray_account``: where a line stands that no record knows."""
        self._records = records
        self._stray_account = stray_account
        self._sums = array("q", bytes(8 * len(records)))
        self._strays: dict[bytes, int] = {}
        self._told: dict[bytes, bytes] = {}
        self._breaks: list[Found] = []
        self._proven: list[tuple[UUID, str]] = []
        self._disproven: list[UUID] = []
        self._matched = 0

    def take(self, lines: Iterable[Line]) -> None:
        """Read every line. Nothing is judged yet: the file may still be refused."""
        places, sums, strays = self._records.places, self._sums, self._strays
        states, flags = self._records.states, self._records.flags
        for _, key, signed, theirs in lines:
            place = places.get(key)
            if place is None:
                strays[key] = strays.get(key, 0) + signed
                self._told[key] = theirs
                continue
            sums[place] += signed
            flags[place] |= _LISTED
            if states[place] == OPEN and key not in self._told:
                self._told[key] = theirs

    def strays(self) -> list[bytes]:
        """Keys of lines no record knows, for a second look at older payments."""
        return list(self._strays)

    def look_again(self) -> None:
        """Give strays to the records that were added since."""
        self._sums.extend([0] * (len(self._records) - len(self._sums)))
        for key in [key for key in self._strays if key in self._records.places]:
            place = self._records.places[key]
            self._sums[place] += self._strays.pop(key)
            self._records.flags[place] |= _LISTED

    def judge(self) -> Matched:
        """What matches and what breaks, once the whole file is known to be good."""
        records = self._records
        for key, place in records.places.items():
            if records.flags[place] & _LISTED:
                self._judge_listed(key, place)
        for key, theirs in self._strays.items():
            self._judge_stray(key, theirs)
        absent = self._judge_unlisted()
        return Matched(
            matched=self._matched,
            breaks=self._breaks,
            proven=self._proven,
            disproven=self._disproven,
            absent=absent,
            net_of_account=self._position(),
        )

    def settled(self) -> Iterator[tuple[UUID, int]]:
        """Each payment this file settled, with the sum it listed of it."""
        records = self._records
        for place in range(len(records)):
            if records.flags[place] & (_LISTED | _COVERED):
                yield records.id_of(place), self._sums[place]

    # ---- inside --------------------------------------------------------------------------------

    def _judge_listed(self, key: bytes, place: int) -> None:
        records = self._records
        theirs, before = self._sums[place], records.before[place]
        expected, state = records.amounts[place], records.states[place]
        listed = theirs + before
        if state == POSTED:
            self._judge_posted(key, place, listed)
        elif state == ENDED:
            if listed == 0:
                self._matched += 1
            else:
                self._break(Kind.STATE_DIFFERS, key, place, -before, theirs)
        elif listed == expected:
            self._matched += 1
            self._proven.append((records.id_of(place), self._told.get(key, b"").decode()))
        elif listed == 0:
            self._matched += 1
            self._disproven.append(records.id_of(place))
        else:
            self._break(Kind.AMOUNT_DIFFERS, key, place, expected - before, theirs)

    def _judge_posted(self, key: bytes, place: int, listed: int) -> None:
        """Listed alone, or with the first so many of its refunds that have no line of their own."""
        records = self._records
        total = expected = records.amounts[place]
        covered: list[int] = []
        for refund in self._unlisted_of(key):
            if total == listed:
                break
            total += records.amounts[refund]
            covered.append(refund)
        if total == listed or expected == listed:
            for refund in covered if total == listed else ():
                records.flags[refund] |= _COVERED
            self._matched += 1
            return
        before, theirs = records.before[place], self._sums[place]
        twice = listed == 2 * expected
        kind = Kind.DUPLICATE if twice else Kind.AMOUNT_DIFFERS
        self._break(kind, key, place, expected - before, theirs)

    def _judge_stray(self, key: bytes, theirs: int) -> None:
        """A line of an aggregate, of nothing in the end, or of what we do not know."""
        records = self._records
        members = self._unlisted_of(key)
        ours = sum(records.amounts[place] for place in members)
        if members and ours == theirs:
            for place in members:
                records.flags[place] |= _COVERED
            self._matched += 1
        elif members:
            for place in members:
                records.flags[place] |= _COVERED
            self._break(Kind.AMOUNT_DIFFERS, key, None, ours, theirs)
        elif theirs == 0:
            self._matched += 1
        else:
            self._break(Kind.MISSING_IN_BOOK, key, None, 0, theirs)

    def _judge_unlisted(self) -> list[UUID]:
        records, absent = self._records, []
        for key, place in records.places.items():
            flags, state = records.flags[place], records.states[place]
            if flags & (_LISTED | _COVERED | _BEFORE):
                continue
            if state == OPEN:
                absent.append(records.id_of(place))
            elif state == POSTED and flags & _DUE and not self._came_to_nothing(key, place):
                self._break(Kind.MISSING_IN_FILE, key, place, records.amounts[place], 0)
        return absent

    def _came_to_nothing(self, key: bytes, place: int) -> bool:
        """Given back before the cut-off: a network may list neither."""
        refunds = self._unlisted_of(key)
        amounts = self._records.amounts
        if not refunds or amounts[place] + sum(amounts[one] for one in refunds) != 0:
            return False
        for one in refunds:
            self._records.flags[one] |= _COVERED
        self._records.flags[place] |= _COVERED
        return True

    def _unlisted_of(self, key: bytes) -> list[int]:
        records = self._records
        return [
            place
            for place in records.groups.get(key, ())
            if records.states[place] == POSTED
            and not records.flags[place] & (_LISTED | _COVERED | _BEFORE)
        ]

    def _position(self) -> dict[int, int]:
        records = self._records
        nets: dict[int, int] = {}
        for account, net in zip(records.accounts, self._sums, strict=True):
            if net:
                nets[account] = nets.get(account, 0) + net
        for key, net in self._strays.items():
            account = self._account_of_stray(key)
            nets[account] = nets.get(account, 0) + net
        return {account: net for account, net in sorted(nets.items()) if net}

    def _account_of_stray(self, key: bytes) -> int:
        members = self._records.groups.get(key)
        return self._records.accounts[members[0]] if members else self._stray_account

    def _break(self, kind: Kind, key: bytes, place: int | None, ours: int, theirs: int) -> None:
        records = self._records
        payment_id = None if place is None else records.id_of(place)
        account = self._account_of_stray(key) if place is None else records.accounts[place]
        reference = key[1:].decode()
        self._breaks.append(Found(kind, reference, payment_id, account, ours, theirs))
