"""What can be taken away from the program, one mutant each.

A removed check is still computed, so that what it fills in or reads stays filled in and read; only its answer is not
heeded. A call whose refusals are all the runtime's (a failed call of another program ends the transaction by itself) is
not mutated.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tests.settlement.mutants.source import Program, arguments, matching, operands, trimmed

LAYOUT = "layout.h"
NEUTRAL = {"&&": "1", "||": "0"}
OTHER_BOUND = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
WRAPPING = {"add_amount": "+=", "take_amount": "-="}
_TABLE = re.compile(r"static const account_rule (\w+)_ACCOUNTS\[\d+\] = \{")
_SHAPE = re.compile(r"#define (\w+) \w+_ACCOUNTS, \d+, sizeof\(\w+\), (0)")
_EFFECT = re.compile(
    r"\n +((?:(?:\w+|\(\(\w+ \*\)\w+->data\))->\w+ [+-]?= "
    r"|(?:copy_words|close_account|set_leaf_state|sol_set_return_data|sol_memcpy_)\()[^;]+;)"
)


@dataclass(frozen=True)
class Mutant:
    """Characters ``[start, end)`` of a file become ``replacement``; ``subject`` is what they say, on one line."""

    file: str
    where: str  # a function, or an instruction's name in the table of its accounts
    kind: str
    subject: str
    start: int
    end: int
    replacement: str
    instructions: frozenset[str]

    @property
    def name(self) -> str:
        """The same as long as the check's text is; unique after :func:`catalogue`."""
        return f"{self.where}: {self.kind}: {self.subject}"


def catalogue(program: Program) -> list[Mutant]:
    """Every mutant, in the order of the sources; names that would be equal are numbered."""
    found = sorted(_all(program), key=lambda one: (one.file, one.start, one.end, one.kind))
    seen: Counter[str] = Counter()
    numbered = []
    for one in found:
        seen[one.name] += 1
        again = f" ({seen[one.name]})" if seen[one.name] > 1 else ""
        numbered.append(Mutant(**{**vars(one), "subject": one.subject + again}))
    return numbered


def _all(program: Program) -> Iterator[Mutant]:
    yield from _rules(program)
    for function in program.functions:
        reach = frozenset(program.instructions_through(function.name))
        code, seen = program.code[function.file], set()
        for kind, subject, start, end, replacement in _edits(program, code, function.start, function.end):
            if reach and (start, end, replacement) not in seen:
                seen.add((start, end, replacement))
                line = " ".join(code[subject[0] : subject[1]].split())
                yield Mutant(function.file, function.name, kind, line, start, end, replacement, reach)


Edit = tuple[str, tuple[int, int], int, int, str]


def _edits(program: Program, code: str, start: int, end: int) -> Iterator[Edit]:
    body = slice(start, end)
    for match in re.finditer(r"\bREQUIRE\(", code[body]):
        at, opening = start + match.start(), start + match.end() - 1
        condition = (opening + 1, arguments(code, opening)[-2][1])
        yield (
            "removed",
            (at, matching(code, opening)),
            at,
            matching(code, opening),
            f"(void)({code[slice(*condition)]})",
        )
    for match in re.finditer(r"\bTRY\(", code[body]):
        at, opening = start + match.start(), start + match.end() - 1
        yield from _ignored(program, code, at, arguments(code, opening)[0], matching(code, opening), "{}")
    for match in re.finditer(r"(?<!: )\breturn (?=[a-z_]\w*\()", code[body]):
        stop = code.index(";", start + match.end())
        call = (start + match.end(), stop)
        yield from _ignored(program, code, start + match.start(), call, stop + 1, "{{ {}; return 0; }}")
    for match in re.finditer(r"\breturn ([^;]+?) \? 0 : [^;]+;", code[body]):
        at, stop = start + match.start(), start + match.end()
        yield "removed", (at, stop), at, stop, f"{{ (void)({match[1]}); return 0; }}"
    for match in re.finditer(r"\breturn (?:ERROR_\w+|refusal);", code[body]):
        at, stop = start + match.start(), start + match.end()
        yield "removed", (at, stop), at, stop, "return 0;"
    for match in re.finditer(r"\bif \(", code[body]):
        opening = start + match.end() - 1
        stop = matching(code, opening)
        for forced, kind in (("0", "taken for false"), ("1", "taken for true")):
            yield kind, (start + match.start(), stop), opening + 1, stop - 1, forced
    for match in _EFFECT.finditer(code, start, end):
        yield "left out", match.span(1), *match.span(1), ";"
    for operator, first, last in operands(code, start, end):
        yield f"dropped from {operator}", (first, last), first, last, NEUTRAL[operator]
    for match in re.finditer(r" (<=|>=|<|>) ", code[body]):
        at = start + match.start() + 1
        if "for (" not in code[code.rindex("\n", 0, at) : at]:
            around = _comparison(code, at)
            yield f"{match[1]} made {OTHER_BOUND[match[1]]}", around, at, at + len(match[1]), OTHER_BOUND[match[1]]


def _ignored(program: Program, code: str, at: int, call: tuple[int, int], stop: int, form: str) -> Iterator[Edit]:
    """A refusal is not passed on; amounts wrap instead."""
    text = code[slice(*call)]
    called = re.findall(r"\b([a-z_]\w*)\(", text)
    name = called[0] if called else ""
    if text.startswith(tuple(WRAPPING)) and name in WRAPPING:
        total, amount = (code[slice(*one)] for one in arguments(code, call[0] + len(name)))
        yield "wrapping", (at, stop), at, stop, form.format(f"*({total}) {WRAPPING[name]} ({amount})")
    elif any(one in program.refusing for one in called):
        yield "refusal ignored", (at, stop), at, stop, form.format(f"(void)({text})")


def _comparison(code: str, at: int) -> tuple[int, int]:
    """The line around an operator, or what of it stands between the nearest separators."""
    first, last = code.rindex("\n", 0, at) + 1, code.index("\n", at)
    return trimmed(code, first, last)


def _rules(program: Program) -> Iterator[Mutant]:
    """The accounts' table, declared in settlement/layout."""
    code = program.code[LAYOUT]
    for table in _TABLE.finditer(code):
        name = table[1].lower()
        for index, (start, end) in enumerate(arguments(code, table.end() - 1)):
            flags, kind = code[start + 1 : end - 1].split(", ")
            use = _name_of(code, table[1], index)
            found = [(f"{what} dropped", f"{{{int(flags) & ~bit}, {kind}}}") for bit, what in _flags(int(flags))]
            found += [(f"{kind} made TYPE_ANY", f"{{{flags}, TYPE_ANY}}")] * (kind != "TYPE_ANY")
            for change, rule in found:
                yield Mutant(LAYOUT, name, change, use, start, end, rule, frozenset({name}))
    for shape in _SHAPE.finditer(code):
        name = shape[1].lower()
        at = (shape.start(2), shape.end(2))
        yield Mutant(LAYOUT, name, "more data allowed", "arguments", *at, "1", frozenset({name}))


def _flags(flags: int) -> list[tuple[int, str]]:
    return [(bit, what) for bit, what in ((1, "SIGNER"), (2, "WRITABLE")) if flags & bit]


def _name_of(code: str, instruction: str, index: int) -> str:
    found = re.search(rf"\b{instruction}_(\w+) = {index}\b", code)
    return found[1].lower() if found else str(index)
