"""From errors to HTTP answers: one table, one form ``{code, message, retryable}``."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from proofgrid import errors
from proofgrid.models import ErrorAnswer

log = logging.getLogger(__name__)

STATUS: dict[type[errors.ProofgridError], int] = {
    errors.ProofgridError: 500,
    errors.MalformedInput: 400,
    errors.TooLarge: 413,
    errors.InvalidProof: 422,
    errors.UnsatisfiedCircuit: 422,
    errors.BackendUnavailable: 503,
    errors.Cancelled: 409,
    errors.RequestFailed: 409,
    errors.NotFound: 404,
    errors.AccessDenied: 401,
    errors.Conflict: 409,
    errors.QueueError: 503,
    errors.SettlementError: 502,
    errors.ChainUnavailable: 503,
    errors.BalanceTooLow: 503,
    errors.ProgramRefused: 502,
}


def status_of(error: errors.ProofgridError) -> int:
    """The status of the nearest class in the table."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def answer_error(error: errors.ProofgridError) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, errors.AccessDenied) else None
    content = ErrorAnswer.of(error).model_dump(exclude_none=True)
    return JSONResponse(content, status_code=status_of(error), headers=headers)


def install(app: FastAPI) -> None:
    """Make every refusal of the app an :class:`ErrorAnswer`."""

    @app.exception_handler(errors.ProofgridError)
    async def _ours(request: Request, error: errors.ProofgridError) -> JSONResponse:
        return answer_error(error)

    @app.exception_handler(RequestValidationError)
    async def _malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        # Where and why, never what: the value may be a secret.
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:200].encode("ascii", "backslashreplace").decode()
        return answer_error(errors.MalformedInput(f"{where}: {first['msg']}"))

    @app.exception_handler(OperationalError)
    @app.exception_handler(InterfaceError)
    @app.exception_handler(PoolTimeout)
    @app.exception_handler(OSError)
    async def _away(request: Request, error: Exception) -> JSONResponse:
        # A worker that holds a finished proof must come again, not drop it.
        log.error("%s %s: %s: %s", request.method, request.url.path, type(error).__name__, error)
        return answer_error(errors.QueueError("the gateway's database or store is busy or full; try again"))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        kind = errors.NotFound if error.status_code == 404 else errors.MalformedInput
        answer = ErrorAnswer(
            code=kind.code, message=f"{request.method} {request.url.path}: {error.detail}", retryable=False
        )
        return JSONResponse(answer.model_dump(exclude_none=True), status_code=error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> JSONResponse:
        return answer_error(errors.ProofgridError("the gateway made a mistake; its log says which"))
