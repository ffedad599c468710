"""Ways to break a file. Each takes bytes and a seeded generator, and gives other bytes (now and then the same)."""

import random
import struct
from collections.abc import Callable

from tests.fuzz import containers

Mutation = Callable[[bytes, random.Random], bytes]

EXTREMES = (0, 1, 2, 3, 0x7F, 0xFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 2**32, 2**63 - 1, 2**63, 2**64 - 1)


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        result[rng.randrange(len(result))] ^= 1 << rng.randrange(8)
    return bytes(result)


def flip_header_bits(data: bytes, rng: random.Random) -> bytes:
    """Where the counts live: the first bytes of the file or of a section."""
    result = bytearray(data)
    start = rng.choice(_section_starts(data))
    result[min(start + rng.randrange(96), len(result) - 1)] ^= 1 << rng.randrange(8)
    return bytes(result)


def truncate(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.choice((rng.randrange(len(data)), rng.randrange(min(len(data), 200)), len(data) - 1))]


def extend(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.choice((1, 4, 12, 36, 100)))


def set_length(data: bytes, rng: random.Random) -> bytes:
    """A 32- or 64-bit field at a likely place becomes an extreme value."""
    form, size = rng.choice((("<I", 4), ("<Q", 8)))
    at = rng.choice(_section_starts(data)) + 4 * rng.randrange(24) - 12
    at = max(0, min(at, len(data) - size))
    value = rng.choice(EXTREMES) if rng.random() < 0.8 else struct.unpack_from(form, data, at)[0] + rng.choice((-1, 1))
    return data[:at] + struct.pack(form, value % 256**size) + data[at + size :]


def overwrite(data: bytes, rng: random.Random) -> bytes:
    at, size = rng.randrange(len(data)), rng.choice((1, 4, 8, 32, 64))
    block = rng.choice((b"\x00" * size, b"\xff" * size, rng.randbytes(size)))
    return data[:at] + block + data[at + size :]


def splice(data: bytes, rng: random.Random) -> bytes:
    """A piece of the file is cut out, doubled or moved."""
    start = rng.randrange(len(data))
    piece = data[start : start + rng.choice((1, 4, 12, 36, 64, 500))]
    rest = data[:start] + data[start + len(piece) :] if rng.random() < 0.7 else data
    at = rng.randrange(len(rest) + 1)
    return rest[:at] + rng.choice((b"", piece, piece + piece)) + rest[at:]


def shuffle_sections(data: bytes, rng: random.Random) -> bytes:
    """Whole sections change order, number or body, go missing or come twice."""
    sections = containers.split(data)
    i, j = rng.randrange(len(sections)), rng.randrange(len(sections))
    match rng.randrange(5):
        case 0:
            rng.shuffle(sections)
        case 1:
            del sections[i]
        case 2:
            sections.append(sections[i])
        case 3:
            sections[i] = (rng.choice((0, 4, 5, 11, sections[j][0])), sections[i][1])
        case 4:
            sections[i] = (sections[i][0], sections[j][1])
    return containers.join(data, sections)


def lie_in_a_section(data: bytes, rng: random.Random) -> bytes:
    """One section breaks, the container around it stays true, so that the reader of the section meets it."""
    sections = containers.split(data)
    index = rng.randrange(len(sections))
    number, body = sections[index]
    if body:
        kind = rng.choice((flip_bits, truncate, extend, overwrite, splice, _set_first_length))
        sections[index] = (number, kind(body, rng))
    return containers.join(data, sections)


def change_json(data: bytes, rng: random.Random) -> bytes:
    """One token of a JSON text becomes another."""
    tokens = (
        b"null",
        b"[]",
        b"{}",
        b"-1",
        b'"-1"',
        b'"0x1"',
        b'"1e3"',
        b"1e999",
        b"NaN",
        b"0" * 400,
        b'"' + b"9" * 130,
    )
    tokens += (b"[" * 2000, b'"\xff"', b'"\\ud800"', b"true", b'"1"', b"1.5", b'"plonk"', b"18446744073709551616")
    starts = [i for i, byte in enumerate(data) if byte in b'"[{:,0123456789']
    at = rng.choice(starts)
    return data[:at] + rng.choice(tokens) + data[at + rng.choice((0, 1, 10, 80)) :]


def _set_first_length(body: bytes, rng: random.Random) -> bytes:
    return struct.pack("<Q", rng.choice(EXTREMES))[: rng.choice((4, 8))] + body[4:]


def _section_starts(data: bytes) -> list[int]:
    starts = [0]
    at = 12
    for _, body in containers.split(data):
        starts.append(at + 12)
        at += 12 + len(body)
    return starts


ANY: tuple[Mutation, ...] = (flip_bits, truncate, extend, overwrite, splice)
BINARY: tuple[Mutation, ...] = (*ANY, flip_header_bits, set_length, shuffle_sections, lie_in_a_section)
JSON: tuple[Mutation, ...] = (*ANY, change_json)
