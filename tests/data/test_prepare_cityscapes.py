import json

import numpy as np
import pytest
from PIL import Image

from repvgg_seg.data.prepare_cityscapes import COUNTS, make_label, prepare
from repvgg_seg.errors import InputError

TRAIN, VAL = 'train/aachen/aachen_000000_000019', 'val/ulm/ulm_000000_000019'


def add(root, stem, objects=()):
    image = root / 'leftImg8bit' / f'{stem}_leftImg8bit.png'
    polygons = root / 'gtFine' / f'{stem}_gtFine_polygons.json'
    for path in (image, polygons):
        path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (8, 4)).save(image)
    polygons.write_text(json.dumps(dict(imgWidth=8, imgHeight=4, objects=list(objects))))
    return root / 'gtFine' / f'{stem}_gtFine_labelTrainIds.png'


def polygon(label, left, right):
    return dict(label=label, polygon=[[left, 0], [right, 0], [right, 3], [left, 3]])


def test_polygons_become_train_ids(tmp_path):
    """road 0, car 13, an unlabelled place and a class that is not evaluated ('parking') 255."""
    label = add(tmp_path, TRAIN, [polygon('road', 0, 1), polygon('car', 2, 3), polygon('parking', 4, 5)])
    add(tmp_path, VAL)
    assert prepare(tmp_path, dict(train=1, val=1), workers=1) == (2, 0)
    assert np.array(Image.open(label))[0].tolist() == [0, 0, 13, 13, 255, 255, 255, 255]


def test_labels_that_are_there_stay(tmp_path):
    label = add(tmp_path, TRAIN)
    label.write_bytes(b'mine')
    assert prepare(tmp_path, dict(train=1), workers=1) == (0, 1)
    assert label.read_bytes() == b'mine'


def test_counts_are_those_of_cityscapes():
    assert dict(train=2975, val=500) == COUNTS


def test_what_is_missing_is_said_after_what_can_be_done_is_done(tmp_path):
    made = add(tmp_path, TRAIN)
    lost = add(tmp_path, TRAIN.replace('0019', '0020'))
    lost.with_name(lost.name.replace('labelTrainIds.png', 'polygons.json')).unlink()
    with pytest.raises(InputError) as error:
        prepare(tmp_path, COUNTS, workers=1)
    for words in (
        'train has 2 of 2975 images',
        'val has 0 of 500',
        '1 images have no polygons',
        '1 labels made',
        'cityscapes-dataset',
    ):
        assert words in str(error.value)
    assert made.exists()


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match='no leftImg8bit.*leftImg8bit_trainvaltest.zip'):
        prepare(tmp_path, workers=1)


@pytest.mark.parametrize(
    'text, said',
    [
        ('{', 'holds no polygons of Cityscapes'),
        ('[]', 'holds no polygons of Cityscapes'),
        ('{"imgWidth": 60000, "imgHeight": 60000, "objects": []}', 'claims 3,600,000,000 pixels'),
        ('{"imgWidth": 8, "imgHeight": 4, "objects": [{"label": "none", "polygon": []}]}', 'holds no polygons'),
    ],
)
def test_damaged_polygons_are_named(tmp_path, text, said):
    label = add(tmp_path, TRAIN)
    polygons = label.with_name(label.name.replace('labelTrainIds.png', 'polygons.json'))
    polygons.write_text(text)
    with pytest.raises(InputError, match=f'{polygons.name}.*{said}|{polygons.name} {said}'):
        make_label((polygons, label))
    assert not label.exists()
