"""What ``python -m benchmarks`` measures: sizes for a minute or two, or the whole table of the documents."""

from proofgrid.bench.cases import Question
from proofgrid.kernels.curves import BLS12_381


def modest(threads: list[int]) -> list[Question]:
    """A quick look at every kind."""
    questions = []
    for t in threads:
        questions += [Question("msm", log_n, t) for log_n in (12, 14, 16)]
        questions += [Question("msm", 14, t, group="g2"), Question("msm", 14, t, BLS12_381)]
        questions += [Question("ntt", log_n, t) for log_n in (14, 16)]
        questions += [Question("groth16", log_n, t) for log_n in (12, 14)]
    return [*questions, *_verifications(), Question("setup", 14, max(threads))]


def full(threads: list[int]) -> list[Question]:
    """Everything that the documents' tables say."""
    questions = []
    for t in threads:
        questions += [Question("msm", log_n, t) for log_n in (14, 16, 18, 20)]
        questions += [Question("msm", 16, t, group="g2"), Question("msm", 18, t, BLS12_381)]
        questions += [Question("ntt", log_n, t) for log_n in (14, 16, 18, 20)]
        questions += [Question("groth16", log_n, t) for log_n in (14, 16, 18, 20)]
        questions += [Question("groth16", 16, t, circuit=circuit) for circuit in ("sha", "pos")]
    return [*questions, *_verifications(), Question("setup", 18, max(threads))]


def _verifications() -> list[Question]:
    return [Question("verify", 0), Question("verify", 10)]
