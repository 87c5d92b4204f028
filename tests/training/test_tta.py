import pytest
from mmengine.config import Config
from mmseg.models.segmentors import SegTTAModel

from repvgg_seg.training.tta import use_own_tta_model


class Own(SegTTAModel):
    pass


@pytest.mark.parametrize(
    'given, kind',
    [
        (None, 'MeanProbabilityTTAModel'),
        ('SegTTAModel', 'MeanProbabilityTTAModel'),
        ('mmseg.SegTTAModel', 'MeanProbabilityTTAModel'),
        (SegTTAModel, 'MeanProbabilityTTAModel'),
        ('MeanProbabilityTTAModel', 'MeanProbabilityTTAModel'),
        (Own, Own),
    ],
)
def test_the_model_of_test_time_augmentation(given, kind):
    cfg = Config({} if given is None else dict(tta_model=dict(type=given)))
    use_own_tta_model(cfg)
    assert cfg.tta_model.type == kind
