"""Links one clang object into a loadable sBPF v3 program.

No common linker makes such a file. The result is ELF64, ET_DYN, machine 247, flags 3, without sections: read-only
data at address 0 (its first 8 bytes are padding, so that nothing sits at NULL) and code at 2^32, every address fixed
here.
What the virtual machine would reject, or run with another meaning, is refused with its place and the remedy.

Sources: SIMD-0178 (static syscalls), SIMD-0189 (stricter ELF headers), LLVM's BPF relocations
(docs/BPFTargetReference). Cost: linear in the object.
"""

import struct
from dataclasses import dataclass

from proofgrid.errors import MalformedInput

CODE_ADDRESS = 1 << 32
FRAME_SIZE = 4096
_FRAME_TOO_LARGE = f"a stack frame over {FRAME_SIZE} bytes: use smaller locals or split the function"
_HEADERS_SIZE = 64 + 2 * 56
_NULL_PADDING = 8
_MAX_PROGRAM = 10 << 20  # no account holds more

_SYMTAB, _NOBITS, _REL = 2, 8, 9  # section types
_WRITE, _ALLOC, _EXEC = 1, 2, 4  # section flags
_UNDEFINED, _COMMON = 0, 0xFFF2  # symbol sections
_R_64_64, _R_ABS64, _R_64_32 = 1, 2, 10

_LDDW, _CALL, _MOV_REGISTER, _ADD_IMMEDIATE = 0x18, 0x85, 0xBF, 0x07
_ARITHMETIC = (0x07, 0x17, 0x27, 0x37, 0x47, 0x57, 0x67, 0x77, 0x97, 0xA7, 0xB7, 0xC7)  # immediate forms, 64 bits
_JUMPS = (0x15, 0x25, 0x35, 0x45, 0x55, 0x65, 0x75, 0xA5, 0xB5, 0xC5, 0xD5)
_MEMORY = tuple(mode | size for mode in (0x61, 0x62, 0x63) for size in (0x00, 0x08, 0x10, 0x18))
_ALONE = (0x87, 0x05, _LDDW, _CALL, 0x8D, 0x95, 0xDC)  # neg, ja, lddw, call, callx, exit, be
_ALLOWED = frozenset([op | form for op in (*_ARITHMETIC, *_JUMPS) for form in (0, 8)] + [*_MEMORY, *_ALONE])

_SYSCALL_NAMES = (
    "abort sol_panic_ sol_log_ sol_log_64_ sol_log_data sol_memcpy_ sol_memmove_ sol_memset_ sol_memcmp_ sol_sha256 "
    "sol_keccak256 sol_blake3 sol_poseidon sol_alt_bn128_group_op sol_alt_bn128_compression sol_big_mod_exp "
    "sol_create_program_address sol_try_find_program_address sol_invoke_signed_c sol_set_return_data "
    "sol_get_return_data sol_get_clock_sysvar sol_get_rent_sysvar sol_get_epoch_schedule_sysvar sol_get_sysvar "
    "sol_get_stack_height sol_get_processed_sibling_instruction sol_remaining_compute_units"
)
SYSCALLS = frozenset(_SYSCALL_NAMES.split())


class LinkRefused(MalformedInput):
    """The object cannot become an sBPF v3 program; the message says where and what to change."""


@dataclass
class _Section:
    name: str
    kind: int
    flags: int
    data: bytearray
    link: int
    info: int
    align: int
    address: int = 0

    @property
    def is_code(self) -> bool:
        return bool(self.flags & _EXEC)


@dataclass(frozen=True)
class _Symbol:
    name: str
    section: int
    value: int


def link(obj: bytes, entry: str = "entrypoint") -> bytes:
    """The program's bytes. Raises LinkRefused."""
    try:
        return _link(obj, entry)
    except (struct.error, IndexError, ValueError, OverflowError) as error:  # offsets and indices that lead nowhere
        raise LinkRefused(f"the object file is cut short or damaged: {error}") from None


def _link(obj: bytes, entry: str) -> bytes:
    sections = _sections(obj)
    loaded = [section for section in sections if section.flags & _ALLOC and section.data]
    _refuse_writable(sections)
    symbols = _symbols(sections)

    rodata_size, code_size = _NULL_PADDING, 0
    for section in loaded:
        if section.is_code:
            section.address = CODE_ADDRESS + code_size
            code_size += len(section.data)
        else:
            rodata_size = -(-rodata_size // max(section.align, 1)) * max(section.align, 1)
            section.address = rodata_size
            rodata_size += len(section.data)
        if rodata_size + code_size > _MAX_PROGRAM:
            raise LinkRefused(f"{section.name} brings the program to more than the {_MAX_PROGRAM} bytes of an account")
    rodata_size = -(-rodata_size // 8) * 8

    for section in sections:
        if section.kind == _REL and sections[section.info].flags & _ALLOC:
            _relocate(sections[section.info], section.data, sections, symbols)
    for section in loaded:
        if section.is_code:
            _check_code(section, code_size)

    rodata, code = bytearray(rodata_size), bytearray()
    for section in loaded:
        if section.is_code:
            code += section.data
        else:
            rodata[section.address : section.address + len(section.data)] = section.data
    starts = [s for s in symbols if s.name == entry and s.section != _UNDEFINED and sections[s.section].is_code]
    if not starts:
        raise LinkRefused(f"no function called {entry}: define it and do not make it static")
    return _image(bytes(rodata), bytes(code), sections[starts[0].section].address + starts[0].value)


def _sections(obj: bytes) -> list[_Section]:
    magic, kind, machine, _, _, _, offset = struct.unpack_from("<16sHHIQQQ", obj)
    entry_size, count, names_index = struct.unpack_from("<HHH", obj, 58)
    if magic[:6] != b"\x7fELF\x02\x01" or (kind, machine, entry_size) != (1, 247, 64):
        raise LinkRefused("not a relocatable little-endian BPF object: compile with -target bpfel -c")
    heads = [struct.unpack_from("<IIQQQQIIQQ", obj, offset + 64 * i) for i in range(count)]
    names_at, names_size = heads[names_index][4:6]
    names = obj[names_at : names_at + names_size]
    sections: list[_Section] = []
    total = 0
    for name, kind, flags, _, at, size, link_index, info, align, _ in heads:
        total += size
        if max(total, align) > _MAX_PROGRAM or (kind != _NOBITS and at + size > len(obj)):
            raise LinkRefused(f"section {len(sections)} reaches beyond the object file or what an account holds")
        data = bytearray(size) if kind == _NOBITS else bytearray(obj[at : at + size])
        sections.append(_Section(_text(names, name), kind, flags, data, link_index, info, align))
    return sections


def _text(table: bytes | bytearray, at: int) -> str:
    return bytes(table[at : table.index(0, at)]).decode()


def _refuse_writable(sections: list[_Section]) -> None:
    for section in sections:
        if not section.flags & _ALLOC or not section.data:
            continue
        if section.kind == _NOBITS:
            raise LinkRefused(f"{section.name} holds zero-initialised globals: a program has none, make them const")
        if section.flags & _WRITE and not section.name.startswith(".data.rel.ro"):
            raise LinkRefused(f"{section.name} holds writable globals: a program has none, make them const")
        if section.is_code and len(section.data) % 8:
            raise LinkRefused(f"{section.name} is not a whole number of instructions")


def _symbols(sections: list[_Section]) -> list[_Symbol]:
    table = next((section for section in sections if section.kind == _SYMTAB), None)
    if table is None:
        raise LinkRefused("the object has no symbol table")
    names, symbols = sections[table.link].data, []
    for name, _, _, index, value, size in struct.iter_unpack("<IBBHQQ", table.data):
        symbol = _Symbol(_text(names, name), index, value)
        if index == _COMMON:
            raise LinkRefused(f"{symbol.name} is a zero-initialised global of {size} bytes: make it const")
        symbols.append(symbol)
    return symbols


def _relocate(target: _Section, entries: bytearray, sections: list[_Section], symbols: list[_Symbol]) -> None:
    for offset, info in struct.iter_unpack("<QQ", entries):
        symbol, kind = symbols[info >> 32], info & 0xFFFFFFFF
        place = f"{target.name}+{offset:#x}"
        if symbol.section == _UNDEFINED:
            if kind != _R_64_32 or symbol.name not in SYSCALLS:
                raise LinkRefused(f"{place}: {symbol.name} is undefined and no syscall of that name is known")
            struct.pack_into("<BBhI", target.data, offset, _CALL, 0, 0, murmur3_32(symbol.name.encode()))
            continue
        home = sections[symbol.section]
        if kind == _R_64_64:
            low, high = (struct.unpack_from("<I", target.data, offset + at)[0] for at in (4, 12))
            address = home.address + symbol.value + (high << 32 | low)
            struct.pack_into("<I", target.data, offset + 4, address & 0xFFFFFFFF)
            struct.pack_into("<I", target.data, offset + 12, address >> 32)
        elif kind == _R_ABS64:
            (addend,) = struct.unpack_from("<Q", target.data, offset)
            struct.pack_into("<Q", target.data, offset, home.address + symbol.value + addend)
        elif kind == _R_64_32 and home.is_code:
            (addend,) = struct.unpack_from("<i", target.data, offset + 4)
            callee = home.address + symbol.value + 8 * (addend + 1)
            distance = (callee - target.address - offset) // 8 - 1
            struct.pack_into("<BBhi", target.data, offset, _CALL, 0x10, 0, distance)
        else:
            raise LinkRefused(f"{place}: relocation type {kind} against {symbol.name or home.name} is not supported")


def _check_code(section: _Section, code_size: int) -> None:
    frame: dict[int, int] = {}  # registers that hold an address in this frame, as an offset from r10
    skip = False
    for index, (op, registers, offset, immediate) in enumerate(struct.iter_unpack("<BBhi", section.data)):
        if skip:
            skip = False
            continue
        place = f"{section.name}+{8 * index:#x}"
        destination, source = registers & 15, registers >> 4
        _check_opcode(op, offset, place)
        if op == _CALL and source == 1:
            callee = section.address - CODE_ADDRESS + 8 * (index + 1 + immediate)
            if not 0 <= callee < code_size:
                raise LinkRefused(f"{place}: the call leaves the program")
        base = {1: source, 2: destination, 3: destination}.get(op & 7) if op in _MEMORY else None
        reach = 0 if base == 10 else frame.get(base) if base is not None else None
        if reach is not None and reach + offset < -FRAME_SIZE:
            raise LinkRefused(
                f"{place}: a stack frame over {FRAME_SIZE} bytes: use smaller locals or split the function"
            )
        if op == _MOV_REGISTER and source == 10:
            frame[destination] = 0
        elif op == _ADD_IMMEDIATE and destination in frame:
            frame[destination] += immediate
            if frame[destination] < -FRAME_SIZE:
                raise LinkRefused(f"{place}: {_FRAME_TOO_LARGE}")
        elif op & 7 in (0, 1, 4, 7):  # any other write to the register
            frame.pop(destination, None)
        elif op in (_CALL, 0x8D, 0x95):
            frame = {} if op == 0x95 else {r: at for r, at in frame.items() if r > 5}
        skip = op == _LDDW


def _check_opcode(op: int, offset: int, place: str) -> None:
    if op in _ALLOWED and not (op & 7 == 7 and offset):
        return
    if op & 7 == 6:
        raise LinkRefused(f"{place}: a 32-bit jump (opcode {op:#04x}): compile with -mcpu=v2")
    if op & 7 == 4:
        raise LinkRefused(f"{place}: 32-bit arithmetic (opcode {op:#04x}) means something else on sBPF: use -mcpu=v2")
    if op & 0xE7 == 0xC3:
        raise LinkRefused(f"{place}: an atomic operation (opcode {op:#04x}): a program runs alone, use plain stores")
    raise LinkRefused(f"{place}: opcode {op:#04x} is not one of sBPF v3: compile with -mcpu=v2")


def _image(rodata: bytes, code: bytes, entry: int) -> bytes:
    header = struct.pack("<16sHHIQQQ", b"\x7fELF\x02\x01\x01", 3, 247, 1, entry, 64, 0)
    header += struct.pack("<IHHHHHH", 3, 64, 56, 2, 64, 0, 0)
    segments = b""
    for flags, at, address, size in (
        (4, _HEADERS_SIZE, 0, len(rodata)),
        (1, _HEADERS_SIZE + len(rodata), CODE_ADDRESS, len(code)),
    ):
        segments += struct.pack("<IIQQQQQQ", 1, flags, at, address, address, size, size, 8)
    return header + segments + rodata + code


def murmur3_32(data: bytes) -> int:
    """MurmurHash3, 32 bits, seed 0: how sBPF names a syscall."""
    state, mask = 0, 0xFFFFFFFF
    for start in range(0, len(data), 4):
        block = data[start : start + 4]
        k = int.from_bytes(block, "little") * 0xCC9E2D51 & mask
        k = ((k << 15 | k >> 17) & mask) * 0x1B873593 & mask
        state ^= k
        if len(block) == 4:
            state = ((state << 13 | state >> 19) * 5 + 0xE6546B64) & mask
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & mask
    state = (state ^ state >> 13) * 0xC2B2AE35 & mask
    return state ^ state >> 16
