import pytest
from mmengine.runner import Runner
from tiny import tiny_config

from repvgg_seg.errors import InputError

pytestmark = pytest.mark.slow  # each test builds a Runner


def run(scenes, tmp_path, **options):
    cfg = tiny_config(scenes, tmp_path, train_cfg__max_iters=1, **options)
    cfg.experiment_name = f'batch_{tmp_path.name}'
    cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.pop('save_best')
    Runner.from_cfg(cfg).train()


def test_one_image_a_batch_is_refused_with_the_way_out(scenes, tmp_path):
    with pytest.raises(InputError, match='one image per GPU.*train_dataloader.batch_size=2'):
        run(scenes, tmp_path, train_dataloader__batch_size=1)


def test_a_last_batch_of_one_image_is_refused(scenes, tmp_path):
    sampler = dict(_delete_=True, type='DefaultSampler', shuffle=True)
    options = dict(train_dataloader__batch_size=3, train_dataloader__sampler=sampler)  # four scenes: 3 + 1
    with pytest.raises(InputError, match=r'4 in batches of 3.*drop_last=True'):
        run(scenes, tmp_path, train_dataloader__drop_last=False, **options)
    run(scenes, tmp_path, **options)


def test_an_endless_sampler_has_no_last_batch(scenes, tmp_path):
    run(scenes, tmp_path, train_dataloader__batch_size=3, train_dataloader__drop_last=False)


def test_one_image_is_enough_for_a_head_without_a_pooled_norm(scenes, tmp_path):
    run(
        scenes,
        tmp_path,
        train_dataloader__batch_size=1,
        model__decode_head=dict(
            _delete_=True, type='FCNHead', in_channels=128, in_index=3, channels=8, num_convs=1, num_classes=19
        ),
    )


@pytest.mark.parametrize(
    'enable, message', [(False, '--auto-scale-lr scales it'), (True, 'the learning rate is scaled')]
)
def test_a_global_batch_other_than_the_recipes_is_said(scenes, tmp_path, capfd, enable, message):
    run(scenes, tmp_path, auto_scale_lr__enable=enable)
    said = [line for line in ''.join(capfd.readouterr()).splitlines() if 'global batch' in line]
    assert len(said) == 1 and 'the global batch is 2 (1 x 2), the recipe is for 4' in said[0] and message in said[0]
