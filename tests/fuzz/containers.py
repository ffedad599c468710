"""The sections of a ``.r1cs``, ``.wtns`` or ``.zkey``, taken apart and put together for tests; believes its input."""

import struct

Sections = list[tuple[int, bytes]]


def split(data: bytes) -> Sections:
    """The sections in the order of the file."""
    (n_sections,) = struct.unpack_from("<I", data, 8)
    sections, at = [], 12
    for _ in range(n_sections):
        number, size = struct.unpack_from("<IQ", data, at)
        sections.append((number, data[at + 12 : at + 12 + size]))
        at += 12 + size
    return sections


def join(original: bytes, sections: Sections) -> bytes:
    """A file with the magic and version of ``original`` and these sections."""
    head = original[:8] + struct.pack("<I", len(sections))
    return head + b"".join(struct.pack("<IQ", number, len(body)) + body for number, body in sections)


def replace(data: bytes, number: int, body: bytes) -> bytes:
    """The file with another body in one section."""
    return join(data, [(n, body if n == number else old) for n, old in split(data)])


def section(data: bytes, number: int) -> bytes:
    return dict(split(data))[number]


def patch(data: bytes, number: int, offset: int, patch: bytes) -> bytes:
    """The file with some bytes of one section overwritten."""
    body = section(data, number)
    return replace(data, number, body[:offset] + patch + body[offset + len(patch) :])
