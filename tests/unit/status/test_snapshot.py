"""What the bank signs: whole, public, and believed only from its key."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tangguh.core.service import SERVICES, TRANSFER_BIFAST
from tangguh.status.component import Condition
from tangguh.status.incident import KEPT
from tangguh.status.snapshot import PublicStatus, Sealed, sign, verify
from unit.status.drafts import NOW, S, all_of, all_well, at_state, draft, told

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key()


def test_it_travels_and_comes_back() -> None:
    status = told(all_of(Condition.DOWN), at_state(S.POST_MORTEM), at_state(S.RECOVERING))
    assert verify(sign(status, KEY), PUBLIC) == status
    assert {one.id for one in status.components} == set(SERVICES)


def test_nothing_internal_leaves_the_house() -> None:
    """No staff, no closures, no cause: not in any byte of it."""
    data = sign(told(all_well(), at_state(S.POST_MORTEM)), KEY).decode()
    known = at_state(S.POST_MORTEM)
    for secret in ("staff:1", known.cause_key, known.closure_ids[0], "closure"):
        assert secret not in data


def test_drafts_and_what_is_too_old_are_left_out() -> None:
    known = (at_state(S.DETECTED), at_state(S.DISCARDED), at_state(S.POST_MORTEM))
    assert [one.state for one in told(all_well(), *known).incidents] == [S.POST_MORTEM]
    assert told(all_well(), *known, made_at=NOW + KEPT + timedelta(days=1)).incidents == ()


@pytest.mark.parametrize(("state", "is_named"), [(S.PUBLISHED, True), (S.SERVICE_RESTORED, False)])
def test_a_component_names_the_incident_that_tells_of_it(state: S, is_named: bool) -> None:
    status = told(all_well(), at_state(state))
    named = {one.id: one.incident for one in status.components if one.incident}
    assert named == ({TRANSFER_BIFAST: str(draft().id)} if is_named else {})


def test_what_is_not_the_banks_is_not_believed() -> None:
    status = told(all_well())
    good = sign(status, KEY)
    assert verify(good, Ed25519PrivateKey.generate().public_key()) == "not signed by the bank"
    sealed = msgspec.json.decode(good, type=Sealed)
    forged = msgspec.structs.replace(sealed, body=sealed.body.replace("Bank Uji", "Bank Lain"))
    assert verify(msgspec.json.encode(forged), PUBLIC) == "not signed by the bank"
    other = msgspec.structs.replace(sealed, kind="snapshot")
    assert verify(msgspec.json.encode(other), PUBLIC) == "a snapshot, not a status"
    for noise in (b"", b"{}", b"\xff\xfe", b"[1]", good[:-9], b"null"):
        assert verify(noise, PUBLIC) == "unreadable"


def test_an_older_word_changes_nothing() -> None:
    good = sign(told(all_well()), KEY)
    assert isinstance(verify(good, PUBLIC, newer_than=NOW), PublicStatus)
    assert "older" in str(verify(good, PUBLIC, newer_than=NOW + timedelta(seconds=1)))


def test_what_no_page_can_be_made_of_is_unreadable() -> None:
    """Ids become names of files; words are there in both languages."""
    status = told(all_well(), at_state(S.PUBLISHED))
    one, story = status.components[0], status.incidents[0]
    replace = msgspec.structs.replace
    word = story.updates[0]
    for spoiled in (
        replace(status, components=(replace(one, id="../../etc/x"),)),
        replace(status, incidents=(replace(story, id="../x"),)),
        replace(status, incidents=(replace(story, updates=()),)),
        replace(status, incidents=(replace(story, reviews={"id": "x"}),)),
        replace(
            status,
            incidents=(replace(story, updates=(replace(word, texts={"id": word.texts["id"]}),)),),
        ),
        replace(status, made_at=NOW.replace(tzinfo=None)),
    ):
        assert verify(sign(spoiled, KEY), PUBLIC) == "unreadable"
