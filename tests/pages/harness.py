"""What the page stories share: the served bank, its people, and short words for what people do."""

from __future__ import annotations

from dataclasses import dataclass, field

from playwright.async_api import ConsoleMessage, Page, expect

from paper import PaperRail
from tangguh.app import Bank
from tangguh.core.clock import HandClock
from tangguh.customers import store as customers
from tangguh.customers.seed import DEMO_PIN, demo
from tangguh.payments import store as payments
from tangguh.payments.payment import Payment
from tangguh.web.pages.demo.guide import CODES

PEOPLE, ACCOUNTS, OPENINGS = demo(1)
ACCOUNT_OF = {customer_id: account_id for customer_id, account_id, _ in ACCOUNTS}
OPEN_CODE = CODES["open"]

_EXPECTED = "the server responded with a status of 4"
"""Chromium writes a line for every page that is a refusal; those are meant."""


@dataclass
class Site:
    """A bank on a port, with the hands on its clock and its rail."""

    bank: Bank
    clock: HandClock
    paper: PaperRail
    url: str

    async def available(self, customer_id: int) -> int:
        """What a customer may spend, in minor units."""
        bank = self.bank
        held = await customers.accounts_of(bank.pool, bank.book_id, customer_id)
        return sum(one.available_minor for one in held)

    async def payments(self, customer_id: int) -> list[Payment]:
        """A customer's payments, newest first."""
        return await payments.of_customer(self.bank.pool, self.bank.book_id, customer_id)


@dataclass
class Watched:
    """A page and what the browser complained about while it was shown."""

    page: Page
    complaints: list[str] = field(default_factory=list)


def watch(page: Page) -> Watched:
    """Note every error of scripts, network and the content security policy."""
    watched = Watched(page)

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and _EXPECTED not in message.text:
            watched.complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: watched.complaints.append(str(error)))
    return watched


async def log_in(page: Page, customer_id: int = 1, pin: str = DEMO_PIN) -> None:
    """Log in as a seeded customer from the first page."""
    await page.goto("/")
    await type_login(page, customer_id, pin)
    await page.wait_for_url("**/home")


async def type_login(page: Page, customer_id: int, pin: str) -> None:
    """Fill the log-in form and send it."""
    await page.fill("#phone", "0" + PEOPLE[customer_id - 1].phone.removeprefix("62"))
    await page.fill("#pin", pin)
    await page.click("main button.button")


async def review_qris(page: Page, amount: str = "25000", code: str = OPEN_CODE) -> None:
    """Paste a code and type the amount: up to the review."""
    await page.goto("/pay")
    await page.fill("#code", code)
    await page.click("form[data-code] button.button")
    if amount:
        await page.wait_for_url("**/pay/amount?**")
        await page.fill("#amount", amount)
        await page.click("main button.button")
    await page.wait_for_url("**/review?**")


async def review_transfer(page: Page, to: int, amount: str = "150000", note: str = "") -> None:
    """Type a number, see the name, type the amount: up to the review."""
    await page.goto("/transfer")
    await page.fill("#to", str(to))
    await page.click("main button.button")
    await page.wait_for_url("**/transfer/amount?**")
    await page.fill("#amount", amount)
    await page.fill("#note", note)
    await page.click("main button.button")
    await page.wait_for_url("**/review?**")


async def confirm(page: Page, pin: str = DEMO_PIN) -> None:
    """Type the PIN on the review and press the button."""
    await page.fill("#pin", pin)
    await page.click("main button.button")


async def sees(page: Page, *texts: str) -> None:
    """Every one of the texts is on the page, now or within a moment."""
    for text in texts:
        await expect(page.locator("main")).to_contain_text(text)
