import pytest
from weight_files import TINY

from repvgg_seg import RepVGG, load_weights
from repvgg_seg.errors import InputError
from repvgg_seg.models.archs import ARCHS
from repvgg_seg.weights.published import KNOWN_WEIGHTS, missing_weights_message


@pytest.mark.parametrize('known', KNOWN_WEIGHTS, ids=lambda known: known.name)
def test_message_for_known_weights(known):
    message = missing_weights_message(f'pretrained/{known.file}')
    assert '\n' not in message and message.startswith(f'no file pretrained/{known.file}: ')
    assert '--cfg-options model.backbone.init_cfg=None' in message
    if known.url:
        assert f'python tools/download_weights.py {known.name}`' in message and known.url in message
    else:
        assert known.sha256 in message and 'no stable address' in message


def test_message_names_other_weights_of_the_architecture():
    message = missing_weights_message('pretrained/RepVGG-B2-train.pth')
    assert 'download_weights.py repvgg-B2_8xb32_in1k`' in message
    assert 'download_weights.py repvgg_b2.rvgg_in1k`' in message
    assert '--cfg-options model.backbone.init_cfg.checkpoint=' in message
    assert 'download_weights.py --list' in missing_weights_message('pretrained/else.pth')


def test_message_for_a_checkpoint_of_ones_own(tmp_path):
    path = str(tmp_path / 'work' / 'iter_9.pth')
    assert missing_weights_message(path) == f'no file {path}: there is no folder {tmp_path}/work'
    (tmp_path / 'work').mkdir()
    (tmp_path / 'work' / 'log.txt').touch()
    assert missing_weights_message(path) == f'no file {path}: no .pth file lies in {tmp_path}/work'
    for i in range(5):
        (tmp_path / 'work' / f'iter_{i}.pth').touch()
    there = 'iter_0.pth, iter_1.pth, iter_2.pth, iter_3.pth, ... (1 more)'
    assert missing_weights_message(path) == f'no file {path}: in {tmp_path}/work lie {there}'
    with pytest.raises(InputError, match=r'work lie iter_0\.pth'):
        load_weights(RepVGG(TINY), path)
    assert f'no .pth file lies in {tmp_path}' in missing_weights_message(str(tmp_path / 'no.pth'))


def test_the_list_of_known_weights():
    names = [known.name for known in KNOWN_WEIGHTS]
    assert len(set(names)) == len(names) == len({known.file for known in KNOWN_WEIGHTS})
    for known in KNOWN_WEIGHTS:
        assert known.arch in ARCHS or known.arch.startswith('ResNet')
        assert known.url or (known.size and len(known.sha256) == 64)
