"""What people's words claim, against what the bank computes: services that work, money that is all
there. Pure.

A list of turns of phrase, so it refuses plain contradictions and not every one: whoever means to
mislead finds other words. They are signed with a name in the trail; the computed state stands
beside them on the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from tangguh.status.component import COMPONENTS, ComponentState, Condition

_ENDS: Final = re.compile(r"[.;!?]\s|\n")
_ALL: Final = {
    "id": re.compile(r"(?i)\b(?:semua|seluruh|setiap)\s+(?:layanan|sistem|transaksi|pembayaran)\b"),
    "en": re.compile(
        r"(?i)\b(?:all|every|everything|each)\b(?:\s+\w+){0,2}?\s*"
        r"(?:services?|systems?|payments?|transactions?|works?\b|is\b)"
    ),
}
_WORKS: Final = {
    "id": re.compile(
        r"(?i)\b(?:normal|lancar|pulih|berjalan|berfungsi|beroperasi|bisa digunakan"
        r"|dapat digunakan|bisa dipakai|sudah baik|tidak ada gangguan)\b"
    ),
    "en": re.compile(
        r"(?i)\b(?:works?|working|normal|normally|operational|fine|available|running|restored"
        r"|recovered|can be used|back to normal|no problems?|up and running)\b"
    ),
}
_NOT: Final = {
    "id": re.compile(r"(?i)\b(?:belum|tidak|bukan|tak|akan|ketika|setelah|sampai|bila|jika)\b"),
    "en": re.compile(
        r"(?i)\b(?:not|no longer|cannot|don't|doesn't|isn't|aren't|will|when|once|until|if|before"
        r"|after|to)\b"
    ),
}
_NOTHING_WRONG: Final = {
    "id": re.compile(r"(?i)\btidak ada gangguan\b"),
    "en": re.compile(r"(?i)\b(?:no problems?|back to normal)\b"),
}
_MONEY: Final = {
    "id": re.compile(
        r"(?i)\b(?:tidak|tak)\s+(?:ada|satu pun|satupun|sepeser pun)?\s*(?:uang|dana|saldo|rupiah)"
        r"(?:\s+\w+){0,3}?\s+(?:hilang|berkurang|lenyap|terdampak|terpengaruh)\b"
        r"|\b(?:uang|dana|saldo)(?:\s+\w+){0,3}?\s+(?:utuh|lengkap|tidak (?:hilang|terpengaruh))\b"
    ),
    "en": re.compile(
        r"(?i)\bno(?:body|\s+one|\s+customer)?(?:'s)?\s+(?:\w+\s+)?(?:"
        r"lost\b|(?:money|funds?|balances?)\b.{0,30}?\b(?:missing|lost|gone|affected)\b)"
        r"|\bnothing\s+(?:is|was|has been|went)\s+(?:missing|lost|gone)\b"
        r"|\b(?:money|funds|balances?)\s+(?:is|are)\s+(?:all\s+there|intact|complete|unaffected)\b"
    ),
}


def contradictions(
    text: str, language: str, states: Mapping[str, ComponentState]
) -> Iterator[tuple[str, str]]:
    """Each claim that what is known now does not bear out, as a rule's name and the fact.

    That money is all there is only ever said by the computed sentence, whatever is known.
    """
    for sentence in _ENDS.split(text):
        if claim := _MONEY[language].search(sentence):
            yield "without_proof", claim[0].strip()
        bare = _NOTHING_WRONG[language].sub("", sentence)
        if _WORKS[language].search(sentence) is None or _NOT[language].search(bare):
            continue
        named = [one for one in COMPONENTS.values() if one.name(language) in sentence]
        ids = list(COMPONENTS) if _ALL[language].search(sentence) else [one.id for one in named]
        for component in ids:
            state = states.get(component)
            now = state.condition if state is not None else Condition.NOT_MEASURED
            if now is not Condition.OPERATIONAL:
                yield "contradicts", f"{COMPONENTS[component].name(language)} is {now}"
                break
