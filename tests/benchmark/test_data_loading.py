"""Both ways of reading images."""

from mmengine.config import Config

from repvgg_seg.benchmark.data_loading import loading_subjects


def test_both_ways_read_the_same_pictures(photos):
    """The crops of both, drawn from the same random numbers, differ by their resizing alone."""
    cfg = Config.fromfile('configs/imagenet/repvgg_a0_120e.py')
    cfg.train_pipeline[0].size = 48
    plain, configured = loading_subjects(cfg, str(photos))
    (images, others) = (subject.call() for subject in (plain, configured))
    assert len(images) == 27
    for image, other in zip(images, others, strict=True):
        assert image.shape == other.shape == (3, 48, 48)
        assert (image.float().mean((1, 2)) - other.float().mean((1, 2))).abs().max() < 10
