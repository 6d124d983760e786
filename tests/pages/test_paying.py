"""Stories of paying in a real browser: each ends in one outcome that the page tells truly."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import segno
from playwright.async_api import Browser, expect

from pages.harness import (
    ACCOUNT_OF,
    OPEN_CODE,
    PEOPLE,
    Site,
    confirm,
    log_in,
    review_qris,
    review_transfer,
    sees,
)
from tangguh.core.errors import Ambiguous
from tangguh.core.outcome import Accepted, Declined, Refusal, Unanswered
from tangguh.payments.payment import State
from tangguh.web.pages.demo.guide import CODES

pytestmark = pytest.mark.browser


async def test_a_pasted_code_is_paid_as_reviewed(site: Site, visitor) -> None:
    """Merchant, city, acquirer, fee and what is left are seen before the PIN; then it is done."""
    page = await visitor()
    await log_in(page)
    before = await site.available(1)
    await review_qris(page, "25000")
    await sees(page, "KOPI CONTOH, JPR", "JEPARA", "GoPay", "Rp25.000", "Rp0", "Sisa limit")
    await confirm(page)
    await page.wait_for_url(re.compile(r"/payments/[0-9a-f-]{36}$"))
    await sees(page, "Berhasil", "Diterima GoPay pukul 12.00 WIB. Ref. RRN000000001.", "····")
    assert await site.available(1) == before - 25_000_00


async def test_an_uploaded_picture_of_a_code_is_read(site: Site, visitor, uploads: Path) -> None:
    """The Chromium here has no barcode reader of its own, so the server reads the photograph."""
    picture = uploads / "code.png"
    segno.make(CODES["percent_tip"], error="m").save(str(picture), scale=6, border=4)
    page = await visitor()
    await log_in(page)
    await page.goto("/pay")
    await page.set_input_files("input[name=photo]", str(picture))
    await page.wait_for_url("**/review?**")
    await sees(page, "Donat Contoh", "Tip 0,7% dari nominal", "Rp3.500", "Rp503.500")


async def test_a_picture_without_a_code_is_refused_in_words(visitor, uploads: Path) -> None:
    """Not "error": what is wrong, and that nothing was paid."""
    picture = uploads / "notes.png"
    picture.write_bytes(b"\x89PNG this is no picture")
    page = await visitor()
    await log_in(page)
    await page.goto("/pay")
    await page.set_input_files("input[name=photo]", str(picture))
    await sees(page, "bukan JPEG, PNG, atau WebP", "Saldo Anda tidak berkurang.")


async def test_a_damaged_code_is_refused_with_its_fault(visitor) -> None:
    """A changed character breaks the check digits, and the page says so."""
    page = await visitor()
    await log_in(page)
    await page.goto("/pay")
    await page.fill("#code", OPEN_CODE.replace("JEPARA", "JAPARA"))
    await page.click("form[data-code] button.button")
    await sees(page, "angka pengamannya tidak cocok", "Saldo Anda tidak berkurang.")
    await page.fill("#code", "halo")
    await page.click("form[data-code] button.button")
    await sees(page, "Ini bukan kode QRIS")


@pytest.mark.parametrize("script", [True, False])
async def test_a_double_click_pays_once(site: Site, visitor, script: bool) -> None:
    """With a script the second press does nothing; without one it finds the same payment."""
    page = await visitor(script=script)
    await log_in(page)
    await review_qris(page, "25000")
    review = page.url
    await page.fill("#pin", "290325")
    await page.dblclick("main button.button")
    await page.wait_for_url(re.compile(r"/payments/[0-9a-f-]{36}$"))
    first = page.url
    await page.goto(review)
    assert page.url == first
    assert [one.state for one in await site.payments(1)] == [State.POSTED]
    assert [kind for kind, _ in site.paper.asked] == ["send"]


async def test_an_unanswered_payment_says_so_and_turns_to_done_by_itself(
    site: Site, visitor
) -> None:
    """Where the money is, when the next word comes, no retry; then the resolver's truth, live."""
    site.paper.will("send", Unanswered("silent"))
    page = await visitor()
    await log_in(page)
    await review_qris(page, "50000")
    await confirm(page)
    await page.wait_for_url("**/payments/**")
    await sees(
        page,
        "Menunggu kepastian",
        "GoPay belum menjawab. Rp50.000 ditahan di rekening Anda dan belum hilang.",
        "Jangan kirim ulang",
        "Kabar paling lambat pukul 12.15 WIB",
        "Total ditahan",
    )
    await expect(page.locator("#again")).to_have_count(0)
    assert await page.locator(".state [role=alert]").count() == 1
    home = await page.context.new_page()
    await home.goto("/home")
    await sees(home, "Ditahan", "Belum selesai", "Kabar paling lambat pukul 12.15 WIB")
    site.paper.will("inquire", Accepted("RRN777"))
    site.clock.advance(60)
    await site.bank.resolver.round()
    await sees(page, "Berhasil", "Ref. RRN777")
    await expect(page.locator("#said")).to_contain_text("Berhasil")


async def test_a_declined_payment_gives_the_money_back_in_words(site: Site, visitor) -> None:
    """Declined by the network: money released, since when, and a safe way to try again."""
    site.paper.will("send", Declined(Refusal.MERCHANT_BLOCKED, "4035000"), Accepted("RRN2"))
    page = await visitor()
    await log_in(page)
    before = await site.available(1)
    await review_qris(page, "30000")
    await confirm(page)
    await sees(
        page,
        "Batal, dana dikembalikan",
        "merchant ini sedang diblokir jaringan",
        "Rp30.000 dilepas pukul 12.00 WIB dan dapat dipakai lagi",
        "Total, tidak didebit",
    )
    assert await site.available(1) == before
    await page.click("#again")
    await page.wait_for_url("**/review?**")
    await confirm(page)
    await sees(page, "Berhasil")


async def test_a_payment_the_bank_refuses_leaves_the_balance(site: Site, visitor) -> None:
    """Two reviews of the same money: the second is declined, nothing debited, code last."""
    page = await visitor()
    await log_in(page)
    rupiah = await site.available(1) // 100
    await review_qris(page, str(rupiah))
    review = page.url
    await review_transfer(page, ACCOUNT_OF[2], str(rupiah))
    await confirm(page)
    await sees(page, "Berhasil")
    await page.goto(review)
    await sees(page, "belum cukup", "Saldo Anda tidak berkurang.")
    await expect(page.locator("#pin")).to_have_count(0)


async def test_a_transfer_shows_the_name_before_the_pin(site: Site, visitor) -> None:
    """Number, name, amount, review, PIN in one line; a first recipient is pointed out."""
    page = await visitor()
    await log_in(page)
    name = PEOPLE[1].full_name
    await review_transfer(page, ACCOUNT_OF[2], "150000", "makan siang")
    await sees(page, name, "kali pertama", "Rp150.000", "Langsung", "makan siang")
    await confirm(page)
    await sees(page, "Berhasil", f"Sudah masuk ke rekening {name}")
    await page.goto("/transfer")
    await page.click(f"text={name}")
    await expect(page.locator("main")).not_to_contain_text("kali pertama")
    await page.goto("/history")
    await sees(page, name, "-Rp150.000", "Transfer keluar")


async def test_the_same_again_within_minutes_is_questioned(visitor) -> None:
    """A second payment of the same amount to the same merchant asks whether it is meant (E20)."""
    page = await visitor()
    await log_in(page)
    await review_qris(page, "25000")
    await confirm(page)
    await sees(page, "Berhasil")
    await review_qris(page, "25000")
    await sees(page, "Anda baru mengirim jumlah yang sama ke penerima ini pukul 12.00 WIB")


async def test_the_payee_gives_money_back(site: Site, visitor) -> None:
    """The payee gives part back with a PIN; both see the refund beside the payment."""
    payer = await visitor()
    await log_in(payer, 1)
    await review_transfer(payer, ACCOUNT_OF[2], "100000")
    await confirm(payer)
    await sees(payer, "Berhasil")
    payee = await visitor()
    await log_in(payee, 2)
    await payee.click(f"text={PEOPLE[0].full_name}")
    await sees(payee, "Uang masuk", f"{PEOPLE[0].full_name} mengirim Rp100.000")
    await payee.click("#refund")
    await payee.fill("#amount", "40000")
    await payee.fill("#reason", "kelebihan")
    await payee.click("main button.button")
    await payee.wait_for_url("**/review?**")
    await confirm(payee)
    await sees(payee, "Sudah dikembalikan", "Rp40.000", "kelebihan")
    await payer.reload()
    await sees(payer, "Rp40.000 di antaranya sudah kembali ke rekening Anda", "Dana kembali")
    await payer.click("text=Dana kembali")
    await sees(payer, "sudah kembali ke rekening Anda", "Lihat pembayaran asal")


async def test_limits_and_unclear_amounts_are_told_beside_the_field(visitor) -> None:
    """Too much for one payment, nothing, and unreadable: words, not a lost form."""
    page = await visitor()
    await log_in(page)
    await page.goto("/pay")
    await page.fill("#code", OPEN_CODE)
    await page.click("form[data-code] button.button")
    await page.fill("#amount", "10000001")
    await page.click("main button.button")
    await sees(page, "Maksimal Rp10.000.000 untuk satu transaksi.")
    assert await page.input_value("#amount") == "10.000.001"
    await page.fill("#amount", "0")
    await page.click("main button.button")
    await sees(page, "Nominal harus lebih dari nol.")


async def test_the_same_again_is_asked_about_for_as_long_as_the_first_has_no_answer(
    site: Site, visitor
) -> None:
    """Ten minutes are for what has ended; what waits is asked about however old it is."""
    site.paper.will("send", Unanswered("timeout"))
    page = await visitor()
    await log_in(page)
    await review_qris(page, "25000")
    await confirm(page)
    await page.wait_for_url(re.compile(r"/payments/[0-9a-f-]{36}$"))
    site.clock.advance(10.5 * 60)
    await review_qris(page, "25000")
    await sees(page, "yang sama", "belum dijawab", "membayar dua kali")
    await review_qris(page, "26000")
    await expect(page.locator("main")).not_to_contain_text("belum dijawab")


async def test_an_answer_nobody_knows_is_told_so_while_the_book_cannot_be_asked(
    site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same slip again is safe; the page must say it even when nothing can be foreseen."""

    async def away(_command: object) -> object:
        raise Ambiguous

    context = await browser.new_context(base_url=site.url, locale="id-ID")
    page = await context.new_page()
    await log_in(page)
    await review_qris(page, "25000")
    monkeypatch.setattr(site.bank.desk, "decide", away)
    await confirm(page)
    await sees(page, "Kami belum tahu apakah pembayaran ini tercatat", "tidak membayar dua kali")
    assert await page.locator("#pin").count() == 1
    await context.close()
