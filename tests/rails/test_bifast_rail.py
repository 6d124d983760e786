"""The BI-FAST rail against the simulated hub, over real TCP, in JSON and in XML."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from rails.bifast_harness import SARI, SARI_BY_PHONE, BifastHarness, running
from rails.harness import NOON, Keys
from tangguh.core.order import ToAccount, ToBank
from tangguh.core.outcome import Accepted, Declined, NotSent, Refusal, Unanswered
from tangguh.rails.bifast import ids, proxy
from tangguh.rails.bifast.proxy import Registration
from tangguh.rails.rail import Found
from tangguh.sim import faults

RP600K = 600_000_00
LOST_REQUEST = faults.DropRequest(seconds=0)
LOST_REPLY = faults.DropReply(seconds=0)
NOT_FOUND = Unanswered("not_found")


@pytest_asyncio.fixture(params=["json", "xml"])
async def far(
    request: pytest.FixtureRequest, keys: Keys, tmp_path: Path
) -> AsyncIterator[BifastHarness]:
    """The rail and its hub, in both forms of a message."""
    async with running(keys, tmp_path, request.param) as harness:
        yield harness


class TestLookUp:
    """Who is that?"""

    async def test_account_has_a_name(self, far: BifastHarness) -> None:
        """The payee comes back complete, with the inquiry's reference; nothing moves."""
        found = await far.rail.look_up(far.asked(ToBank(bank="998", account="9980000001")))
        assert isinstance(found, Found)
        assert found.name == "SARI WULANDARI"
        assert found.payee == ToBank(
            bank="998", account="9980000001", name=found.name, inquiry=found.payee.inquiry
        )
        assert ids.FORM.fullmatch(found.payee.inquiry)
        assert far.hub.passbook.transfers() == []

    async def test_proxy_leads_to_an_account(self, far: BifastHarness) -> None:
        """A phone number stands for an account at a bank, and stays with the payee."""
        found = await far.rail.look_up(far.asked(SARI_BY_PHONE))
        assert isinstance(found, Found)
        assert (found.payee.bank, found.payee.account) == ("998", "9980000001")
        assert (found.payee.proxy_type, found.payee.proxy) == ("01", "6281299980001")
        assert found.name == "SARI WULANDARI"

    @pytest.mark.parametrize(
        ("payee", "refusal", "code"),
        [
            (ToBank(bank="998", account="1"), Refusal.FAR_ACCOUNT_NOT_FOUND, "U101"),
            (ToBank(bank="998", account="9980000002"), Refusal.PAYEE_INACTIVE, "U102"),
            (ToBank(bank="451", account="1"), Refusal.FAR_ACCOUNT_NOT_FOUND, "U124"),
            (ToBank(bank="777", account="1"), Refusal.FAR_ACCOUNT_NOT_FOUND, ""),
            (
                ToBank(bank="", account="", proxy_type="01", proxy="6281200000000"),
                Refusal.ALIAS_NOT_FOUND,
                "U804",
            ),
            (
                ToBank(bank="", account="", proxy_type="01", proxy="0812"),
                Refusal.ALIAS_NOT_FOUND,
                "",
            ),
        ],
    )
    async def test_nobody_there(
        self, far: BifastHarness, payee: ToBank, refusal: Refusal, code: str
    ) -> None:
        """Unknown account, blocked account, bank that takes no part, unknown proxy."""
        assert await far.rail.look_up(far.asked(payee)) == Declined(refusal, code)

    async def test_hub_is_down(self, far: BifastHarness) -> None:
        """A question that could not leave is NotSent, and one without an answer Unanswered."""
        await far.break_with(faults.Down())
        assert isinstance(await far.rail.look_up(far.asked()), NotSent)
        await far.break_with(faults.DropReply(seconds=0, services=("510", "610")))
        assert isinstance(await far.rail.look_up(far.asked()), Unanswered)
        assert isinstance(await far.rail.look_up(far.asked(SARI_BY_PHONE)), Unanswered)

    async def test_answer_about_another_or_signed_by_another(self, far: BifastHarness) -> None:
        """A name is shown only when it is surely the payee's."""
        for form in ("other_reference", "other_service", "bad_signature"):
            await far.break_with(faults.Garbage(form=form, services=("510",)))
            assert isinstance(await far.rail.look_up(far.asked()), Unanswered), form


class TestSend:
    """A transfer is made once, or certainly not, or nobody knows."""

    async def test_pays_once(self, far: BifastHarness) -> None:
        """ACTC is a yes, under the EndToEndId that anybody can make again."""
        asked = far.instruction()
        said = await far.rail.send(asked)
        assert said == Accepted(ids.end_to_end_id(asked, SARI, "TGUHIDJ1"))
        assert far.paid_minor() == RP600K
        assert (
            far.hub.passbook.account("UJIAIDJ1:9980000001").balance_minor
            == 1_000_000_000_00 + RP600K
        )

    async def test_under_the_name_the_book_gave(self, far: BifastHarness) -> None:
        """A payment that was named is known to the hub by that name, and once."""
        name = ids.business_number(NOON, "TGUHIDJ1", ids.BY_ACCOUNT, "00000603")
        asked = far.instruction(reference=name)
        assert await far.rail.send(asked) == Accepted(name)
        assert await far.rail.send(asked) == Accepted(name)
        assert far.hub.passbook.transfer(name).state == "paid"
        await far.hub.settle()
        assert far.till.ended == [(name, Accepted(name))]

    async def test_by_proxy(self, far: BifastHarness) -> None:
        """Type 110 carries account and proxy, and the hub checks that they belong together."""
        found = await far.rail.look_up(far.asked(SARI_BY_PHONE))
        assert isinstance(found, Found)
        assert isinstance(await far.rail.send(far.instruction(payee=found.payee)), Accepted)
        wrong = ToBank(bank="014", account="0149990001", proxy_type="01", proxy="6281299980001")
        said = await far.rail.send(far.instruction(payee=wrong, reference="OTHER"))
        assert said == Declined(Refusal.ALIAS_NOT_FOUND, "U804")
        assert far.paid_minor() == RP600K

    async def test_two_payments_whose_sequences_meet(self, far: BifastHarness) -> None:
        """The TxId tells them apart: the second is Unanswered, never the first one's yes."""
        first = far.instruction()
        await far.rail.send(first)
        high = type(first.payment_id)(int=(first.payment_id.int + 36**8) % 2**128)
        second = far.instruction(payment_id=high)
        assert ids.end_to_end_id(second, SARI, "TGUHIDJ1") == ids.end_to_end_id(
            first, SARI, "TGUHIDJ1"
        )
        assert isinstance(await far.rail.send(second), Unanswered)
        assert isinstance(await far.rail.inquire(second), Unanswered)
        assert far.paid_minor() == RP600K

    @pytest.mark.parametrize(
        ("payee", "amount_minor", "refusal", "code"),
        [
            (ToBank(bank="998", account="9980000003"), 100, Refusal.PAYEE_INACTIVE, "U102"),
            (SARI, 250_000_000_01, Refusal.PARTNER_LIMIT, "U112"),
            (SARI, 0, Refusal.PARTNER_LIMIT, "U111"),
            (ToBank(bank="777", account="1"), 100, Refusal.FAR_ACCOUNT_NOT_FOUND, ""),
            (ToAccount(account_id=1), 100, Refusal.ORDER_INVALID, ""),
        ],
    )
    async def test_declined(
        self,
        far: BifastHarness,
        payee: ToBank | ToAccount,
        amount_minor: int,
        refusal: Refusal,
        code: str,
    ) -> None:
        """A no is a no, with the hub's own code."""
        asked = far.instruction(payee=payee, amount_minor=amount_minor)
        assert await far.rail.send(asked) == Declined(refusal, code)
        assert far.paid_minor() == 0

    async def test_declined_says_the_inquiry_too(self, far: BifastHarness) -> None:
        """OTHR U107 comes with the first reason."""
        await far.break_with(faults.Decline(case="40302"))
        asked = far.instruction()
        said = await far.rail.send(asked)
        assert said == Declined(Refusal.PARTNER_LIMIT, "U112")
        assert await far.rail.inquire(asked) == said
        assert await far.rail.send(asked) == said

    async def test_other_currency(self, far: BifastHarness) -> None:
        """BI-FAST carries rupiah."""
        asked = far.instruction(currency="USD")
        assert await far.rail.send(asked) == Declined(Refusal.CURRENCY_NOT_SUPPORTED)

    async def test_too_late_for_the_hub(self, far: BifastHarness) -> None:
        """A transfer that wanders longer than the hub takes is refused, so "not found" can hold."""
        far.sim_clock.advance(61)
        asked = far.instruction()
        assert await far.rail.send(asked) == Declined(Refusal.PARTNER_DECLINED, "U215")
        assert far.paid_minor() == 0


class TestReverse:
    """There is nothing to cancel with: only "not found" twice, far enough apart, is a no."""

    async def test_not_found_twice(self, far: BifastHarness) -> None:
        """As the resolver does it: ask, reverse; ten minutes later ask, reverse."""
        await far.break_with(LOST_REQUEST)
        asked = far.instruction()
        assert isinstance(await far.rail.send(asked), Unanswered)
        await far.advance(90)
        assert await far.rail.inquire(asked) == NOT_FOUND
        assert await far.rail.reverse(asked) == NOT_FOUND
        await far.advance(510)
        assert await far.rail.inquire(asked) == NOT_FOUND
        assert await far.rail.reverse(asked) == Declined(Refusal.NEVER_ARRIVED, "U106")
        assert far.paid_minor() == 0

    async def test_not_found_once_is_not_final(self, far: BifastHarness) -> None:
        """A transfer may still be on its way when the hub does not know it: then it is paid."""
        hurried = far.another_rail(total_timeout_seconds=0.3)
        await far.break_with(faults.Late(seconds=30, carried_out="late"))
        asked = far.instruction()
        assert isinstance(await hurried.send(asked), Unanswered)
        assert await hurried.inquire(asked) == NOT_FOUND
        assert await hurried.reverse(asked) == NOT_FOUND
        await far.sim_clock.sleeper.acquire()
        far.sim_clock.advance(30)
        await far.hub.settle()
        assert isinstance(await hurried.reverse(asked), Unanswered)
        assert isinstance(await hurried.inquire(asked), Accepted)
        assert isinstance(await hurried.reverse(asked), Accepted)
        assert far.paid_minor() == RP600K

    async def test_what_wanders_too_long_is_never_paid(self, far: BifastHarness) -> None:
        """So that the second "not found" may be final."""
        hurried = far.another_rail(total_timeout_seconds=0.3)
        await far.break_with(faults.Late(seconds=90, carried_out="late"))
        assert isinstance(await hurried.send(far.instruction()), Unanswered)
        await far.sim_clock.sleeper.acquire()
        await far.advance(90)
        await far.hub.settle()
        assert await hurried.inquire(far.instruction()) == NOT_FOUND
        assert far.hub.passbook.transfers() == []

    async def test_a_second_question_too_soon_is_not_asked(self, far: BifastHarness) -> None:
        """Reversing again and again neither asks the hub nor makes a no."""
        asked = far.instruction()
        assert await far.rail.inquire(asked) == NOT_FOUND
        questions = _questions(far)
        for _ in range(5):
            await far.advance(60)
            assert await far.rail.reverse(asked) == NOT_FOUND
        assert _questions(far) == questions

    async def test_a_first_not_found_that_is_forgotten(self, far: BifastHarness) -> None:
        """After a restart nothing is remembered: the question is asked, and decides nothing."""
        asked = far.instruction()
        assert await far.rail.inquire(asked) == NOT_FOUND
        await far.advance(600)
        restarted = far.another_rail()
        assert await restarted.reverse(asked) == NOT_FOUND
        await far.advance(600)
        assert isinstance(await restarted.reverse(asked), Declined)

    async def test_an_old_second_answer_does_not_count(self, far: BifastHarness) -> None:
        """Two answers in one breath, long ago, are one answer."""
        asked = far.instruction()
        await far.rail.inquire(asked)
        await far.rail.inquire(asked)
        await far.advance(600)
        await far.rail.send(asked)
        assert isinstance(await far.rail.reverse(asked), Accepted)

    async def test_hub_is_down(self, far: BifastHarness) -> None:
        """An unasked question never frees a payment."""
        asked = far.instruction()
        await far.rail.send(asked)
        await far.break_with(faults.Down())
        assert isinstance(await far.rail.reverse(asked), Unanswered)


class TestTheRest:
    """Refunds, proxies, sessions, the schedule."""

    async def test_three_status_requests_in_two_hours(self, far: BifastHarness) -> None:
        """The schedule is no storm, and the second is far enough from the first."""
        delays = far.rail.capabilities().inquiry_delays_seconds
        assert delays == (90, 600, 7200)
        assert delays[1] - delays[0] >= far.settings("http://x").not_found_apart_seconds

    async def test_own_proxy_from_new_to_ended(self, far: BifastHarness) -> None:
        """Registered, found, suspended, active again, ended; a second registration conflicts."""
        mine = Registration(
            verb=proxy.NEW,
            proxy_type="02",
            proxy="budi@tangguh.example",
            account="108",
            account_type="SVGS",
            name="BUDI SANTOSO",
            bank="TGUHIDJ1",
        )
        told = await far.rail.register(mine)
        assert isinstance(told, Accepted)
        assert isinstance(await far.rail.register(mine), Declined)
        payee = ToBank(bank="", account="", proxy_type="02", proxy="budi@tangguh.example")
        for verb, expected in (
            ("SUSP", Declined(Refusal.PAYEE_INACTIVE, "U805")),
            ("ACTV", None),
            ("DEAC", Declined(Refusal.ALIAS_NOT_FOUND, "U804")),
        ):
            step = Registration(**{**_fields(mine), "verb": verb, "registration": told.reference})
            assert isinstance(await far.rail.register(step), Accepted)
            found = await far.rail.look_up(far.asked(payee))
            if expected is not None:
                assert found == expected
            else:
                assert isinstance(found, Found)
                assert found.payee.bank == "999"

    async def test_a_proxy_that_is_none(self, far: BifastHarness) -> None:
        """It is not even asked."""
        wrong = Registration(
            verb=proxy.NEW,
            proxy_type="01",
            proxy="0812",
            account="108",
            account_type="SVGS",
            name="BUDI",
            bank="TGUHIDJ1",
        )
        assert await far.rail.register(wrong) == Declined(Refusal.ORDER_INVALID)

    async def test_session(self, far: BifastHarness) -> None:
        """Sign-off, sign-on and echo are answered."""
        for ask in (far.rail.sign_off, far.rail.sign_on, far.rail.echo):
            assert await ask() == Accepted("U000")
        await far.break_with(faults.Down())
        await far.rail.echo()  # may meet the dead idle connection
        assert isinstance(await far.rail.echo(), NotSent)


def _questions(far: BifastHarness) -> int:
    return far.rail._questions.health.sent


def _fields(registration: Registration) -> dict[str, str]:
    return {name: getattr(registration, name) for name in registration.__struct_fields__}
