"""The watcher's judgement and the program's are one: what either calls false, the other does."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from proofgrid.errors import MalformedInput, ProgramRefused
from proofgrid.settlement.instructions.batches import challenge_leaf
from proofgrid.settlement.watcher.documents import BatchData, LeafData
from proofgrid.settlement.watcher.judgement import judge, missing_keys, show
from proofgrid.verifier.refusals import Reason
from tests.settlement.batches import Batch, Entry
from tests.settlement.conftest import Chain
from tests.settlement.instances import OUTSIDE_SUBGROUP, Instance, instance, q, r
from tests.settlement.network import Network
from tests.settlement.watched import FALSE, TRUE, data_of, entries, statement_of

LIES = {
    Reason.EQUATION: [FALSE, replace(TRUE, inputs=(TRUE.inputs[0] ^ 1,)), TRUE.with_points(c=(0, 0))],
    Reason.INPUT_RANGE: [replace(TRUE, inputs=(TRUE.inputs[0] + r,)), replace(TRUE, inputs=(2**256 - 1,))],
    Reason.INPUT_COUNT: [replace(TRUE, inputs=()), replace(TRUE, inputs=TRUE.inputs * 2)],
    Reason.COORDINATE_RANGE: [TRUE.with_points(a=(TRUE.a[0] + q, TRUE.a[1])), TRUE.with_points(c=(q, q))],
    Reason.NOT_ON_CURVE: [TRUE.with_points(a=(1, 1)), TRUE.with_points(b=(1, 2, 3, 4))],
    Reason.NOT_IN_SUBGROUP: [TRUE.with_points(b=OUTSIDE_SUBGROUP)],
    Reason.POINT_AT_INFINITY: [TRUE.with_points(a=(0, 0)), TRUE.with_points(b=(0, 0, 0, 0))],
}


def program_says(chain: Chain, leaves: Sequence[Entry]) -> set[int]:
    """The leaves that the program convicts."""
    network = Network.on(chain)
    committer = network.prover(40, 50_000)
    chain.svm.airdrop(committer.hot.pubkey(), 10**10)
    chain.register(TRUE)
    batch = Batch(network, committer, leaves).committed()
    data = BatchData(data_of(leaves).leaves)
    false = set()
    for index in range(len(leaves)):
        shown = show(data, index)
        try:
            chain.send(challenge_leaf(chain.program_id, batch.address, committer.prover, shown, committer.tokens))
        except ProgramRefused as refused:
            assert refused.name == "LeafIsTrue"  # noqa: PT017 - any other refusal is a disagreement
        else:
            false.add(index)
    return false


def under_true_key(given: Sequence[Instance]) -> list[Entry]:
    return [Entry(one, bytes(32), b"p" * 32, key=TRUE.digest) for one in given]


def test_every_reason_is_one_of_the_programs(chain: Chain) -> None:
    told = [(reason, lie) for reason, lies in LIES.items() for lie in lies]
    leaves = under_true_key([lie for _, lie in told] + [TRUE])
    judgement = judge(BatchData(data_of(leaves).leaves), {TRUE.digest: TRUE.encoding})
    assert {index: leaf.reason for index, leaf in judgement.false.items()} == dict(
        enumerate(reason for reason, _ in told)
    )
    assert program_says(chain, leaves) == set(judgement.false)


@pytest.mark.parametrize("seed", range(2))
def test_flipped_bits_are_judged_alike(chain: Chain, seed: int) -> None:
    random = Random(seed)

    def flipped() -> Instance:
        """One bit of the proof or of the input is another; often of the highest, where the ranges are."""
        at, bit = random.randrange(9), random.choice([255, 254, 253, random.randrange(256)])
        values = [*TRUE.a, *TRUE.b, *TRUE.c, *TRUE.inputs]
        values[at] ^= 1 << bit
        a, b, c, inputs = values[:2], values[2:6], values[6:8], values[8:]
        return replace(TRUE, a=tuple(a), b=tuple(b), c=tuple(c), inputs=tuple(inputs))

    leaves = under_true_key([flipped() if random.random() < 0.8 else TRUE for _ in range(30)])
    judgement = judge(BatchData(data_of(leaves).leaves), {TRUE.digest: TRUE.encoding})
    assert program_says(chain, leaves) == set(judgement.false)
    assert 0 < len(judgement.false) < 30


def test_what_is_not_known_is_not_judged() -> None:
    full = data_of(entries(4, 1))
    bare = [
        LeafData(full.leaves[0].node),
        LeafData.of(full.leaves[1].leaf, None) if full.leaves[1].leaf else full.leaves[1],
        *full.leaves[2:],
    ]
    data = BatchData(bare, full.keys)
    assert data.tree.root == full.tree.root
    judgement = judge(data, {})
    assert (judgement.checked, judgement.false, set(judgement.unknown)) == (2, {}, {0, 1})
    for index in (0, 1):
        with pytest.raises(MalformedInput):
            show(data, index)


def test_a_key_is_taken_from_the_chain_or_from_the_data() -> None:
    full = data_of(entries(3, 1))
    without = BatchData(full.leaves)
    assert (missing_keys(full), missing_keys(without)) == (set(), {TRUE.digest})
    assert set(judge(without, {}).unknown.values()) == {"its key is not known"}
    assert list(judge(without, {TRUE.digest: TRUE.encoding}).false) == [1]
    # a key that no account can hold: gamma is delta
    forged = TRUE.encoding[:320] + TRUE.encoding[192:320] + TRUE.encoding[448:]
    unknown = judge(without, {TRUE.digest: forged}).unknown
    assert list(unknown) == [0, 1, 2]
    assert "its key is none" in unknown[0]


def test_leaves_of_many_keys_are_told_apart() -> None:
    two = instance(2)
    given = [TRUE, two, FALSE, two.with_points(c=two.a), TRUE]
    leaves = [Entry(one, bytes(32), b"p" * 32) for one in given]
    assert list(judge(data_of(leaves), {}).false) == [2, 3]


def test_a_statement_that_is_not_the_leafs_is_dropped() -> None:
    leaf = entries(1)[0].leaf()
    assert LeafData.of(leaf, statement_of(TRUE)).statement is not None
    assert LeafData.of(leaf, statement_of(FALSE)).statement is None
