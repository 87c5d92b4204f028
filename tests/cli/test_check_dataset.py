"""tools/check_dataset.py: each way in which masks and folders are usually wrong is found and named."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from repvgg_seg.cli import check_dataset

TOOL = Path(__file__).resolve().parents[2] / 'tools' / 'check_dataset.py'
H, W = 24, 32
THREE = ['sky', 'road', 'car']
COLOURS = dict(sky=(70, 130, 180), road=(128, 64, 128), car=(0, 0, 142))
VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]  # the first colours of PASCAL VOC


def classes_in(i):
    """A label of the classes 0, 1 and 2 in blocks."""
    label = np.zeros((H, W), np.uint8)
    label[8 + i % 4 :, :] = 1
    label[12:20, 8:20] = 2
    return label


def coloured(label, colours):
    return np.array(list(colours), np.uint8)[label]


def as_png(change):
    """A writer of masks: what `change` makes of the classes, as PNG."""
    return lambda path, label: Image.fromarray(change(label)).save(path.with_suffix('.png'))


def as_jpeg(change):
    return lambda path, label: Image.fromarray(change(label)).save(path.with_suffix('.jpg'), quality=70)


def as_palette(indices, colours):
    """A writer of palette images: classes stored under other indices, with colours for these."""

    def write(path, label):
        image = Image.fromarray(np.array(indices, np.uint8)[label], mode='P')
        palette = np.zeros((256, 3), np.uint8)
        palette[indices] = list(colours)
        image.putpalette(palette.tobytes())
        image.save(path.with_suffix('.png'))

    return write


def smooth(label):
    """The colours of the classes, with soft edges."""
    large = cv2.resize(coloured(label, COLOURS.values()), (2 * W, 2 * H), interpolation=cv2.INTER_NEAREST)
    return cv2.resize(cv2.GaussianBlur(large, (3, 3), 0), (W, H), interpolation=cv2.INTER_AREA)


def in_alpha(label):
    return np.dstack([np.zeros((H, W, 3), np.uint8), (label > 0).astype(np.uint8) * 255])


def plus(number, values=(0, 1, 2)):
    return lambda label: np.array(values, np.int32)[label].astype(np.uint8 if max(values) < 256 else np.uint16) + number


PLAIN = as_png(plus(0))
GREY = [round(0.299 * r + 0.587 * g + 0.114 * b) for r, g, b in VOC[1:]]


@pytest.fixture
def make(tmp_path):
    """Write a data set of `number` images with masks, and a config; returns the config's path."""

    def make(write=PLAIN, kind='FolderDataset', number=4, **options):
        generator = np.random.default_rng(0)
        for name in ('train', 'val'):
            for part in ('images', 'masks'):
                (tmp_path / 'data' / part / name).mkdir(parents=True, exist_ok=True)
            for i in range(number):
                noise = generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)
                image = Image.fromarray(noise).resize((W, H))
                image.save(tmp_path / 'data' / 'images' / name / f'{name}{i}.png')
                write(tmp_path / 'data' / 'masks' / name / f'{name}{i}.x', classes_in(i))
        return config(kind, **options)

    def config(kind='FolderDataset', names=('train', 'val'), **options):
        text = ["custom_imports = dict(imports=['repvgg_seg'])", "default_scope = 'mmseg'"]
        text.append(
            f"model = dict(type='EncoderDecoder', decode_head=dict(num_classes={options.pop('num_classes', None)}))"
        )
        for name in names:
            own = dict(type=kind, data_root=str(tmp_path / 'data'), **options)
            own['pipeline'] = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations')]
            if kind == 'FolderDataset':
                own['split'] = name
                own.setdefault('classes', THREE)
            else:
                own['data_prefix'] = dict(img_path=f'images/{name}', seg_map_path=f'masks/{name}')
                own.setdefault('metainfo', dict(classes=THREE, palette=[list(c) for c in COLOURS.values()]))
                own.setdefault('img_suffix', '.png')
            text.append(f'{name}_dataloader = dict(batch_size=1, sampler=dict(type="DefaultSampler"), dataset={own!r})')
        (tmp_path / 'config.py').write_text('\n'.join(text), encoding='utf-8')
        return tmp_path / 'config.py'

    make.config = config
    return make


@pytest.fixture
def check(run, tmp_path, monkeypatch):
    """Check a config in this process, without what takes the most time, the picture and the environment; returns status and output."""
    for slow in ('plot_class_frequencies', 'write_record'):
        monkeypatch.setattr(check_dataset, slow, lambda path, *_, **__: Path(path).write_text(''))

    def check(path, *options):
        status, out, err = run(path, '--workers', 0, '--out-dir', tmp_path / 'out', *options)
        return status, ' '.join(out.split()) + err

    return check


NINETEEN = [f'class {i}' for i in range(19)]
BASE = dict(kind='CheckedSegDataset')
WRONG = {
    # name: what writes the masks, options of the data set, what is said
    'raw Cityscapes ids': (plus(0, (23, 7, 26)), dict(classes=NINETEEN), 'raw Cityscapes label ids'),
    'Cityscapes instances': (plus(0, (23, 7, 26001)), dict(classes=NINETEEN), 'Cityscapes instance ids'),
    'counted from 1': (plus(1), {}, 'an off-by-one: the masks count the classes from 1 to 3'),
    'counted from 1, the last absent': (plus(0, (1, 2, 2)), {}, 'an off-by-one'),
    'reduced where 0 is a class': (
        plus(0),
        dict(reduce_zero_label=True),
        'an off-by-one: reduce_zero_label=True ignores 0',
    ),
    'colours': (
        lambda x: coloured(x, COLOURS.values()),
        {},
        'RGB labels: the masks hold colours and not class numbers',
    ),
    'colours of mmseg': (lambda x: coloured(x, COLOURS.values()), BASE, 'RGB labels'),
    '0 and 255': (
        lambda x: (x > 0).astype(np.uint8) * 255,
        dict(BASE, metainfo=dict(classes=THREE[:2])),
        '0/255 masks',
    ),
    '0 and 255 under three classes': (
        lambda x: (x > 0).astype(np.uint8) * 255,
        {},
        '0/255 masks: 255 stands for the second',
    ),
    '0 and 65535': (lambda x: (x > 0).astype(np.uint16) * 65535, {}, '0/65535 masks'),
    '255 missing': (plus(0, (0, 1, 3)), {}, '255 missing: ignored pixels seem to be stored as 3'),
    '255 missing, 254': (plus(0, (0, 1, 254)), {}, '255 missing: ignored pixels seem to be stored as 254'),
    'background not named': (plus(0, (0, 2, 3)), {}, 'or a background class that is not named'),
    'stretched': (plus(0, (0, 127, 254)), {}, 'numbers stretched for viewing'),
    'grey RGB': (lambda x: np.dstack([x] * 3), BASE, 'one channel stored as three equal ones'),
    'soft edges': (smooth, dict(classes=COLOURS), 'anti-aliased masks'),
    'grey of a palette': (plus(0, GREY), {}, 'palette colours turned into grey'),
    'alpha': (in_alpha, {}, 'transparent masks'),
    '16 bit': (plus(0, (0, 300, 4000)), {}, 'masks of 16 bits with numbers up to 4000'),
    'other numbers': (plus(0, (0, 41, 97)), {}, 'numbers that are no class (41, 97)'),
    'colours that are not named': (
        lambda x: coloured(x, VOC[:3]),
        dict(classes=dict(sky=VOC[0], road=VOC[1], car=(1, 1, 9))),
        'colours of no class: name them',
    ),
}
WRITERS = {
    'JPEG colours': (as_jpeg(lambda x: coloured(x, COLOURS.values())), dict(classes=COLOURS), 'JPEG-compressed masks'),
    'JPEG numbers': (
        as_jpeg(plus(0, (0, 120, 240))),
        dict(classes=dict(sky=0, road=120, car=240)),
        'JPEG-compressed masks',
    ),
    'palette index': (
        as_palette([7, 9, 12], COLOURS.values()),
        dict(masks='numbers', classes=COLOURS),
        'palette index against colours',
    ),
}


@pytest.mark.parametrize('case', [*WRONG, *WRITERS])
def test_each_usual_cause_is_named(make, check, case):
    change, options, said = WRONG.get(case) or WRITERS[case]
    status, out = check(make(change if case in WRITERS else as_png(change), number=2, names=['train'], **options))
    assert status == 1 and f'usual cause: {said}' in out, out


RIGHT = {
    'numbers': (as_png(plus(0)), {}),
    'numbers from 1': (as_png(plus(1)), dict(reduce_zero_label=True)),
    'a table of numbers': (as_png(plus(0, (7, 200, 23))), dict(classes=dict(sky=7, road=200, car=23))),
    'numbers of 16 bits': (as_png(plus(0, (0, 300, 65535))), dict(classes=dict(sky=0, road=300, car=65535))),
    'a table of colours': (as_png(lambda x: coloured(x, COLOURS.values())), dict(classes=COLOURS)),
    'a palette': (as_palette([0, 1, 2], COLOURS.values()), {}),
    'a palette by its colours': (as_palette([7, 9, 12], COLOURS.values()), dict(classes=COLOURS)),
    'equal channels': (as_png(lambda x: np.dstack([x] * 3)), {}),
    'JPEG': (as_jpeg(lambda x: coloured(x, COLOURS.values())), dict(classes=COLOURS, others='nearest')),
    'soft edges': (as_png(smooth), dict(classes=COLOURS, others='nearest')),
    'another ignored number': (as_png(plus(0, (0, 1, 2))), dict(classes=['sky', 'road'], ignored=2)),
    'another ignored colour': (
        as_png(lambda x: coloured(x, COLOURS.values())),
        dict(classes={name: COLOURS[name] for name in THREE[:2]}, ignored=[COLOURS['car']]),
    ),
    '0 and 255': (as_png(lambda x: (x > 0).astype(np.uint8) * 255), dict(classes=['sky', 'road'])),
    '0 and 1 bit': (as_png(lambda x: x > 0), dict(classes=['sky', 'road'])),
}


@pytest.mark.parametrize('case', RIGHT)
def test_nothing_is_wrong(make, check, case):
    write, options = RIGHT[case]
    status, out = check(make(write, number=2, names=['train'], **options))
    assert status == 0 and 'nothing is wrong' in out, out


def test_files_and_splits(make, check, tmp_path):
    """Everything that can be wrong with files at once; the list that is written leaves the bad ones out."""
    config = make(number=12)
    data = tmp_path / 'data'
    (data / 'images/train/train0.png').write_bytes(b'')
    (data / 'masks/train/train1.png').unlink()
    Image.fromarray(classes_in(0)[:-4]).save(data / 'masks/train/train2.png')
    content = (data / 'masks/train/train3.png').read_bytes()
    (data / 'masks/train/train3.png').write_bytes(content[: len(content) // 2])
    shutil.copy(data / 'images/val/val0.png', data / 'images/train/train4.png')
    Image.open(data / 'images/val/val1.png').save(data / 'images/train/again.jpg', quality=90)
    shutil.copy(data / 'masks/val/val1.png', data / 'masks/train/again.png')
    Image.fromarray(np.full((H, W), 255, np.uint8)).save(data / 'masks/train/train5.png')
    status, out = check(config)
    assert status == 1
    for said in (
        '1 of 13 images that cannot be read',
        '1 of 13 images without a label',
        '1 of 13 labels of another size',
        'the label is 20x32, the image 24x32',
        '1 of 13 labels that cannot be read',
        'the same image is in val: 1 images',
        'almost the same image (other compression or size) is in val: 1 images',
        '1 empty labels',
    ):
        assert said in out, (said, out)
    lines = (tmp_path / 'out/bad_files.txt').read_text().splitlines()
    assert [line.split('\t')[0] for line in lines] == [
        'images/train/again.jpg',
        *(f'images/train/train{i}.png' for i in range(5)),
    ]
    Image.fromarray(classes_in(5)).save(data / 'masks/train/train5.png')
    skipping = make.config(skip_list=str(tmp_path / 'out/bad_files.txt'))
    for _ in range(2):  # the list in use is kept
        status, out = check(skipping)
        assert status == 0 and '7 images, 7 labels' in out, out
    assert (tmp_path / 'out/bad_files.txt').read_text().splitlines() == lines


def test_a_list_that_names_what_is_not_there(make, check, tmp_path):
    config = make()
    for name in ('train', 'val'):
        shutil.copytree(tmp_path / 'data/images' / name, tmp_path / 'data/pictures', dirs_exist_ok=True)
        shutil.copytree(tmp_path / 'data/masks' / name, tmp_path / 'data/labels', dirs_exist_ok=True)
        (tmp_path / f'data/{name}.txt').write_text(f'{name}0\nnone\n{name}1.png\n')
    config = make.config(data_prefix=dict(img_path='pictures', seg_map_path='labels'))
    status, out = check(config)
    assert status == 1 and 'train: 1 of 3 images that cannot be read such as no such file' in out, out
    assert (tmp_path / 'out/bad_files.txt').read_text().startswith('pictures/none\t')


def test_figures(make, run, tmp_path):
    """Frequencies and weights by hand: two labels, one of them with the second class on a quarter of it."""
    config = make(number=2, names=('train',))
    for i, value in enumerate((0, 1)):
        label = np.zeros((H, W), np.uint8)
        label[: H // 2, : W // 2] = value
        Image.fromarray(label).save(tmp_path / f'data/masks/train/train{i}.png')
    options = ['--out-dir', tmp_path / 'out', '--cfg-options', "train_dataloader.dataset.classes=['a','b']"]
    status, out, _ = run(config, '--workers', 0, *options)
    record = json.loads((tmp_path / 'out/check.json').read_text())
    assert status == 0, out
    # a has 7/8 of the pixels of both images, b 1/4 of those of the one that holds it: the median is (7/8 + 1/4) / 2.
    assert record['class_weight'] == [round(0.5625 / 0.875, 4), 2.25]
    assert record['splits']['train']['classes'] == {'a': dict(pixels=1344, images=2), 'b': dict(pixels=192, images=1)}
    assert 'class_weight = [0.6429, 2.25]' in out and (tmp_path / 'out/classes.png').stat().st_size > 1000


def test_a_missing_class_and_another_number_of_the_model(make, check):
    status, out = check(make(num_classes=7, classes=[*THREE, 'dog']))
    assert status == 1
    assert 'train: 1 of 4 classes occur in no label: dog' in out and 'val: 1 of 4 classes' in out
    assert 'the data has 4 classes, and the head of the model num_classes=7' in out


@pytest.mark.parametrize(
    'arguments, said',
    [
        (['none.py'], 'error: no config none.py'),
        (['{config}', '--workers', '-1'], 'error: --workers -1'),
        (['{config}', '--split', 'test'], 'has no test_dataloader'),
        (['{config}', '--split', 'dev'], "invalid choice: 'dev'"),
        (
            ['{config}', '--cfg-options', 'train_dataloader.dataset.data_root=/none'],
            'train data: no folder /none (data_root)',
        ),
        (
            ['{config}', '--cfg-options', "train_dataloader.dataset.masks='rgb'"],
            "masks='rgb': give one of auto, numbers",
        ),
        (['{config}', '--out-dir', '/dev/null/x'], '--out-dir /dev/null/x: cannot make this folder'),
    ],
)
def test_wrong_usage(make, run, arguments, said):
    config = str(make(number=1))
    status, _, err = run(*[argument.format(config=config) for argument in arguments])
    assert status == 2 and said in err, err


@pytest.mark.slow
def test_processes_and_other_data_sets(make, run, tmp_path):
    """mmseg's own data set, several processes, a wrapper around two."""
    config = make(kind='BaseSegDataset', number=6)
    cfg = Config.fromfile(config)
    one = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(type='ConcatDataset', datasets=[one, one])
    cfg.dump(config)
    status, out, _ = run(config, '--workers', 2, '--out-dir', tmp_path / 'out')
    assert status == 0 and '12 images, 12 labels' in out, out
