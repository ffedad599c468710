from typing import Any

from numpy.typing import NDArray

Buffer = NDArray[Any]

class Layer:
    name: str
    runs_here: bool
    def unary(self, field: str, op: str, a: Buffer, out: Buffer, threads: int) -> None: ...
    def binary(self, field: str, op: str, a: Buffer, b: Buffer, out: Buffer, threads: int) -> None: ...
    def ntt(
        self,
        field: str,
        values: Buffer,
        out: Buffer,
        inverse: bool,
        shift: Buffer,
        control: Buffer | None,
        threads: int,
    ) -> None: ...
    def prepared_form(self, curve: str, group: str) -> str: ...
    def most_multiples(self, curve: str, group: str) -> int: ...
    def prepared_bytes(self, curve: str, group: str, n: int, multiples: int) -> int: ...
    def prepare(
        self,
        curve: str,
        group: str,
        bases_mont: Buffer,
        multiples: int,
        out: Buffer,
        control: Buffer | None,
        threads: int,
    ) -> None: ...
    def checksum(self, data: Buffer, threads: int) -> int: ...
    def msm_many(
        self,
        curve: str,
        jobs: list[tuple[str, str, Buffer, int, Buffer, int, Buffer, Buffer | None]],
        control: Buffer | None,
        threads: int,
    ) -> None: ...
    def scale(
        self,
        curve: str,
        group: str,
        base: Buffer,
        scalars: Buffer,
        result_mont: bool,
        out: Buffer,
        control: Buffer | None,
        threads: int,
    ) -> None: ...
    def scale_each(
        self,
        curve: str,
        group: str,
        bases: Buffer,
        scalars: Buffer,
        out: Buffer,
        control: Buffer | None,
        threads: int,
    ) -> None: ...
    def add_points(self, curve: str, group: str, a: Buffer, b: Buffer, out: Buffer, threads: int) -> None: ...
    def check_points(self, curve: str, group: str, points: Buffer, out: Buffer, threads: int) -> None: ...
    def pairing_product(self, curve: str, g1: Buffer, g2: Buffer, out: Buffer, threads: int) -> None: ...
    def lines_bytes(self, curve: str) -> int: ...
    def prepare_lines(self, curve: str, g2: Buffer, out: Buffer, ok: Buffer, threads: int) -> None: ...
    def pairing_of_lines(self, curve: str, g1: Buffer, lines: list[Buffer], out: Buffer, threads: int) -> None: ...
    def quotient(
        self,
        curve: str,
        coefficients: Buffer,
        witness: Buffer,
        log_n: int,
        out: Buffer,
        control: Buffer | None,
        threads: int,
    ) -> None: ...

layers: tuple[Layer, ...]

def probe() -> list[float]: ...
