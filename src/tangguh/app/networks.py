"""The networks a bank is connected to, as its settings say, and what the book needs of each."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from tangguh.config import Settings
from tangguh.core.clock import Clock
from tangguh.core.errors import Misconfigured
from tangguh.core.service import SERVICES
from tangguh.payments.rules import DEFAULT_FEES, DEFAULT_LIMITS, Rules, Way, within_ceilings
from tangguh.payments.signer import Signer
from tangguh.rails.bifast.rail import BifastRail
from tangguh.rails.billers.rail import BillersRail
from tangguh.rails.ewallet.rail import EwalletRail
from tangguh.rails.gatekeeper import Alarm, Gatekeeper, log_alarm
from tangguh.rails.iso8583.line import Handler
from tangguh.rails.iso8583.message import Message
from tangguh.rails.iso8583.rail import Iso8583Rail
from tangguh.rails.onus import OnUs
from tangguh.rails.qris.rail import QrisIssuer
from tangguh.rails.rail import Rail
from tangguh.rails.snap_agreed import Agreed
from tangguh.work.naming import Naming, bifast_naming, card_naming


class Switchboard:
    """The card switch's requests, from the link, made first, to the door, made last."""

    handler: Handler | None = None

    async def __call__(self, request: Message) -> Message | None:
        """Nobody is asked before the door is open."""
        return await self.handler(request) if self.handler is not None else None


def rails_for(settings: Settings, clock: Clock, switchboard: Handler) -> dict[str, Rail]:
    """The rails this bank is connected to. Raises Misconfigured when one is not set up.

    QRIS must be; every other network is carried when it is configured.
    """
    if settings.qris is None:
        raise Misconfigured("qris: no switch is configured (section [qris])")
    rails: dict[str, Rail] = {
        "onus": OnUs(),
        "emoney": OnUs("emoney"),
        "qris": QrisIssuer(settings.qris, clock),
    }
    if settings.bifast is not None:
        rails["bifast"] = BifastRail(settings.bifast, clock)
    if settings.iso8583 is not None:
        rails["iso8583"] = Iso8583Rail(settings.iso8583, clock, handler=switchboard)
    if settings.ewallet:
        rails["ewallet"] = EwalletRail(settings.ewallet, clock)
    if settings.billers is not None:
        rails["billers"] = BillersRail(settings.billers, clock)
    return rails


def guarded(
    rails: dict[str, Rail], signer: Signer, clock: Clock, alarm: Alarm = log_alarm
) -> dict[str, Rail]:
    """The same rails, each that leaves the bank behind its gatekeeper."""
    return {
        name: rail
        if rail.capabilities().settles_inside
        else Gatekeeper(name, rail, signer.public_key, clock, alarm)
        for name, rail in rails.items()
    }


def agreed_with_switch(settings: Settings) -> Agreed:
    """As whom the QRIS switch calls: by the ids that were agreed for both directions."""
    qris = settings.qris
    return Agreed(qris.partner_id, qris.channel_id) if qris is not None else Agreed()


def switch_key(settings: Settings) -> RSAPublicKey | None:
    """The key that verifies the switch's notices. Raises Misconfigured when it cannot be used."""
    path = settings.qris.switch_public_key_path if settings.qris is not None else ""
    if not path:
        return None
    try:
        key = load_pem_public_key(Path(path).read_bytes())
    except (OSError, ValueError) as fault:
        raise Misconfigured(f"qris.switch_public_key_path: {fault}") from fault
    if not isinstance(key, RSAPublicKey):
        raise Misconfigured("qris.switch_public_key_path: not an RSA key")
    return key


def rules_for(rails: dict[str, Rail], settings: Settings) -> Rules:
    """What the book needs to know of the rails, and the bank's limits and fees."""
    ways: dict[str, Way] = {}
    namings: dict[str, Naming] = {}
    if settings.bifast is not None:
        namings["bifast"] = bifast_naming(settings.bifast.bic)
    if settings.iso8583 is not None:
        namings["iso8583"] = card_naming
    for service in SERVICES.values():
        if service.rail in rails:
            can = rails[service.rail].capabilities()
            ways[service.id] = Way(
                service.rail,
                can.settles_inside,
                can.send_timeout_seconds,
                can.inquiry_delays_seconds,
                namings.get(service.rail),
            )
    limits = within_ceilings(DEFAULT_LIMITS)
    return Rules(ways, limits, dict(DEFAULT_FEES), settings.redress)
