"""Every drill by its name: what it rehearses, and how often it strikes by default."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from tangguh.cli.drills import (
    kill_nine,
    lost_replies,
    lying_partner,
    mad_detector,
    mass_update,
    settlement_twice,
    slow_partner,
)
from tangguh.cli.drills.care import complaint_flood, late_success, refund_and_chargeback
from tangguh.cli.drills.duty import control_plane_dead, insider_approver
from tangguh.cli.drills.load import (
    hot_account,
    hot_merchant,
    login_storm,
    retry_storm,
    status_storm,
)
from tangguh.cli.drills.machines import database_dead, disk_full
from tangguh.cli.drills.report import Report
from tangguh.cli.drills.sick import flapping, mutated_frames
from tangguh.cli.drills.strangers import slow_doors
from tangguh.cli.drills.theft import bank_2025, forged_orders, row_tampered
from tangguh.cli.drills.told import (
    dead_bank,
    debited_but_failed,
    green_lie,
    overdue_update,
    vanished_option,
)


class Drill(msgspec.Struct, frozen=True):
    """A drill that can be run: what it rehearses, and how often it strikes by default."""

    about: str
    run: Callable[[int, int], Awaitable[Report]]
    times: int


DRILLS: Final[dict[str, Drill]] = {
    "kill-nine": Drill(
        "The bank's process is killed at random moments under load and started each time.",
        kill_nine.run,
        100,
    ),
    "lost-replies": Drill(
        "Every partner in turn carries payments out and loses its answers.",
        lost_replies.run,
        8,
    ),
    "slow-partner": Drill(
        "One partner is slow, flaps and goes down; the others' customers must not notice.",
        slow_partner.run,
        6,
    ),
    "lying-partner": Drill(
        "Partners say yes and did not pay, or no and paid; their files show every lie.",
        lying_partner.run,
        8,
    ),
    "settlement-twice": Drill(
        "Settlement files are wrong, and cycles are interrupted and run again and again.",
        settlement_twice.run,
        8,
    ),
    "slow-doors": Drill(
        "Strangers hold every listener with slow, endless, huge and half-sent requests.",
        slow_doors.run,
        4,
    ),
    "bank-2025": Drill(
        "The week of March 2025: 807 forged orders on the eve of Lebaran, and the way back.",
        bank_2025.run,
        bank_2025.ORDERS,
    ),
    "control-plane-dead": Drill(
        "Bank, watch and gateway are killed; what was closed stays closed, from its own disk.",
        control_plane_dead.run,
        12,
    ),
    "insider-approver": Drill(
        "Somebody on duty tries to open alone, through other accounts; nothing opens.",
        insider_approver.run,
        2,
    ),
    "forged-orders": Drill(
        "A thief posts transfers at the gateway: with ring 1 none leaves, with the watch four.",
        forged_orders.run,
        40,
    ),
    "hot-account": Drill(
        "One account floods payments; it alone is limited, and nobody else notices.",
        hot_account.run,
        1,
    ),
    "mad-detector": Drill(
        "Two rules of the guard point at most of the traffic; the guard stops believing them.",
        mad_detector.run,
        1,
    ),
    "flapping-partner": Drill(
        "A wallet goes down and comes back again and again; it alone is closed, ever longer.",
        flapping.run,
        9,
    ),
    "mutated-frames": Drill(
        "Garbage fills the card switch's one line; the withdrawals in flight beside it end well.",
        mutated_frames.run,
        mutated_frames.FRAMES,
    ),
    "retry-storm": Drill(
        "Every app sends every order three times at once; each is paid once, as fast as ever.",
        retry_storm.run,
        3,
    ),
    "login-storm": Drill(
        "The bank is killed; when it is back everybody logs in and pays at once, then all hangs.",
        login_storm.run,
        200,
    ),
    "status-check-storm": Drill(
        "A network loses every answer; our questions keep to the schedule, customers cause none.",
        status_storm.run,
        1,
    ),
    "hot-merchant": Drill(
        "Thousands of payments a minute go to two shops; each is credited exactly once.",
        hot_merchant.run,
        1,
    ),
    "debited-but-failed": Drill(
        "A thousand QRIS payments lose their replies, half were paid; everybody is told, once.",
        debited_but_failed.run,
        debited_but_failed.PAYMENTS,
    ),
    "vanished-option": Drill(
        "BI-FAST is closed; the option stays in the app with its reason, and everybody is told.",
        vanished_option.run,
        2,
    ),
    "dead-bank": Drill(
        "Every process of the bank is killed; the public page stays, says so, and how old it is.",
        dead_bank.run,
        5,
    ),
    "green-lie": Drill(
        "Whatever dies, hangs or refuses, the page says it within 30 s, and is green after.",
        green_lie.run,
        16,
    ),
    "overdue-update": Drill(
        "People promise a next word and give none; the public page shows it by itself.",
        overdue_update.run,
        3,
    ),
    "mass-update": Drill(
        "Somebody with all rights changes balances by SQL: three, then everybody's.",
        mass_update.run,
        1,
    ),
    "row-tampered": Drill(
        "Somebody with all rights changes one row after another by SQL; each is told and proved.",
        row_tampered.run,
        16,
    ),
    "late-success-after-refund": Drill(
        "The bank gives money before it knows; then it turns out paid, or it is declined and paid.",
        late_success.run,
        2,
    ),
    "refund-and-chargeback": Drill(
        "Claims, returns and reversals of the same payments race, and the bank is killed between.",
        refund_and_chargeback.run,
        2,
    ),
    "complaint-flood": Drill(
        "Everybody complains at once, with pictures, some made to harm; nobody else notices.",
        complaint_flood.run,
        400,
    ),
    "database-dead": Drill(
        "PostgreSQL is killed and frozen in turn under load; it comes back by itself.",
        database_dead.run,
        20,
    ),
    "disk-full": Drill(
        "The log's disk, the database's, and both are full under load; nothing is lost.",
        disk_full.run,
        20,
    ),
}
