"""Which leaves of a batch are false: the judgement of the program's ``judge_leaf``, made off chain, for all at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from proofgrid.errors import MalformedInput
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.curves import CURVES
from proofgrid.settlement.instructions.batches import ShownLeaf
from proofgrid.settlement.watcher.documents import BatchData, Statement
from proofgrid.verifier.groth16 import Entry, verify_batch
from proofgrid.verifier.keys import Proof, VerifyingKey
from proofgrid.verifier.refusals import Reason, RefusedInput, RefusedProof

_BN254 = CURVES["bn254"]
_AT_ONCE = 1024
"""Proofs verified together: what bounds the memory."""


@dataclass(frozen=True)
class FalseLeaf:
    """A leaf that does not hold, and why; ``shown`` is what convicts it."""

    shown: ShownLeaf
    reason: Reason


@dataclass(frozen=True)
class Judgement:
    """What was found about each leaf of a batch, by its number: it is in ``false``, in ``unknown``, or true."""

    n_leaves: int
    false: Mapping[int, FalseLeaf]
    unknown: Mapping[int, str]

    @property
    def checked(self) -> int:
        return self.n_leaves - len(self.unknown)


def missing_keys(data: BatchData) -> set[bytes]:
    """Digests of the keys that leaves with a statement name, and the data does not hold."""
    return {one.leaf.verifying_key_digest for one in data.leaves if one.leaf and one.statement} - set(data.keys)


def judge(data: BatchData, keys: Mapping[bytes, bytes], *, backend: Backend | None = None) -> Judgement:
    """Check every leaf that has a statement and a key; ``keys`` are encodings by digest, as are the data's own.

    False is what the program calls false: another number of inputs than the key's, an input outside [0, r), a proof
    that is malformed or does not hold. A key that no account can hold leaves its leaves unknown. Cost: ``verify_batch``
    for each key; an accident of the backend is raised and says nothing about a leaf.
    """
    false: dict[int, FalseLeaf] = {}
    unknown: dict[int, str] = {}
    groups: dict[bytes, list[int]] = {}
    for index, one in enumerate(data.leaves):
        if one.leaf is None or one.statement is None:
            unknown[index] = "no data"
        else:
            groups.setdefault(one.leaf.verifying_key_digest, []).append(index)
    known = {**keys, **data.keys}
    for digest, indices in groups.items():
        try:
            key = VerifyingKey.decode(_BN254, known[digest], backend=backend)
        except (KeyError, MalformedInput) as error:
            why = "its key is not known" if isinstance(error, KeyError) else f"its key is none: {error}"
            unknown |= dict.fromkeys(indices, why)
            continue
        statements = [_statement(data, index) for index in indices]
        for position, reason in _refused(key, statements, backend):
            index = indices[position]
            false[index] = FalseLeaf(show(data, index), reason)
    return Judgement(len(data.leaves), dict(sorted(false.items())), dict(sorted(unknown.items())))


def show(data: BatchData, index: int) -> ShownLeaf:
    """The leaf with its inputs, proof and path, for the chain. Raises MalformedInput where its data is missing."""
    leaf, statement = data.leaves[index].leaf, _statement(data, index)
    if leaf is None:
        raise MalformedInput(f"leaf {index} is not known")
    return ShownLeaf(
        index=index,
        request=leaf.request_id,
        prover=leaf.prover,
        price=leaf.price_lamports,
        key_digest=leaf.verifying_key_digest,
        inputs=statement.inputs,
        proof=statement.proof,
        path=tuple(data.tree.path(index)),
    )


def _statement(data: BatchData, index: int) -> Statement:
    statement = data.leaves[index].statement
    if statement is None:
        raise MalformedInput(f"the inputs and the proof of leaf {index} are not known")
    return statement


def _refused(
    key: VerifyingKey, statements: Sequence[Statement], backend: Backend | None
) -> Iterator[tuple[int, Reason]]:
    """Positions of the statements that do not hold under the key, and why."""
    entries: list[tuple[int, Entry]] = []
    for position, statement in enumerate(statements):
        try:
            inputs = [int.from_bytes(value, "big") for value in statement.inputs]
            entries.append((position, (inputs, Proof.decode(_BN254, statement.proof))))
        except RefusedInput as error:
            yield position, error.reason
    for start in range(0, len(entries), _AT_ONCE):
        part = entries[start : start + _AT_ONCE]
        try:
            verify_batch(key, [entry for _, entry in part], backend=backend)
        except RefusedProof as refused:
            yield from ((part[at][0], reason) for at, reason in refused.reasons.items())
