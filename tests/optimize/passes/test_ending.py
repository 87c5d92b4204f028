from mmseg.models.segmentors import EncoderDecoder
from small_models import options, segmentor

from repvgg_seg.optimize.inference_encoder_decoder import InferenceEncoderDecoder
from repvgg_seg.optimize.passes.ending import EndingRecord, shorten_ending


def test_another_segmentor_over_the_same_parts():
    model = segmentor()
    model.cfg = dict(any='config')  # as mmseg's init_model leaves it
    parts = dict(model.named_children())
    found, record = shorten_ending(model, options())
    assert record == EndingRecord()
    assert type(found) is InferenceEncoderDecoder and type(model) is EncoderDecoder
    assert dict(found.named_children()) == parts and found.cfg == model.cfg and not found.training
    del found.auxiliary_head
    assert model.with_auxiliary_head
    assert shorten_ending(found, options()) == (found, None)


def test_a_segmentor_of_another_kind_is_left():
    class OwnEnding(EncoderDecoder):
        pass

    model = segmentor(type=OwnEnding)
    assert shorten_ending(model, options()) == (model, None)
