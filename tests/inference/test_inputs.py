"""What the inputs of the command line mean."""

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from repvgg_seg.errors import InputError
from repvgg_seg.inference.inputs import find_sources

PICTURE = Image.new('RGB', (8, 8))


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in (
        *('in/b.png', 'in/a.JPG', 'in/sub/c.webp', 'in/.hidden/x.png', 'in/.x.png', 'in/notes.txt', 'in/v.MP4'),
        *(
            'in/old/predictions.json',
            'in/old/overlay/a.jpg',
            'out/predictions.json',
            'out/overlay/z.png',
            'out/own.png',
            'a[1].png',
            'empty/x.txt',
            '7',
            'no ending',
        ),
    ):
        os.makedirs(os.path.dirname(name) or '.', exist_ok=True)
        if name in ('7', 'no ending') or name.endswith(('png', 'JPG')):
            PICTURE.save(name, format='png')
        else:
            Path(name).write_text('text')
    os.symlink('.', 'in/sub/loop')
    os.symlink('nowhere', 'in/dangling.png')
    return tmp_path


@pytest.mark.parametrize(
    'words, found',
    [
        (['in/b.png'], ['in/b.png']),
        (
            ['in'],
            ['in/a.JPG', 'in/b.png', 'in/dangling.png', 'video in/v.MP4', 'in/sub/c.webp'],
        ),
        (['in/'], ['in/a.JPG', 'in/b.png', 'in/dangling.png', 'video in/v.MP4', 'in/sub/c.webp']),
        (['in/*.png'], ['in/b.png', 'in/dangling.png']),
        (['**/c.*'], ['in/sub/c.webp']),
        (['a[1].png'], ['a[1].png']),  # a file of this very name, which is also a pattern
        (['in/b.png', './in/b.png', 'in/../in/b.png'], ['in/b.png']),
        (['in/b.png', 'in'], ['in/b.png', 'in/a.JPG', 'in/dangling.png', 'video in/v.MP4', 'in/sub/c.webp']),
        (['0', '0', '/dev/video1', 'rtsp://host/path'], ['camera 0', 'camera /dev/video1', 'camera rtsp://host/path']),
        (['7', 'no ending'], ['7', 'no ending']),  # files, by their names and by what is in them
        (
            ['.'],
            ['a[1].png', 'in/a.JPG', 'in/b.png', 'in/dangling.png', 'video in/v.MP4', 'in/sub/c.webp', 'out/own.png'],
        ),
        (['out'], ['out/own.png']),
    ],
)
def test_what_words_name(place, words, found):
    sources = find_sources(words, str(place))
    said = [source.path.removeprefix('./') for source in sources]
    kinds = ['' if source.kind == 'image' else f'{source.kind} ' for source in sources]
    assert [kind + path for kind, path in zip(kinds, said, strict=True)] == found


@pytest.mark.parametrize(
    'word, said',
    [
        ('in/bb.png', 'no such file or folder: in/bb.png; the closest are b.png'),
        ('nowhere/b.png', 'its folder does not exist'),
        ('empty', 'holds no images and no videos'),
        ('*.gif', 'nothing matches'),
        ('e*', 'only folders match'),
        ('', 'without a name'),
        ('  ', 'without a name'),
        ('a\0b', 'no such file'),
        ('x' * 5000, 'no such file'),
    ],
)
def test_words_that_name_nothing(place, word, said):
    with pytest.raises(InputError, match=said.replace('(', r'\(')):
        find_sources([word], str(place))


@pytest.mark.parametrize(
    'content, found',
    [
        (b'in/b.png\nno such.png\n\n', [('image', 'in/b.png', False), ('image', 'no such.png', False)]),
        (b'in/b.png\0in/v.MP4\0', [('image', 'in/b.png', False), ('video', 'in/v.MP4', False)]),
        ('picture', [('image', 'standard_input', True)]),
        (b'\0\x01 no image', [('video', 'standard_input', True)]),
    ],
)
def test_standard_input(place, monkeypatch, content, found):
    if content == 'picture':
        content = (place / 'in/b.png').read_bytes()
    monkeypatch.setattr(sys, 'stdin', SimpleNamespace(buffer=io.BytesIO(content), isatty=lambda: False))
    scratch = place / 'scratch'
    scratch.mkdir()
    sources = find_sources(['-'], str(scratch))
    assert [(s.kind, s.path.removeprefix(f'{scratch}/'), s.piped) for s in sources] == found


@pytest.mark.parametrize('terminal, said', [(True, 'a terminal'), (False, 'empty')])
def test_standard_input_without_anything(tmp_path, monkeypatch, terminal, said):
    monkeypatch.setattr(sys, 'stdin', SimpleNamespace(buffer=io.BytesIO(), isatty=lambda: terminal))
    with pytest.raises(InputError, match=said):
        find_sources(['-'], str(tmp_path))
