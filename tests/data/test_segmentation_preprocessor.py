import torch
from mmseg.registry import MODELS


def test_every_channel_has_its_own_mean_and_std():
    mean, std = [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 2.0, 4.0, 5.0, 10.0]
    preprocessor = MODELS.build(dict(type='MultiChannelPreProcessor', mean=mean, std=std, bgr_to_rgb=False))
    image = torch.full((5, 2, 2), 9, dtype=torch.uint8)
    found = preprocessor(dict(inputs=[image]))['inputs']
    expected = torch.tensor([8, 3.5, 1.5, 1, 0.4])  # (9 - mean) / std
    assert torch.allclose(found, expected.reshape(1, 5, 1, 1).expand(1, 5, 2, 2))


def test_three_channels_as_mmsegs_own():
    arguments = dict(mean=[10.0, 20, 30], std=[2.0, 3, 4], bgr_to_rgb=True)
    data = dict(inputs=[torch.arange(12, dtype=torch.uint8).reshape(3, 2, 2)])
    ours, mmsegs = (
        MODELS.build(dict(type=t, **arguments)) for t in ('MultiChannelPreProcessor', 'SegDataPreProcessor')
    )
    assert torch.equal(ours(data)['inputs'], mmsegs(data)['inputs'])
    plain = MODELS.build(dict(type='MultiChannelPreProcessor'))
    assert torch.equal(plain(data)['inputs'][0], data['inputs'][0].float())
