"""Both doors cards come in by, over one bank, with a card of Ana's."""

from __future__ import annotations

import random

from stories import ANA, RUPIAH, account_of, balance
from tangguh.app import Bank
from tangguh.customers import cards, codes
from tangguh.customers.cards import Card
from tangguh.customers.demo import CARD_EXPIRES, OUR_NNS, card_number
from tangguh.payments import store
from tangguh.payments.incoming.receiving import Receiving
from tangguh.rails.iso8583 import hsm
from tangguh.rails.iso8583.fields import Dialect
from tangguh.rails.iso8583.message import Message
from tangguh.rails.iso8583.soft_hsm import SoftHsm
from tangguh.work.cards import CardOffice
from tangguh.work.issuer import IssuerDoor
from tangguh.work.terminals import TerminalDoor

PIN = "135246"
KEYS = {
    name: f"{number:02X}" * 16
    for number, name in enumerate(
        (hsm.ZPK, hsm.TPK, hsm.PVK, hsm.MAK, hsm.SEAL, hsm.TOKEN), start=17
    )
}
FEE = 7_500 * RUPIAH


class Machines:
    """Both doors over one bank, and a card of Ana's."""

    def __init__(self, bank: Bank, security: SoftHsm, pan: str) -> None:
        office = CardOffice(bank.pool, bank.book_id, security, bank.clock, OUR_NNS)
        receiving = Receiving(bank.desk, bank.pool, bank.book_id)
        self.bank = bank
        self.security = security
        self.pan = pan
        self.office, self._receiving = office, receiving
        self.switch = IssuerDoor(bank.desk, bank.pool, bank.book_id, office, receiving)
        self.atm = TerminalDoor(bank.desk, bank.pool, bank.book_id, office, None, None)
        self._stan = 0

    def speak(self, dialect: Dialect) -> None:
        """The switch writes its amounts so from now on."""
        bank = self.bank
        self.switch = IssuerDoor(
            bank.desk, bank.pool, bank.book_id, self.office, self._receiving, dialect
        )

    def ask(self, kind: str, minor: int, key: str, pin: str = PIN, **more: str) -> Message:
        """A 0200 with this card. ``key``: under which the PIN block is."""
        self._stan += 1
        fields = {
            2: self.pan,
            3: f"{kind}1000",
            4: f"{minor:012d}",
            7: "0320050000",
            11: f"{self._stan:06d}",
            12: "120000",
            13: "0320",
            18: "6011",
            22: "021",
            32: "999" if key == hsm.TPK else "998",
            35: f"{self.pan}={CARD_EXPIRES}10100000",
            37: f"607905{self._stan:06d}",
            41: "ATM00001" if key == hsm.TPK else "ATM99801",
            42: "999000000000001",
            43: f"{'ATM GAMBIR':<25}{'JAKARTA':<13}ID",
            49: "360",
            52: self.security.encrypt_pin(pin, self.pan, key),
        }
        fields |= {int(name[2:]): value for name, value in more.items()}
        return Message("0200", {number: value for number, value in fields.items() if value})

    def undo(self, original: Message, dispensed: int = 0) -> Message:
        """The 0420 of a request."""
        kept = {n: original.fields[n] for n in (2, 3, 4, 7, 32, 37, 41, 48) if n in original.fields}
        self._stan += 1
        elements = f"0200{original.get(11)}{original.get(7)}{original.get(32):0>11}{'':0>11}"
        more = {11: f"{self._stan:06d}", 90: elements, 95: f"{dispensed:012d}".ljust(42, "0")}
        return Message("0420", {**kept, **more})

    async def code(self, text: str, minor: int) -> None:
        """A code for cash without a card, from Ana's app."""
        bank = self.bank
        code = codes.Code(
            kind=codes.CASH,
            customer_id=ANA,
            account_id=await account_of(bank, ANA),
            amount_minor=minor,
            expires_at=bank.clock.now() + codes.LIVES[codes.CASH],
        )
        await codes.keep(bank.pool, bank.book_id, text, code, bank.clock.now())

    async def used(self, service: str) -> int:
        """What counts today against Ana's limit of a service."""
        bank = self.bank
        account, today = await account_of(bank, ANA), bank.clock.now().date()
        return await store.used_today(bank.pool, bank.book_id, account, service, today)

    async def at_ours(self, request: Message) -> str:
        """The response code at our own machine."""
        answer = await self.atm.handle(request)
        assert answer is not None
        return answer.get(39)

    async def elsewhere(self, request: Message) -> str:
        """The response code at another bank's machine."""
        answer = await self.switch.handle(request)
        assert answer is not None
        return answer.get(39)

    async def ana_has(self) -> int:
        """Ana's posted balance."""
        return (await balance(self.bank, await account_of(self.bank, ANA))).posted_minor


async def machines_of(bank: Bank) -> Machines:
    """The doors, and a card for Ana's account."""
    security = SoftHsm(KEYS, random.Random(1))
    account_id = await account_of(bank, ANA)
    pan = card_number(account_id)
    value = security.pin_value(security.encrypt_pin(PIN, pan, hsm.TPK), pan, key=hsm.TPK)
    assert value is not None
    card = Card(
        card_token=security.token(pan),
        sealed_pan=security.seal(pan),
        last_four=pan[-4:],
        expires=CARD_EXPIRES,
        account_id=account_id,
        customer_id=ANA,
        pvv=value,
    )
    await cards.issue(bank.pool, bank.book_id, card)
    return Machines(bank, security, pan)
