import pytest
from mmengine.runner import Runner
from tiny import tiny_config

from repvgg_seg.errors import InputError

pytestmark = pytest.mark.slow  # each test builds a Runner


@pytest.mark.parametrize('stage', ['train', 'test'])
@pytest.mark.parametrize(
    'options, message',
    [
        ({'model.decode_head.num_classes': 5}, r'19 classes, decode_head.num_classes is 5.*num_classes=19'),
        ({'model.auxiliary_head.num_classes': 20}, r'19 classes, auxiliary_head.num_classes is 20'),
        (
            {'model.backbone.arch': 'B1'},
            r'gives 2048 channels at index 3, decode_head.in_channels is 128.*in_channels=2048',
        ),
    ],
)
def test_heads_that_do_not_fit(scenes, tmp_path, stage, options, message):
    cfg = tiny_config(scenes, tmp_path, **options)
    cfg.experiment_name = f'heads_{tmp_path.name}'
    with pytest.raises(InputError, match=message):
        getattr(Runner.from_cfg(cfg), stage)()
