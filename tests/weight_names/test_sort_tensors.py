import pytest
import torch
from weight_files import TINY, classifier, prefixed, tensors, written_by

from repvgg_seg import RepVGG, reparameterize_model
from repvgg_seg.errors import InputError
from repvgg_seg.weight_names import FAMILIES, sort_weights, to_checkpoint


@pytest.fixture(scope='module')
def tiny():
    """A classifier and its fused copy."""
    torch.manual_seed(0)
    model = classifier(num_classes=10)
    return model, reparameterize_model(model)


@pytest.mark.parametrize('family', FAMILIES)
def test_round_trip_is_bit_for_bit(tiny, family):
    for model in tiny[:2]:
        there = written_by(model, family)
        back = to_checkpoint(sort_weights(there), 'ours')['state_dict']
        assert back.keys() == model.state_dict().keys()
        assert all(torch.equal(back[name], tensor) for name, tensor in model.state_dict().items())


def test_two_networks_in_one_checkpoint(tiny):
    state = tensors(written_by(tiny[0], 'official'))
    with pytest.raises(InputError, match="several RepVGGs, under 'student.', 'teacher.'"):
        RepVGG(TINY).load_state_dict(prefixed(state, 'teacher.') | prefixed(state, 'student.'))
