"""The words around a secret in Indonesian and English: what names one, what may stand between, what
says that the number is something else. All in lower case.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PIN: Final = _words(
    "pin pinnya pinku pinmu mpin mpinnya tpin tpinnya sandi sandinya sandiku katasandi password "
    "passwordnya passwordku passcode passcodenya"
)
CODE: Final = _words("otp otpnya otpku")
CARD_CODE: Final = _words("cvv cvvnya cvc cvcnya cvn csc")
UNSURE: Final = _words("kode kodenya kodeku code")
"""A code may be of many things: only six digits that follow at once count, or those that a word of
``OF_A_CODE`` is said with.
"""
OF_A_CODE: Final = _words(
    "otp verifikasi verification rahasia secret keamanan security login masuk autentikasi "
    "authentication aktivasi activation sms dikirim terkirim diterima sekali onetime akses "
    "konfirmasi"
)

BETWEEN: Final = _words(
    # Indonesian
    "saya aku ku gue gw nya anda adalah ialah itu ini yaitu yakni yang yg merupakan sudah "
    "udah tadi tetap baru lama sekarang dan atau juga nomor nomer no angka digit kode kodenya "
    "kata di ke dari untuk buat dengan lewat via masuk masukkan masukin saya ketik pakai pake "
    "gunakan kartu debit kredit atm mobile banking mbanking m bank hp sms wa whatsapp email "
    "dikirim terkirim diterima verifikasi rahasia keamanan login otp pin sandi transaksinya "
    "jadi ialah cuma hanya waktu itu belakang depan sekali tiga enam empat "
    "kasih kasi berikan beri sebut sebutkan bilang bacakan serahkan minta diminta"
    # English
    " my the a is was are it its of for to and or new old current this that which i we you "
    "your got received typed entered enter used use by from in on via number code digits card "
    "phone security verification secret one time login gave told read said asked"
)
"""Between the name of a secret and its digits; anything else and the two are further apart."""


def bare(word: str) -> str:
    """The word without what Indonesian writes behind it: "verifikasinya" is "verifikasi"."""
    if word in BETWEEN or word in OF_A_CODE:
        return word
    return word[:-3] if word.endswith("nya") else word


APART: Final = _words(
    # money
    "rp idr rupiah sebesar senilai sejumlah nominal jumlah transfer transferan mentransfer "
    "kirim mengirim tarik menarik bayar membayar pembayaran saldo uang tagihan biaya harga "
    "limit dana topup isi terpotong terdebit debet potong amount sent send pay paid payment "
    "withdraw withdrew withdrawal balance money bill fee price cost debited charged"
    # references, numbers of other things, times
    " ref referensi reference laporan tiket ticket transaksi transaction pesanan order invoice "
    "inv kwitansi struk resi receipt rekening rek account pelanggan customer kontrak meter "
    "token cabang branch tanggal tgl date pukul jam pada tahun bulan year booking billing "
    "voucher promo unik pos report complaint id"
)
"""A number after one of these is not the secret named before it."""

MACHINES: Final = _words("terminal mesin machine")
"""A machine's own number follows, unless somebody says what they typed there."""
TYPED: Final = _words("masukkan masukin memasukkan ketik mengetik typed entered input")

BEFORE_AMOUNT: Final = _words("rp idr sebesar senilai sejumlah nominal")
AFTER_AMOUNT: Final = _words(
    "ribu rb juta jt rupiah kali x hari jam menit detik bulan tahun orang persen k times days "
    "hours minutes idr"
)
COSTS: Final = _words("biaya admin bayar tarif fee cost charge")
IS: Final = _words("itu ini adalah ialah merupakan is was my the sebagai as yaitu kode nomor yang")
"""Between digits and the name of what they are, when the digits come first."""

DIGITS: Final[dict[str, str]] = {
    word: str(value)
    for value, words in enumerate(
        (
            "nol kosong zero",
            "satu one",
            "dua two",
            "tiga three",
            "empat four",
            "lima five",
            "enam six",
            "tujuh seven",
            "delapan eight",
            "sembilan nine",
        )
    )
    for word in words.split()
}
