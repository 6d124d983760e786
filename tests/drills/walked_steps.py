"""What the walked documents ask people to do, with the fingers: log in, pay, break, heal."""

from __future__ import annotations

import re

from playwright.async_api import Page

from drills.walked import Walk
from tangguh.customers.seed import DEMO_PIN

FAJAR = "08110000007"
ASKED_AT_LAST = 330.0
"""The bank asks an unanswered payment every five minutes at the least."""


async def log_in(page: Page, phone: str) -> None:
    await page.context.clear_cookies()
    await page.goto("/")
    await page.fill("#phone", phone)
    await page.fill("#pin", DEMO_PIN)
    await page.click("main button.button")
    await page.wait_for_url("**/home")


async def pay_pasted(walk: Walk, page: Page, amount: str) -> None:
    """The first code of the demo page, copied and pasted."""
    await page.goto("/demo")
    code = re.search(r"000201.+?6304[0-9A-F]{4}", await page.inner_text("main"))
    assert code is not None
    await page.goto("/home")
    await page.click("text=Pay QRIS")
    await page.fill("#code", code.group())
    await page.click("form[data-code] button.button")
    await page.fill("#amount", amount)
    await page.click("main button.button")
    await confirm(walk, page)


async def confirm(walk: Walk, page: Page) -> None:
    """The review has it all before the PIN; then the PIN."""
    await page.wait_for_url("**/review?**")
    await walk.look(page)
    await page.fill("#pin", DEMO_PIN)
    await page.click("main button.button")
    await page.wait_for_url("**/payments/**")
    await walk.look(page)


async def lose_replies(walk: Walk) -> None:
    """On the networks page: every reply of the QRIS switch, until it is healed."""
    page = await walk.context.new_page()
    await page.goto(f"{walk.bank.networks}/#qris")
    options = page.locator("#fault option")
    await options.first.wait_for(state="attached")
    chosen = next(text for text in await options.all_inner_texts() if "loses its replies" in text)
    await page.select_option("#fault", label=chosen)
    await page.select_option("#lasting", label="until I heal it")
    await page.click("#break button")
    await page.wait_for_selector("#heal:visible")
    await page.close()


async def heal(walk: Walk) -> None:
    """On the same page."""
    page = await walk.context.new_page()
    await page.goto(f"{walk.bank.networks}/#qris")
    await page.click("#heal")
    await page.wait_for_selector("#heal", state="hidden")
    await page.close()
