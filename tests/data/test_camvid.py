"""CamVid as it was published."""

from mmseg.registry import DATASETS

PIPELINE = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='CheckAnnotations')]


def test_camvid(shared_data):
    for split, count in (('train', 367), ('val', 101), ('test', 233)):
        prefix = dict(img_path=f'images/{split}', seg_map_path=f'labels/{split}')
        cfg = dict(type='CamVidDataset', data_root=str(shared_data / 'camvid'), data_prefix=prefix, pipeline=PIPELINE)
        dataset = DATASETS.build(cfg)
        assert len(dataset) == count
        item = dataset[count // 2]
        assert item['img'].shape == (360, 480, 3) and item['num_classes'] == 11
