"""The question (is this submission a true proof under this key?) and its answer, wherever it is asked."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import ValidationError

from proofgrid.errors import InvalidProof, MalformedInput
from proofgrid.kernels.backend import Backend, select
from proofgrid.models import Cause, CauseCode, Submission
from proofgrid.verifier.groth16 import verify, verify_batch
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.refusals import RefusedProof

MOST_KEYS = 64
"""As many keys stay parsed and prepared as were used last."""


@dataclass(frozen=True)
class Key:
    """A registered circuit's verifying key in snarkjs' JSON, under its digest; our own record, not a stranger's."""

    digest: str
    document: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A submission's bytes as they were stored, and the public inputs that its request expects (None: any)."""

    submission: bytes
    expected: tuple[str, ...] | None = None


class JudgeFailed(Exception):
    """No verdict: the judge died or was late over these cases. It says nothing of any proof."""


class Judge(Protocol):
    """Says of each case why it is refused, or None for a true proof of the right statement."""

    def judge(self, key: Key, cases: Sequence[Case]) -> list[Cause | None]:
        """One opinion a case, in order. Raises :class:`JudgeFailed`; any other error judged nobody."""


class JudgeHere:
    """The judge itself, in this process: nothing stands between a submission and the native core."""

    def __init__(self, backend: Backend | None = None) -> None:
        self._backend = backend
        self._keys: OrderedDict[str, VerifyingKey] = OrderedDict()

    def knows(self, digest: str) -> bool:
        """Is the key of this digest at hand, whatever document comes with it?"""
        return digest in self._keys

    def judge(self, key: Key, cases: Sequence[Case]) -> list[Cause | None]:
        """Several cases cost one batch verification; see ``verify_batch``."""
        backend = self._backend or select()
        try:
            verifying_key = self._key(key, backend)
        except MalformedInput as error:
            words = f"the circuit's own key is refused: {error}"
            return [Cause(code=CauseCode.VERIFIER_FAILED, message=words[:2000])] * len(cases)
        return opinions(verifying_key, cases, backend)

    def _key(self, key: Key, backend: Backend) -> VerifyingKey:
        if key.digest not in self._keys:
            self._keys[key.digest] = VerifyingKey.from_json(dict(key.document), backend=backend)
            if len(self._keys) > MOST_KEYS:
                self._keys.popitem(last=False)
        self._keys.move_to_end(key.digest)
        return self._keys[key.digest]


def read_submission(content: bytes, what: str = "the submission") -> Submission:
    """Stored bytes as a submission; raises :class:`MalformedInput`."""
    try:
        return Submission.model_validate_json(content)
    except ValidationError as error:
        raise MalformedInput(f"{what} is not a submission: {error.errors()[0]['msg']}") from error


def opinions(key: VerifyingKey, cases: Sequence[Case], backend: Backend) -> list[Cause | None]:
    """Why each case is refused, or None. Cost: one batch verification of what could be parsed."""
    found: list[Cause | None] = [None] * len(cases)
    entries: dict[int, tuple[list[int], Proof]] = {}
    for index, case in enumerate(cases):
        try:
            submission = read_submission(case.submission)
            entries[index] = [int(value) for value in submission.public_inputs], Proof.from_json(submission.proof)
        except MalformedInput as error:
            found[index] = _refused(str(error))
            continue
        if case.expected is not None and case.expected != submission.public_inputs:
            message = "the proof is true, but of other public inputs than the request expects"
            found[index] = Cause(code=CauseCode.INPUTS_MISMATCH, message=message)
    for index, words in _false(key, entries, backend).items():
        found[index] = _refused(words)  # whatever the statement was
    return found


def _false(key: VerifyingKey, entries: Mapping[int, tuple[list[int], Proof]], backend: Backend) -> dict[int, str]:
    """Those whom the verifier refuses, and its words."""
    positions = list(entries)
    try:
        if len(entries) == 1:
            verify(key, *entries[positions[0]], backend=backend)
        elif entries:
            verify_batch(key, list(entries.values()), backend=backend)
    except (InvalidProof, MalformedInput) as error:
        if len(entries) == 1:
            return {positions[0]: str(error)}
        if not isinstance(error, RefusedProof) or not error.reasons:
            raise  # a batch names its members
        return {positions[place]: reason.words for place, reason in error.reasons.items()}
    return {}


def _refused(words: str) -> Cause:
    return Cause(code=CauseCode.INVALID_PROOF, message=f"the verifier refused the proof: {words}"[:2000])
