"""Poses challenges and judges answers: the secret, the sets of points, the known-answer circuit."""

import logging
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from proofgrid.config import AdmissionRules, NetworkConfig
from proofgrid.kernels.backend import Backend
from proofgrid.kernels.backend import select as select_backend
from proofgrid.models.challenges import ChallengeKind, ChallengeState
from proofgrid.network.admission.checks import check_msm, check_ntt, check_proof
from proofgrid.network.admission.trapdoor import Trapdoor
from proofgrid.network.database import Database
from proofgrid.network.secret_files import load_or_create_token, make_private_folder
from proofgrid.network.tables.admission import ChallengeRow, PointSetRow
from proofgrid.prover.artifacts import ArtifactStore
from proofgrid.prover.challenges import squares
from proofgrid.prover.challenges.kernels import CURVE
from proofgrid.prover.formats.zkey import read_zkey
from proofgrid.prover.groth16.keys import verifying_key
from proofgrid.prover.groth16.setup import setup
from proofgrid.verifier.keys import Proof, VerifyingKey

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Exam:
    """What an answer is judged by."""

    kind: ChallengeKind
    seed: bytes
    log_n: int
    steps: int
    set_number: int


@dataclass
class Examiner:
    """One network's; safe for several threads."""

    rules: AdmissionRules
    store: ArtifactStore
    secret: bytes = field(repr=False)
    folder: Path
    """Where the known-answer circuit's key is named: a setup made once."""
    backend: Backend
    _trapdoors: dict[int, Trapdoor] = field(default_factory=dict, repr=False)
    _key: tuple[str, VerifyingKey] | None = field(default=None, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def open(cls, config: NetworkConfig, store: ArtifactStore, backend: Backend | None = None) -> "Examiner":
        """The examiner of the network in this state folder, with a fresh secret if it has none yet."""
        folder = config.state_folder / "secrets"
        make_private_folder(folder)
        secret = bytes.fromhex(load_or_create_token(folder / "admission"))
        return cls(config.admission, store, secret, config.state_folder, backend or select_backend())

    def current_set(self, database: Database, now: float) -> PointSetRow:
        """The set for new challenges; a new one where there is none, or it is worn out, of another size or secret.

        Cost of a new one: 2^log_n fixed-base multiplications, outside any transaction.
        """
        with database.reading() as session:
            row = latest_set(session)
        if row is not None and self._is_good(row):
            return row
        trapdoor = self._trapdoor(0 if row is None else row.number + 1, self.rules.log_n)
        digest = self.store.put(trapdoor.points())
        made = PointSetRow(
            number=trapdoor.number, digest=digest, secret_tag=trapdoor.tag, log_n=trapdoor.log_n, created_at=now
        )
        try:
            with database.writing() as session:
                session.add(made)
                if row is not None and row.secret_tag != self._trapdoor(row.number, row.log_n).tag:
                    log.warning("admission: the secret is another; open challenges over the old points are dropped")
                    session.execute(delete(ChallengeRow).where(ChallengeRow.state == ChallengeState.OPEN))
            log.info("admission: set %d of 2^%d points", made.number, made.log_n)
        except IntegrityError:  # another process was faster, with the same points
            with database.reading() as session:
                made = session.get_one(PointSetRow, trapdoor.number)
        return made

    def _is_good(self, row: PointSetRow) -> bool:
        is_worn = row.n_issued >= self.rules.rotate_after or row.log_n != self.rules.log_n
        return not is_worn and row.secret_tag == self._trapdoor(row.number, row.log_n).tag

    def proving_key(self) -> str:
        """The digest of the known-answer circuit's proving key; the first call makes it. Cost: a setup of its size."""
        return self._proof_key()[0]

    def publishes(self, database: Database, digest: str) -> bool:
        """Is this artifact meant for everybody's eyes?"""
        with database.reading() as session:
            found = session.scalar(select(PointSetRow.number).where(PointSetRow.digest == digest))
        return found is not None or digest == self.proving_key()

    def judge(self, exam: Exam, answer: bytes) -> None:
        """Raise :class:`InvalidProof` for a wrong answer, MalformedInput for one that is none."""
        if exam.kind is ChallengeKind.PROOF:
            check_proof(self._proof_key()[1], exam.seed, exam.log_n, Proof.decode(CURVE, answer), self.backend)
        elif exam.kind is ChallengeKind.MSM:
            check_msm(self._trapdoor(exam.set_number, exam.log_n), exam.seed, exam.steps, answer)
        else:
            check_ntt(self._trapdoor(exam.set_number, self.rules.log_n), exam.seed, exam.log_n, exam.steps, answer)

    def _trapdoor(self, number: int, log_n: int) -> Trapdoor:
        with self._turn:
            known = self._trapdoors.get(number)
            if known is None or known.log_n != log_n:
                known = Trapdoor(self.secret, number, log_n, self.backend)
                self._trapdoors = {old: kept for old, kept in self._trapdoors.items() if old >= number - 1}
                self._trapdoors[number] = known
            return known

    def _proof_key(self) -> tuple[str, VerifyingKey]:
        with self._turn:
            if self._key is None:
                note = self.folder / f"admission-circuit-{self.rules.proof_log_n}"
                digest = note.read_text().strip() if note.exists() else ""
                if not digest or not self.store.exists(digest):
                    digest = self._set_up(note)
                self._key = digest, verifying_key(read_zkey(self.store.verify(digest)), backend=self.backend)
            return self._key

    def _set_up(self, note: Path) -> str:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            path = Path(folder) / "squares.zkey"
            setup(squares.circuit(self.rules.proof_log_n), path, backend=self.backend)
            digest = self.store.put_file(path)
        partial = note.with_suffix(".partial")
        partial.write_text(digest + "\n")
        partial.replace(note)
        return digest


def latest_set(session: Session) -> PointSetRow | None:
    return session.scalar(select(PointSetRow).order_by(PointSetRow.number.desc()).limit(1))
