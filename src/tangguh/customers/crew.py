"""The demo's staff: one account for each part, nobody in another's line."""

from __future__ import annotations

from typing import Final

from tangguh.access.people import Role, Staff
from tangguh.access.staff import StaffRegister

CREW: Final[tuple[Staff, ...]] = (
    Staff(
        id="staff:1",
        hr_id="hr-001",
        full_name="Komandan Insiden",
        roles=frozenset({Role.INCIDENT_COMMANDER}),
        group="operations",
    ),
    Staff(
        id="staff:2",
        hr_id="hr-002",
        full_name="Pemilik Jaringan",
        roles=frozenset({Role.RAIL_OWNER}),
        group="payments",
    ),
    Staff(
        id="staff:3",
        hr_id="hr-003",
        full_name="Pejabat Risiko",
        roles=frozenset({Role.RISK_OFFICER}),
        group="risk",
    ),
    Staff(
        id="staff:4",
        hr_id="hr-004",
        full_name="Kepala Keamanan Informasi",
        roles=frozenset({Role.CISO}),
        group="security",
    ),
    Staff(
        id="staff:5",
        hr_id="hr-005",
        full_name="Pemilik Rekonsiliasi",
        roles=frozenset({Role.RECON_OWNER}),
        group="reconciliation",
    ),
    Staff(
        id="staff:6",
        hr_id="hr-006",
        full_name="Petugas Pengaduan",
        roles=frozenset({Role.COMPLAINTS_OFFICER}),
        group="complaints",
    ),
)
"""Titles, not people: a demo's six."""


async def enrol_crew(register: StaffRegister) -> dict[str, str]:
    """Add the demo's staff and a new token for each; tokens by staff id, told here only."""
    tokens = {}
    for one in CREW:
        await register.add(one)
        tokens[one.id] = await register.add_token(one.id)
    return tokens
