"""A prover's calls, signed with its hot key: each try under a fresh nonce, so that a retry is no replay."""

import time
from collections.abc import Callable, Generator

import httpx
from nacl.signing import SigningKey

from proofgrid.signed_calls import Call, sign_call


class CallSigner(httpx.Auth):
    """Signs whatever an httpx client sends, for one network; the whole body is read first."""

    requires_request_body = True

    def __init__(self, key: SigningKey, audience: str, *, clock: Callable[[], float] = time.time) -> None:
        self._key, self._audience, self._clock = key, audience, clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """One signature for one try. Cost: one SHA-256 of the body and one ed25519 signature."""
        call = Call(self._audience, request.method, request.url.raw_path.decode("ascii"), request.content)
        request.headers.update(sign_call(self._key, call, self._clock()))
        yield request
