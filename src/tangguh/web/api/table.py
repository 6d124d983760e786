"""The whole of the customers' API: one table for the routes and for the document."""

from __future__ import annotations

from typing import Final

from tangguh.web.api import care, mobile, services
from tangguh.web.api.codes import operations as codes
from tangguh.web.api.operations import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *mobile.OPERATIONS,
    *services.OPERATIONS,
    *codes.OPERATIONS,
    *care.OPERATIONS,
)
