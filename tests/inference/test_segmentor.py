"""`Segmentor` predicts what mmseg's own functions predict."""

import io
import warnings

import numpy as np
import pytest
import torch
from mmseg.apis import MMSegInferencer, inference_model, init_model
from PIL import Image

from repvgg_seg.errors import InputError
from repvgg_seg.inference import Segmentor
from repvgg_seg.measure.memory import peak_memory


@pytest.fixture(scope='module')
def theirs(network):
    return init_model(*network, device='cpu')


def test_labels_and_scores_are_those_of_mmseg(segmentor, theirs, photo):
    sample = inference_model(theirs, photo)
    prediction = segmentor.predict(photo)
    assert prediction.labels.dtype == np.uint8 and prediction.path == photo
    np.testing.assert_array_equal(prediction.labels, sample.pred_sem_seg.data[0])
    assert len(np.unique(prediction.labels)) > 1, 'the network tells something apart'
    scores = sample.seg_logits.data.softmax(0).numpy()
    np.testing.assert_allclose(prediction.scores, scores, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize('form', ['path', 'array', 'PIL', 'tensor', 'file object of PIL'])
def test_an_image_of_every_form(segmentor, photo, picture, form):
    image = {
        'path': photo,
        'array': picture[..., ::-1],
        'PIL': Image.fromarray(picture),
        'tensor': torch.from_numpy(picture.copy()).permute(2, 0, 1),
        'file object of PIL': Image.open(photo),
    }[form]
    prediction = segmentor.predict(image)
    np.testing.assert_array_equal(prediction.labels, segmentor.predict(photo).labels)
    np.testing.assert_array_equal(prediction.image, picture[..., ::-1])


@pytest.mark.parametrize('batch_size', [1, 2, 5])
def test_lists_keep_their_order_and_sizes(segmentor, photo, picture, batch_size):
    images = [photo, picture[..., ::-1], picture[:40, :50, ::-1], photo]
    for given in (images, tuple(images), iter(images)):
        predictions = segmentor.predict(given, batch_size=batch_size)
        assert [prediction.labels.shape for prediction in predictions] == [(64, 96), (64, 96), (40, 50), (64, 96)]
        np.testing.assert_array_equal(predictions[0].labels, predictions[3].labels)
    assert segmentor.predict([]) == []


def test_a_batch_in_one_array_or_tensor(segmentor, picture):
    array = np.stack([picture, picture[::-1]])[..., ::-1]
    tensor = torch.from_numpy(array[..., ::-1].copy()).permute(0, 3, 1, 2)
    for images in (array, tensor):
        upright, turned = segmentor.predict(images)
        np.testing.assert_array_equal(upright.labels, segmentor.predict(array[0]).labels)
        np.testing.assert_array_equal(turned.labels, segmentor.predict(array[1]).labels)


@pytest.mark.parametrize('form', ['training', 'optimized'])
def test_other_forms_agree(network, segmentor, photo, form):
    other = Segmentor(*network, device='cpu', form=form)
    np.testing.assert_allclose(other.predict(photo).scores, segmentor.predict(photo).scores, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    'image, error',
    [
        ('none.png', 'no such file: none.png'),
        ('.', 'is a folder'),
        (None, 'got None'),
        (['{photo}', 'none.png'], 'image 1: no such file'),
        ([[1, 2]], r'image 0: .*got \[1, 2\]'),
        (io.BytesIO(b'x'), 'image 0: .*bytes'),
    ],
)
def test_images_that_cannot_be_read(segmentor, photo, image, error):
    if isinstance(image, list):
        image = [photo if one == '{photo}' else one for one in image]
    with pytest.raises(InputError, match=error):
        segmentor.predict(image)


@pytest.mark.parametrize(
    'arguments, error',
    [
        (dict(form='fast'), "form must be one of fused, optimized, training, got 'fast'"),
        (dict(memory='2GB'), "memory must be"),
        (dict(device='cuda:77'), 'cannot be used here'),
        (dict(cfg_options={'model.backbone.arhc': 'A0'}), 'arhc'),
    ],
)  # fmt: skip
def test_arguments_that_are_wrong(network, arguments, error):
    with pytest.raises(InputError, match=error):
        Segmentor(*network, **arguments)


def test_a_batch_size_that_is_none(segmentor, photo):
    with pytest.raises(InputError, match='batch_size must be a positive whole number, got 0'):
        segmentor.predict([photo], batch_size=0)


@pytest.mark.slow  # torch's profiler takes its time to start
@pytest.mark.parametrize('resized', [False, True])
def test_a_limit_of_memory_makes_tiles(network, picture, said, resized):
    image = np.tile(picture[..., ::-1], (8, 6, 1))
    scale = dict(type='Resize', scale=(700, 700), keep_ratio=False)
    steps = [dict(type='LoadImageFromFile'), *([scale] if resized else []), dict(type='PackSegInputs')]
    options = {'test_dataloader.dataset.pipeline': steps}
    whole = Segmentor(*network, device='cpu', cfg_options=options)
    taken = peak_memory(lambda: whole.predict(image), torch.device('cpu')) / 2**20
    limited = Segmentor(*network, device='cpu', memory=int(taken / 2), cfg_options=options)
    expected, labels = whole.predict(image).labels, limited.predict(image).labels
    assert (whole.images_in_tiles, limited.images_in_tiles) == (0, 1) and 'computed in tiles of' in said[-1]
    assert labels.shape == image.shape[:2] and (labels == expected).mean() > 0.7
    assert peak_memory(lambda: limited.predict(image), torch.device('cpu')) / 2**20 < 0.6 * taken


@pytest.mark.parametrize('most, tiles', [(64 * 96, 0), (48 * 96, 1), (24 * 24, None)])
def test_a_device_without_memory_left(network, picture, said, monkeypatch, most, tiles):
    """As a GPU says it; `most` is the number of pixels that it can compute at a time. The next image starts with what fitted."""
    segmentor = Segmentor(*network, device='cpu')
    step, sizes = segmentor.model.test_step, []

    def test_step(data):
        inputs = torch.stack(data['inputs'])
        sizes.append(inputs[:, 0].numel())
        if sizes[-1] > most:
            raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB')
        return step(data)

    monkeypatch.setattr(segmentor.model, 'test_step', test_step)
    monkeypatch.setattr('repvgg_seg.inference.segmentor.SMALLEST_TILE', 32)
    image = picture[..., ::-1]
    if tiles is None:
        with pytest.raises(InputError, match='does not fit in memory'):
            segmentor.predict(image)
        return
    predictions = segmentor.predict([image, image, image], batch_size=3)
    assert [prediction.labels.shape for prediction in predictions] == [(64, 96)] * 3
    assert segmentor.images_in_tiles == 3 * tiles and sum(size > most for size in sizes) == 1 + tiles
    assert sum('in tiles of' in line for line in said) == tiles


@pytest.mark.parametrize('meta', [True, False])
def test_functions_of_mmseg_take_the_checkpoints(network, segmentor, photo, tmp_path, meta):
    """With and without `meta`, also fused and in half precision; the classes are those of file or config."""
    config, checkpoint = network
    if not meta:
        torch.save(torch.load(checkpoint, weights_only=True)['state_dict'], tmp_path / 'bare.pth')
        checkpoint = str(tmp_path / 'bare.pth')
    expected = segmentor.predict(photo).labels
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for unintended in (
            'Default ``avg_non_ignore``',
            '``build_loss`` would be deprecated',
        ):  # of heads that mmseg builds
            warnings.filterwarnings('ignore', unintended)
        model = init_model(config, checkpoint, device='cpu')
    assert model.dataset_meta['classes'][0] == ('c0' if meta else 'road')
    np.testing.assert_array_equal(inference_model(model, photo).pred_sem_seg.data[0], expected)
    inferencer = MMSegInferencer(model=config, weights=checkpoint, device='cpu')
    np.testing.assert_array_equal(inferencer(photo, show=False)['predictions'], expected)


def test_labels_have_the_size_of_the_image_where_the_pipeline_resizes_it(network, photo):
    steps = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(48, 32)), dict(type='PackSegInputs')]
    segmentor = Segmentor(*network, device='cpu', cfg_options={'test_dataloader.dataset.pipeline': steps})
    prediction = segmentor.predict(photo)
    assert prediction.labels.shape == prediction.image.shape[:2] == prediction.scores.shape[1:] == (64, 96)


def test_an_animation_is_told(segmentor, picture, tmp_path, said):
    first, second = Image.fromarray(picture), Image.fromarray(picture[::-1])
    first.save(tmp_path / 'a.webp', save_all=True, append_images=[second], lossless=True)
    np.testing.assert_array_equal(segmentor.predict(tmp_path / 'a.webp').image, picture[..., ::-1])
    assert said == [f'{tmp_path}/a.webp is an animation: its first picture is predicted']


def test_an_orientation_in_a_file_is_followed(segmentor, picture, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).save(tmp_path / 'a.jpg', exif=exif, quality=100)
    prediction = segmentor.predict(tmp_path / 'a.jpg')
    assert prediction.labels.shape == prediction.image.shape[:2] == (96, 64)
