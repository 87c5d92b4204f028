"""Images of classes: every layout people have, and what is refused."""

import shutil

import pytest
from mmengine.config import Config
from mmseg.registry import DATASETS
from PIL import Image

from repvgg_seg.data import ImageNetDataset
from repvgg_seg.errors import InputError

TEST_PIPELINE = Config.fromfile('configs/imagenet/repvgg_a0_120e.py').test_pipeline


def labels(dataset):
    return [
        (info['img_path'].rsplit('/', 1)[-1], info['label']) for info in map(dataset.get_data_info, range(len(dataset)))
    ]


@pytest.fixture
def flat(photos, tmp_path):
    """The validation images of `photos` in one folder."""
    for path in (photos / 'val').rglob('*.JPEG'):
        (tmp_path / 'val').mkdir(exist_ok=True)
        shutil.copy(path, tmp_path / 'val')
    return tmp_path


def listing(root, lines):
    (root / 'val.txt').write_text(''.join(f'{line}\n' for line in lines))
    return ImageNetDataset(str(root), 'val', ann_file='val.txt')


def test_folders(photos):
    dataset = ImageNetDataset(str(photos))
    assert dataset.metainfo['classes'] == ('n01', 'n02', 'n03') and len(dataset) == 18
    assert labels(dataset)[::6] == [('n01_0.JPEG', 0), ('n02_0.JPEG', 1), ('n03_0.JPEG', 2)]


def test_folders_below_a_class(photos, tmp_path):
    """Tiny-ImageNet has its images in <wnid>/images."""
    for path in (photos / 'train').iterdir():
        shutil.copytree(path, tmp_path / 'train' / path.name / 'images')
    assert labels(ImageNetDataset(str(tmp_path))) == labels(ImageNetDataset(str(photos)))


@pytest.mark.slow
@pytest.mark.parametrize(
    'line',
    ['{0}.JPEG {1}', '{0}.JPEG\t{1}\t0\t0\t63\t63', 'val/{0}.JPEG {1}', '{0},{1} 85 131 499 499'],
    ids=['blank', 'tiny-imagenet', 'path', 'kaggle'],
)
def test_a_list_of_names(flat, line):
    names = sorted(path.stem for path in (flat / 'val').iterdir())
    heading = ['ImageId,PredictionString'] if ',' in line else []
    dataset = listing(flat, heading + [line.format(name, name[:3]) for name in names])
    assert dataset.metainfo['classes'] == ('n01', 'n02', 'n03')
    assert labels(dataset) == [(f'{name}.JPEG', int(name[2]) - 1) for name in names]


def test_files_beside_the_images(flat):
    """A box file of the same name is not an image."""
    (flat / 'val' / 'n01_0.xml').touch()
    assert labels(listing(flat, ['n01_0 n01'])) == [('n01_0.JPEG', 0)]


def test_a_list_of_numbers(flat):
    dataset = listing(flat, ['n01_0.JPEG 2', '', 'n02_1.JPEG 0'])
    assert labels(dataset) == [('n01_0.JPEG', 2), ('n02_1.JPEG', 0)]
    assert len(dataset.metainfo['classes']) == 3 and not dataset.metainfo['classes_complete']


@pytest.mark.parametrize('source', ['train', 'words.txt'])
def test_classes_from_elsewhere(photos, flat, source):
    """A list that holds one class of three: the others keep their numbers."""
    shutil.copytree(photos / 'train', flat / 'train')
    (flat / 'words.txt').write_text('n03 a thing\nn01\tanother\nn02\n')
    (flat / 'val.txt').write_text('n03_0.JPEG n03\n')
    dataset = ImageNetDataset(str(flat), 'val', ann_file='val.txt', classes=source)
    assert labels(dataset) == [('n03_0.JPEG', 2)] and dataset.metainfo['classes'] == ('n01', 'n02', 'n03')
    (flat / 'val.txt').write_text('n03_0.JPEG 3\n')
    with pytest.raises(InputError, match=r'not among the 3 known ones \(numbers count from 0\): 3;'):
        ImageNetDataset(str(flat), 'val', ann_file='val.txt', classes=source)


def test_what_is_missing(photos, tmp_path):
    with pytest.raises(InputError, match='no folder nowhere: an ImageNet root holds train/'):
        ImageNetDataset('nowhere')
    (tmp_path / 'tain').mkdir()
    with pytest.raises(InputError, match=r'has no train/ \(it holds tain\)'):
        ImageNetDataset(str(tmp_path))
    (tmp_path / 'train').mkdir()
    with pytest.raises(InputError, match=r'holds no folders, one for each class \(nothing\)'):
        ImageNetDataset(str(tmp_path))
    (tmp_path / 'train' / 'n01').mkdir()
    with pytest.raises(InputError, match='train/n01 is an empty class'):
        ImageNetDataset(str(tmp_path))
    with pytest.raises(InputError, match=r'no list .*val\.txt'):
        ImageNetDataset(str(photos), 'val', ann_file='val.txt')
    with pytest.raises(InputError, match='classes: no file or folder .*words.txt'):
        ImageNetDataset(str(photos), classes='words.txt')


def test_a_flat_folder_without_its_list(photos, tmp_path):
    """Tiny-ImageNet as it is unpacked: val/images/ and val/val_annotations.txt."""
    shutil.copytree(photos / 'val' / 'n01', tmp_path / 'val' / 'images')
    with pytest.raises(
        InputError, match='one folder, images/: set split to val/images .*ann_file=val/val_annotations.txt'
    ):
        ImageNetDataset(str(tmp_path), 'val')
    (tmp_path / 'val' / 'val_annotations.txt').write_text('n01_0.JPEG\tn01\t0\t0\t9\t9\n')
    dataset = ImageNetDataset(str(tmp_path), 'val/images', ann_file='val/val_annotations.txt')
    assert labels(dataset) == [('n01_0.JPEG', 0)]


def test_a_fault_that_is_not_the_files(photos):
    """No download mends a pipeline."""
    dataset = ImageNetDataset(str(photos), pipeline=[dict(type='CenterCrop', crop_size=32)])
    with pytest.raises(
        InputError, match='pipeline.0, CenterCrop, failed at .*n01_0.JPEG: AssertionError: `img` is not found'
    ):
        dataset[0]


def test_lists_that_do_not_fit(flat):
    with pytest.raises(InputError, match='holds classes as numbers and as names, cat: one or the other'):
        listing(flat, ['n01_0.JPEG 1', 'n02_0.JPEG cat'])
    with pytest.raises(InputError, match='lists 1 images that .*/val does not hold: n09_0.JPEG'):
        listing(flat, ['n01_0.JPEG n01', 'n09_0.JPEG n09'])
    with pytest.raises(InputError, match="line 2: a line is NAME CLASS, got 'n02_0.JPEG'"):
        listing(flat, ['n01_0.JPEG n01', 'n02_0.JPEG'])
    with pytest.raises(InputError, match='lists no images'):
        listing(flat, [''])
    (flat / 'words.txt').write_text('n01\n')
    (flat / 'val.txt').write_text('n02_0.JPEG n02\n')
    with pytest.raises(InputError, match='not among the 1 known ones .*: n02;'):
        ImageNetDataset(str(flat), 'val', ann_file='val.txt', classes='words.txt')


@pytest.mark.slow
@pytest.mark.parametrize('step', ['LoadImageFromFile', 'LoadRandomResizedCrop'])
@pytest.mark.parametrize('content', [b'', b'no image', None], ids=['empty', 'text', 'cut off'])
def test_a_file_that_is_no_image(photos, tmp_path, step, content):
    root = shutil.copytree(photos, tmp_path / 'photos')
    path = root / 'train' / 'n01' / 'n01_0.JPEG'
    path.write_bytes(path.read_bytes()[:300] if content is None else content)
    pipeline = [
        dict(type=step, **(dict(size=32) if step == 'LoadRandomResizedCrop' else dict(imdecode_backend='pillow')))
    ]
    dataset = DATASETS.build(dict(type='ImageNetDataset', data_root=str(root), pipeline=pipeline))
    with pytest.raises(InputError, match='cannot decode .*n01_0.JPEG: the file is (damaged or not an image|empty)'):
        dataset[0]


def test_photographs_at_their_real_sizes(shared_data, tmp_path):
    """Through the evaluation of ImageNet: the short side to 256, the middle 224; the same as Pillow by hand."""
    folder = shared_data / 'imagenet_samples'
    names = sorted(path.name for path in folder.iterdir())
    (tmp_path / 'val').symlink_to(folder)
    (tmp_path / 'val.txt').write_text(''.join(f'{name} {name.split("_")[0]}\n' for name in names))
    dataset = ImageNetDataset(str(tmp_path), 'val', ann_file='val.txt', pipeline=TEST_PIPELINE, test_mode=True)
    assert len(dataset) == len(dataset.metainfo['classes']) == 24
    for i in range(24):
        item = dataset[i]
        assert item['inputs'].shape == (3, 224, 224) and item['labels'] == i
        image = Image.open(folder / names[i]).convert('RGB')
        width, height = image.size
        scale = 256 / min(width, height)
        width, height = int(width * scale + 0.5), int(height * scale + 0.5)
        left, top = round((width - 224) / 2), round((height - 224) / 2)
        resized = image.resize((width, height), Image.Resampling.BILINEAR)
        expected = resized.crop((left, top, left + 224, top + 224))
        assert bytes(item['inputs'].permute(1, 2, 0).contiguous().numpy()) == expected.tobytes(), names[i]
