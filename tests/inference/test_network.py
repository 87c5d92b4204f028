"""Which network, classes and device a config and a checkpoint give."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS
from PIL import Image

import repvgg_seg
from repvgg_seg.errors import InputError
from repvgg_seg.inference import Segmentor, shipped_network
from repvgg_seg.inference.network import chosen_device, load_network


def changed(network, tmp_path, **meta):
    """The checkpoint with another `meta`; None takes an entry out."""
    checkpoint = torch.load(network[1], weights_only=True)
    checkpoint['meta'] = {key: value for key, value in (checkpoint['meta'] | meta).items() if value is not None}
    torch.save(checkpoint, tmp_path / 'changed.pth')
    return str(tmp_path / 'changed.pth')


def test_classes_of_the_config_where_the_checkpoint_names_none(network, tmp_path):
    loaded = load_network(network[0], changed(network, tmp_path, dataset_meta=None))
    assert loaded.classes[:2] == ('road', 'sidewalk') and loaded.palette[0] == (128, 64, 128)


def test_colours_of_the_config_where_the_checkpoint_has_its_classes_alone(network, tmp_path):
    names = load_network(network[0], changed(network, tmp_path, dataset_meta=None)).classes
    loaded = load_network(network[0], changed(network, tmp_path, dataset_meta=dict(classes=names)))
    assert (loaded.classes, loaded.palette[0]) == (names, (128, 64, 128))


def test_other_classes_of_the_checkpoint_are_told(network, said):
    loaded = load_network(*network)
    assert loaded.classes[0] == 'c0' and loaded.palette[2] == (2, 4, 6)
    assert 'was trained on other classes (c0, c1, c2, c3, ... (15 more))' in ''.join(said)


def test_names_that_are_not_as_many_as_classes(network, tmp_path, said):
    loaded = load_network(network[0], changed(network, tmp_path, dataset_meta=dict(classes=['a', 'b'])))
    assert loaded.classes[:2] == ('class 0', 'class 1') and len(set(loaded.palette)) == 19
    assert 'predicts 19 classes, and 2 have names (a, b)' in ''.join(said)


@pytest.mark.parametrize(
    'palette', [None, [1, 2], 'random', [[1, 2, 3]] * 18, [[1, 2, 300]] * 19, [[0.5] * 3] * 19, [{}] * 19]
)
def test_colours_that_are_none(network, tmp_path, palette):
    """Those of mmseg for data sets without colours: other ones every time would be no help."""
    names = [f'c{i}' for i in range(19)]
    checkpoint = changed(network, tmp_path, dataset_meta=dict(classes=names, palette=palette))
    loaded = load_network(network[0], checkpoint)
    expected = np.random.RandomState(42).randint(0, 255, size=(19, 3))
    np.testing.assert_array_equal(loaded.palette, expected)


@pytest.mark.parametrize('meta', [[], 3, dict(classes='abc'), dict(classes=3)])
def test_classes_that_are_none(network, tmp_path, meta):
    assert load_network(network[0], changed(network, tmp_path, dataset_meta=meta)).classes[0] == 'road'


def test_a_network_that_cannot_be_built(network, monkeypatch):
    def build(cfg):
        raise TypeError('first line\nsecond line')

    monkeypatch.setattr(MODELS, 'build', build)
    with pytest.raises(
        InputError, match='building the network of .*tiny.py.*TypeError: first line second line'
    ) as raised:
        load_network(*network)
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize(
    'steps, error',
    [
        ([], 'has no test_pipeline'),
        ([dict(type='PackSegInputs')], 'loads no image'),
        ([dict(type='LoadImageFromFile'), dict(type='Rezise')], 'Rezise'),
        ([dict(type='LoadImageFromFile'), dict(type='Resize', scale='large')], 'test_pipeline'),
    ],
)
def test_pipelines_that_cannot_be_used(network, photo, steps, error):
    options = {'test_dataloader.dataset.pipeline': steps, 'test_pipeline': steps}
    with pytest.raises(InputError, match=error) as raised:
        Segmentor(*network, device='cpu', cfg_options=options).predict(photo)
    assert '\n' not in str(raised.value)


def test_one_logit_tells_two_classes_apart(network, tmp_path, photo):
    cfg = Config.fromfile(network[0])
    del cfg.model.auxiliary_head
    loss = dict(type='CrossEntropyLoss', use_sigmoid=True)
    cfg.model.decode_head.update(num_classes=2, out_channels=1, threshold=0.4, loss_decode=loss)
    torch.manual_seed(1)
    model = MODELS.build(cfg.model)
    torch.nn.init.normal_(model.decode_head.conv_seg.weight)
    torch.save(
        dict(meta=dict(dataset_meta=dict(classes=['road'])), state_dict=model.state_dict()), tmp_path / 'one.pth'
    )
    segmentor = Segmentor(cfg, tmp_path / 'one.pth', device='cpu')
    prediction = segmentor.predict(photo)
    assert segmentor.classes == ('background', 'road') and prediction.scores.shape == (2, 64, 96)
    np.testing.assert_array_equal(prediction.labels, prediction.scores[1] > 0.4)


def test_a_config_that_was_read_is_not_changed(network):
    cfg = Config.fromfile(network[0])
    before = cfg.pretty_text
    assert load_network(cfg, network[1]).classes[0] == 'c0'
    assert cfg.pretty_text == before


@pytest.mark.parametrize(
    'config, checkpoint, said',
    [
        ('pspnet_repvgg_b2', None, 'comes without a checkpoint, .* such as work_dirs/x/iter_80.pth'),
        (None, 'none.pth', 'no file none.pth'),
        ('none.py', '{checkpoint}', 'no config none.py'),
        ('{config}', 'none.pth', 'no file none.pth'),
        ('{checkpoint}', '{config}', 'is a checkpoint'),
        ('{config}', '{config}', 'is Python code'),
        ('imagenet/repvgg_a0_120e', '{checkpoint}', 'is no segmentor'),
        ('pspnet_repvgg_a0_camvid', '{checkpoint}', 'tiny.pth'),
    ],
)
def test_what_does_not_fit(network, tmp_path, monkeypatch, config, checkpoint, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'work_dirs/pspnet_repvgg_b2').mkdir(parents=True)
    (tmp_path / 'work_dirs/pspnet_repvgg_b2/last_checkpoint').write_text('work_dirs/x/iter_80.pth')
    names = dict(config=network[0], checkpoint=network[1])
    with pytest.raises(InputError, match=said) as raised:
        load_network(*(word and word.format(**names) for word in (config, checkpoint)))
    assert '\n' not in str(raised.value)


def test_the_shipped_network_is_the_one_without_arguments(network, monkeypatch, tmp_path):
    monkeypatch.setattr(shipped_network, '_FILE', tmp_path / 'none.safetensors')
    with pytest.raises(InputError, match='is missing from this installation'):
        repvgg_seg.Segmentor()
    with pytest.raises(InputError, match='is missing from this installation'):
        repvgg_seg.Segmentor('configs/pspnet_repvgg_small_camvid.py')


@pytest.mark.slow
def test_the_shipped_network(shared_data):
    """It is small, and right about most pixels of a photograph that it was not trained on."""
    assert shipped_network._FILE.stat().st_size <= 10_000_000
    segmentor = Segmentor(device='cpu')
    assert round(sum(p.numel() for p in segmentor.model.parameters()) / 1e6, 2) == 4.25  # as docs/model_card.md says
    assert segmentor.classes[3] == 'Road' and segmentor.palette[3] == (128, 64, 128)
    labels = segmentor.predict(shared_data / 'camvid/images/test/0001TP_008550.webp').labels
    truth = np.array(Image.open(shared_data / 'camvid/labels/test/0001TP_008550.png'))
    assert labels.shape == (360, 480) and (labels == truth)[truth != 255].mean() > 0.75


@pytest.mark.parametrize('device', ['cuda:99', 'tpu', 'meta', '', 3.5])
def test_devices_that_are_not_there(device):
    with pytest.raises(InputError, match='cannot be used here .*give cpu'):
        chosen_device(device)
