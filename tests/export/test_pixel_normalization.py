import pytest
import torch
from mmengine.registry import MODELS

from repvgg_seg.errors import InputError
from repvgg_seg.export.pixel_normalization import as_layer, pixel_normalization, pixels_again

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def preprocessor(**options):
    return MODELS.build(dict(type='mmseg.SegDataPreProcessor', **options)).eval()


@pytest.mark.parametrize(
    'options, pixel, expected',
    [
        (dict(mean=MEAN, std=STD, bgr_to_rgb=True), (10, 20, 30), [-1.6041613, -1.6855742, -1.6301525]),
        (dict(mean=MEAN, std=STD), (10, 20, 30), [-1.9466564, -1.6855742, -1.2815686]),
        (dict(bgr_to_rgb=True), (10, 20, 30), [30, 20, 10]),
        (dict(mean=[100.0], std=[50.0]), (150,), [1.0]),
        (dict(mean=MEAN, std=STD, test_cfg=dict(size_divisor=32)), (10, 20, 30), [-1.9466564, -1.6855742, -1.2815686]),
    ],
)
def test_one_pixel_by_hand(options, pixel, expected):
    """(30 - 123.675) / 58.395, (20 - 116.28) / 57.12, (10 - 103.53) / 57.375; and so on."""
    matrix, vector = pixel_normalization(preprocessor(**options), len(pixel))
    image = torch.tensor(pixel, dtype=torch.float).reshape(1, -1, 1, 1).expand(1, -1, 4, 5)
    found = as_layer(matrix, vector)(image)
    torch.testing.assert_close(found[0, :, 2, 3], torch.tensor(expected, dtype=torch.float), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(pixels_again(found, matrix, vector), image, rtol=1e-5, atol=1e-3)


def test_more_than_a_matrix_is_refused():
    def squares(data, training):
        return dict(inputs=torch.stack(data['inputs']).float() ** 2)

    with pytest.raises(InputError, match='--no-normalization'):
        pixel_normalization(squares, 3)
