"""The bounds on what instructions cost, in both feature sets."""

from functools import cache

import pytest

from proofgrid.settlement.transactions import PACKET_SIZE
from tests.settlement.chains import FEATURES
from tests.settlement.costs import LEAVES, Cost, measure, page, receipt_bytes

BOUNDS = {
    "verify_groth16, 1 input": 100_000,
    "verify_groth16, 4 inputs": 110_000,
    "finalize_key, 64 inputs": 150_000,
    "open_request": 40_000,
    "fulfil_request, 4 inputs": 200_000,
    "challenge_leaf, 1 input": 200_000,
    "challenge_leaf, 4 inputs": 200_000,
    "answer_leaf, 4 inputs": 200_000,
    "commit_batch": 15_000,
    "claim_leaf": 30_000,
    "verify_receipt": 5_000,
    "examples/consumer release": 15_000,
}
IN_ONE_PACKET = ("commit_batch", "claim_leaf", "challenge_leaf, 4 inputs", "fulfil_request, 4 inputs", "verify_receipt")


@cache
def costs(features: str) -> dict[str, Cost]:
    return {row.what: row for row in measure(features)}


@pytest.mark.parametrize("features", FEATURES)
@pytest.mark.parametrize("what", BOUNDS)
def test_units_stay_within_their_bound(features: str, what: str) -> None:
    assert costs(features)[what].units < BOUNDS[what]


@pytest.mark.parametrize("features", FEATURES)
def test_all_64_inputs_can_be_shown(features: str) -> None:
    """Of what a transaction may use, 1.4 million units, less than a third."""
    widest = {what: row for what, row in costs(features).items() if "64 inputs" in what}
    assert len(widest) == 5
    assert max(row.units for row in widest.values()) < 400_000


@pytest.mark.parametrize("features", FEATURES)
def test_what_fits_a_packet(features: str) -> None:
    assert all(costs(features)[what].transactions == 1 for what in IN_ONE_PACKET)
    assert all(row.bytes <= PACKET_SIZE * row.transactions for row in costs(features).values())


@pytest.mark.parametrize("features", FEATURES)
def test_a_large_batch_is_cheap(features: str) -> None:
    assert costs(features)["commit_batch"].units / LEAVES < 60
    assert receipt_bytes()["compact"] < 600


def test_the_page_holds_every_row() -> None:
    text = page({features: list(costs(features).values()) for features in FEATURES})
    assert all(f"| {what} |" in text for what in costs("mainnet"))
