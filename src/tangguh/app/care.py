"""Care for people, put together: word, complaints, incidents, and the clock of money back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tangguh.core.supervision import Run
from tangguh.db.objects import Objects
from tangguh.disputes.complaints import Complaints
from tangguh.disputes.evidence.locker import Locker
from tangguh.disputes.store import CaseStore
from tangguh.notices.desk import Notices
from tangguh.work.care.bulk import Bulk
from tangguh.work.care.eyes import Eyes
from tangguh.work.care.own import OwnCases
from tangguh.work.care.pay import Payouts
from tangguh.work.care.word import Word
from tangguh.work.control.room import ControlRoom
from tangguh.work.incidents.affected import Affected
from tangguh.work.incidents.assurance import Keeper
from tangguh.work.incidents.desk import IncidentDesk
from tangguh.work.incidents.looker import Looker
from tangguh.work.incidents.probes import BookQuestion, Probes, questions_of
from tangguh.work.incidents.reporting import Reporting
from tangguh.work.incidents.telling import Telling
from tangguh.work.signals.clocks import ClockWatch
from tangguh.work.signals.reopening import Reopening

if TYPE_CHECKING:
    from tangguh.app.bank import Bank

_LOOK_SECONDS: Final = 5.0
_BULK_SECONDS_MAX: Final = 10.0
_WINDOW_SECONDS: Final = 120.0


class Care:
    """Everything that tells, listens and makes good, over one running bank."""

    def __init__(self, bank: Bank) -> None:
        settings, pool, book_id, clock = bank.settings, bank.pool, bank.book_id, bank.clock
        self._bank = bank
        self.notices = Notices(pool, book_id, settings.notices, clock, bank.ids)
        watch_url = settings.guard.watch_url
        wanted = settings.incidents
        self._book = BookQuestion(bank.desk, bank.dsn, book_id, written=lambda: bank.writer.batches)
        self.probes = Probes(
            questions_of(bank.rails, self._book), clock, probe_seconds=wanted.probe_seconds
        )
        self.reopening = Reopening(bank.desk)
        self.probes.listen(self.reopening.hear)
        self.keeper = Keeper(
            pool, book_id, clock, bank.prove, wanted.proof_seconds, self.probes, watch_url
        )
        kept = settings.evidence
        self.complaints = Complaints(
            bank.desk,
            CaseStore(pool, book_id),
            Locker(Objects(kept) if kept is not None else None, clock),
            bank.ids,
            Eyes(pool, book_id, self._assured_at),
        )
        status = settings.status
        self._looker = Looker(
            bank.desk,
            pool,
            book_id,
            clock,
            self.probes,
            window_seconds=status.window_seconds if status else _WINDOW_SECONDS,
        )
        bank.guardian.pass_on(self._looker.see)
        affected = Affected(pool, book_id, clock, wanted.affected_seconds)
        self.incidents = IncidentDesk(
            desk=bank.desk,
            pool=pool,
            book_id=book_id,
            clock=clock,
            ids=bank.ids,
            looker=self._looker,
            keeper=self.keeper,
            affected=affected,
            telling=Telling(self.notices, bank.ids, wanted.review_days),
            settings=wanted,
            look_seconds=status.look_seconds if status else _LOOK_SECONDS,
            bank_name=bank.door.bank_name,
            page_url=status.page_url if status else "",
        )
        self.word = Word(
            self.notices,
            affected,
            pool,
            book_id,
            clock,
            bank.ids,
            waiting_seconds=wanted.waiting_seconds,
        )
        self._affected = affected
        bank.desk.watch(self.word.see_payment)
        bank.redress.tell(self.word.see_redress)
        self.own = OwnCases(self.complaints, pool, book_id, clock)
        bank.redress.tell(self.own.see_redress)
        self.complaints.tell(self.word.see_case)
        bank.door.complaints = self.complaints
        bank.door.notices = self.notices
        bank.door.incidents = self.incidents
        self._join(bank.control)

    def _join(self, room: ControlRoom) -> None:
        """What two people sign for customers goes through the control room."""
        bank = self._bank
        self.bulk = Bulk(
            desk=bank.desk,
            pool=bank.pool,
            book_id=bank.book_id,
            clock=bank.clock,
            ids=bank.ids,
            room=room,
            complaints=self.complaints,
            affected=self._affected,
            notices=self.notices,
        )
        self.payouts = Payouts(bank.desk, room, self.complaints)
        status = bank.settings.status
        self.reporting = Reporting(
            desk=bank.desk,
            pool=bank.pool,
            book_id=bank.book_id,
            keeper=self.keeper,
            notices=self.notices,
            cases=self.complaints.store,
            bank_name=bank.door.bank_name,
            page_url=status.page_url if status else "",
        )

    async def start(self) -> dict[str, Run]:
        """Begin; the loops that are to go on from now, by their names."""
        await self.complaints.start()
        await self.own.start()
        await self.bulk.resume()
        return {
            "complaints": self.complaints.run,
            "notices": self.notices.sender.run,
            "retention": self.notices.retention.run,
            "probes": self.probes.run,
            "reopening": self.reopening.run,
            "clocks": ClockWatch(self._bank.clock, self._bank.guardian.notice).run,
            "assurance": self.keeper.run,
            "sight": self.keeper.watch,
            "components": self.incidents.watch,
            "incidents": self.incidents.run,
            "word": self.word.run,
            "own cases": self.own.run,
        }

    async def close(self) -> None:
        """Let go of connections."""
        await self.bulk.finish(_BULK_SECONDS_MAX)
        await self.complaints.close()
        await self._looker.close()
        self._book.close()
        await self.notices.sender.close()

    def _assured_at(self) -> Any:
        is_safe = self.keeper.assured("id") is not None
        return self.keeper.newest.proved_at if is_safe else None
