"""What a SNAP partner that calls us says of itself, compared with what was agreed. Pure.

Source: ASPI's SNAP developer site: X-PARTNER-ID and CHANNEL-ID are mandatory in every call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec


class Agreed(msgspec.Struct, frozen=True):
    """With which X-PARTNER-ID and CHANNEL-ID a partner calls; empty where nothing was agreed."""

    partner_id: str = ""
    channel_id: str = ""

    def amiss(self, headers: Mapping[str, str]) -> Amiss | None:
        """The first header that does not say so. Lower-case names."""
        for name, ours in (("X-PARTNER-ID", self.partner_id), ("CHANNEL-ID", self.channel_id)):
            said = headers.get(name.lower(), "")
            if ours and said != ours:
                return Amiss(name, not said)
        return None


class Amiss(msgspec.Struct, frozen=True):
    """A header that is missing, or names somebody else."""

    name: str
    is_missing: bool


NOTHING: Final = Agreed()
