"""The SMS gateway's later word on what it took: it arrived, or it was lost."""

from __future__ import annotations

from typing import Final

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tangguh.core.errors import TangguhError
from tangguh.web.api.operations import of_error, problem_response, read_body
from tangguh.web.door import Door
from tangguh.web.problems import Trouble, of_refused, problem

log = structlog.get_logger("web.partners")

PATH: Final = "/partners/v1/sms/receipts"
_BODY_BYTES_MAX: Final = 4 * 1024


def routes(door: Door) -> list[BaseRoute]:
    """The gateway's door. What is not signed by the gateway changes nothing."""

    async def take(request: Request) -> Response:
        if door.notices is None:
            return problem_response(problem("not_found"))
        try:
            body = await read_body(request, _BODY_BYTES_MAX)
            refused = await door.notices.take_receipt(request.headers, body)
        except Trouble as said:
            return problem_response(said.problem)
        except TangguhError as error:
            return problem_response(of_error(error))
        if refused is None:
            return Response(status_code=204)
        log.warning("receipt.refused", field=refused.field, why=refused.detail)
        unsigned = refused.field == "signature"
        found = problem("signature_wrong") if unsigned else of_refused(refused)
        return problem_response(found)

    return [Route(PATH, take, methods=["POST"])]
