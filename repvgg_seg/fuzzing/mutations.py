"""Changes of bytes, text and values by chance; the same random numbers make the same change."""

import io
import math
import re
import zipfile
import zlib
from random import Random
from typing import Any

import numpy as np
import torch

_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
_PNG = b'\x89PNG\r\n\x1a\n'
_WORDS = re.compile(r'\w+')
_INSERTED = (
    *('(', ')', '[', ']', '{', '}', ',', '=', ':', '"', "'", '#', '\\', '\n', '    ', '\t', '\0', '\ufeff', '\u201c', '\u00e9', '*', '**'),
    *('None', 'true', 'lambda', '1e999', '-1', '0x', '1_0', 'dict(', '_delete_=True', 'type=', '{{fileDirname}}', '$', '%', '..', '/'),
)  # fmt: skip


def mutate_bytes(content: bytes, random: Random, other: bytes = b'') -> bytes:
    """Change a file in one to four ways: bits, bytes, cuts, repetitions, numbers in place of lengths, parts of another.

    Args:
        content: the file.
        random: draws the changes.
        other: a second file, of which parts are put in.
    """
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        _CHANGES[random.randrange(len(_CHANGES))](changed, random, other or content)
    return bytes(changed)


def _place(content: bytearray, random: Random) -> int:
    """A place in a file, often near its beginning or end, where the headers are."""
    size = len(content)
    where = random.random()
    if where < 0.35:
        return min(random.randrange(256), size)
    if where < 0.6:
        return max(size - random.randrange(512), 0)
    return random.randint(0, size)


def _flip_bits(content: bytearray, random: Random, other: bytes) -> None:
    for _ in range(random.choice((1, 1, 2, 8, 64))):
        if content:
            content[min(_place(content, random), len(content) - 1)] ^= 1 << random.randrange(8)


def _cut_short(content: bytearray, random: Random, other: bytes) -> None:
    del content[_place(content, random) :]


def _cut_out(content: bytearray, random: Random, other: bytes) -> None:
    start = _place(content, random)
    del content[start : start + random.choice((1, 2, 4, 16, 1000))]


def _insert(content: bytearray, random: Random, other: bytes) -> None:
    start = _place(content, random)
    content[start:start] = random.randbytes(random.choice((1, 2, 4, 16, 1000)))


def _repeat(content: bytearray, random: Random, other: bytes) -> None:
    start = _place(content, random)
    part = content[start : start + random.choice((1, 4, 64))]
    content[start:start] = part * random.choice((1, 2, 300))


def _splice(content: bytearray, random: Random, other: bytes) -> None:
    start, begin = _place(content, random), random.randrange(len(other)) if other else 0
    length = random.choice((4, 64, 4096))
    content[start : start + random.choice((0, length))] = other[begin : begin + length]


def _number(content: bytearray, random: Random, other: bytes) -> None:
    """Write an extreme number, as a length may be one."""
    start, width = _place(content, random), random.choice((1, 2, 4, 8))
    value = random.choice(_NUMBERS) & (256**width - 1)
    content[start : start + width] = value.to_bytes(width, random.choice(('little', 'big')))


_CHANGES = (_flip_bits, _cut_short, _cut_out, _insert, _repeat, _splice, _number)


def mutate_zip(content: bytes, random: Random) -> bytes:
    """Change one entry of a zip archive and write the archive anew, so that its sums are right."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(target, 'w') as written:
        names = archive.namelist()
        pickles = [name for name in names if name.endswith('.pkl')]
        chosen = random.choice(pickles if pickles and random.random() < 0.7 else names)
        for name in names:
            entry = archive.read(name)
            if name == chosen:
                if random.random() < 0.1:
                    continue
                entry = mutate_bytes(entry, random)
            written.writestr(name, entry, random.choice((zipfile.ZIP_STORED,) * 9 + (zipfile.ZIP_DEFLATED,)))
    return target.getvalue()


def mutate_png(content: bytes, random: Random) -> bytes:
    """Change the chunks of a PNG and put their sums right, so that the decoder gets to see the change."""
    chunks, place = [], len(_PNG)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], 'big')
        chunks.append([content[place + 4 : place + 8], content[place + 8 : place + 8 + length]])
        place += length + 12
    for _ in range(random.choice((1, 1, 2))):
        i = random.choice((0, random.randrange(len(chunks))))
        how = random.randrange(5)
        if how == 0:
            chunks.insert(i, list(chunks[random.randrange(len(chunks))]))
        elif how == 1 and len(chunks) > 1:
            del chunks[i]
        elif how == 2:
            chunks[i][0] = random.choice((b'IDAT', b'PLTE', b'tRNS', b'IEND', b'eXIf', b'iCCP', b'acTL', b'gAMA'))
        else:
            chunks[i][1] = mutate_bytes(chunks[i][1], random)
    parts = [
        len(data).to_bytes(4, 'big') + kind + data + zlib.crc32(kind + data).to_bytes(4, 'big') for kind, data in chunks
    ]
    return _PNG + b''.join(parts)


def mutate_text(text: str, random: Random, most: int = 4) -> str:
    """Change a text as somebody mistypes it, and further: letters, words, brackets, lines, depth."""
    for _ in range(random.randint(1, most)):
        how, at = random.randrange(9), random.randint(0, len(text))
        lines = text.splitlines(keepends=True) or ['']
        line = random.randrange(len(lines))
        if how == 0:
            text = text[:at] + text[at + random.choice((1, 1, 1, 5)) :]
        elif how == 1:
            text = text[:at] + random.choice(_INSERTED) + text[at:]
        elif how == 2:
            text = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
        elif how == 3:
            text = ''.join([*lines[:line], *lines[line + 1 :]])
        elif how == 4:
            text = ''.join([*lines[:line], lines[line], *lines[line:]])
        elif how == 5 and (words := list(_WORDS.finditer(text))):
            one, two = random.choice(words), random.choice(words)
            text = text[: one.start()] + two[0] + text[one.end() :]
        elif how == 6 and (numbers := list(re.finditer(r'\b\d+(\.\d+)?\b', text))):
            number = random.choice(numbers)
            text = (
                text[: number.start()]
                + random.choice(('-1', '0', '1e30', 'nan', "'1'", '9' * 30, 'None'))
                + text[number.end() :]
            )
        elif how == 7 and (quotes := list(re.finditer('[\'"]', text))):
            quote = random.choice(quotes)
            text = text[: quote.start()] + random.choice(('', '"', '\u2019', '`')) + text[quote.end() :]
        elif how == 8 and random.random() < 0.2:
            text = text[:at] + random.choice('([{-') * random.choice((3, 100, 3000)) + text[at:]
    return text


def mutate_values(value: Any, random: Random) -> Any:
    """A copy of a nest of dicts and tensors with one to three of its values, names or tensors changed."""
    value = _copied(value)
    for _ in range(random.randint(1, 3)):
        owner = random.choice(list(_dicts(value)))
        if not owner:
            continue
        key = random.choice(list(owner))
        how = random.randrange(4)
        if how == 0:
            owner[random.choice((0, None, '', 'state_dict', 'meta', f'{key}.', ('a',), 'module', '\ud800'))] = (
                owner.pop(key)
            )
        elif how == 1 and isinstance(owner[key], torch.Tensor):
            owner[key] = _other_tensor(owner[key], random)
        elif how == 2:
            del owner[key]
        else:
            owner[key] = random.choice(
                (
                    None,
                    'text',
                    b'bytes',
                    -1,
                    math.nan,
                    [],
                    (),
                    {},
                    owner,
                    [owner],
                    {0: 0},
                    np.float64(1),
                    torch.ones(()),
                    True,
                )
            )
    return value


def _copied(value: Any) -> Any:
    return {key: _copied(item) for key, item in value.items()} if isinstance(value, dict) else value


def _dicts(value: Any, depth: int = 6) -> Any:
    yield value
    for item in value.values() if depth else ():
        if isinstance(item, dict):
            yield from _dicts(item, depth - 1)


def _other_tensor(tensor: torch.Tensor, random: Random) -> torch.Tensor:
    """A tensor of other shape, kind of number or values."""
    changed: torch.Tensor = random.choice(
        (
            tensor.flatten,
            lambda: tensor.flatten()[:0],
            lambda: tensor[..., None],
            lambda: tensor.new_zeros(()).expand(random.choice(([10**4], [10**6, 10**6], [3, 3]))),
            tensor.half,
            tensor.bool,
            tensor.to_sparse,
            lambda: tensor.to(torch.complex64),
            lambda: tensor.to('meta'),
            lambda: tensor.to(torch.float8_e4m3fn),
            lambda: torch.full_like(tensor, random.choice((0, 1e30, math.nan, math.inf)), dtype=torch.float32),
            lambda: torch.nn.Parameter(tensor.float()),
            lambda: tensor.transpose(0, -1) if tensor.ndim else tensor,
            lambda: torch.cat([tensor.reshape(tensor.shape or (1,))] * 2),
        )
    )()
    return changed
