import pytest
import torch
from mmengine.runner import Runner
from tiny import TINY, tiny_config
from weight_files import classifier, segmentor, written_by

from repvgg_seg.errors import InputError
from repvgg_seg.weight_names import FAMILIES

pytestmark = pytest.mark.slow  # each test builds a Runner


@pytest.mark.parametrize('family', FAMILIES)
def test_load_from_takes_a_classifiers_file(scenes, tmp_path, family):
    model = classifier(TINY, num_classes=10)
    torch.save(written_by(model, family), tmp_path / 'classifier.pth')
    cfg = tiny_config(scenes, tmp_path, load_from=str(tmp_path / 'classifier.pth'))
    runner = Runner.from_cfg(cfg)
    runner.load_or_resume()
    wanted = model.backbone.state_dict()
    for name, tensor in runner.model.backbone.state_dict().items():
        assert torch.equal(tensor, wanted[name])


def test_load_from_refuses_what_it_cannot_account_for(scenes, tmp_path):
    state = segmentor(scenes).state_dict()
    del state['backbone.stage2.0.rbr_1x1.bn.weight']
    torch.save(dict(state_dict=state), tmp_path / 'x.pth')
    runner = Runner.from_cfg(tiny_config(scenes, tmp_path, load_from=str(tmp_path / 'x.pth')))
    with pytest.raises(InputError, match=r'1 missing: stage2.0.rbr_1x1.bn.weight'):
        runner.load_or_resume()


@pytest.mark.parametrize('left', ['nothing', 'meta', 'optimizer'])
@pytest.mark.parametrize('auto', [False, True], ids=['named', 'latest'])
def test_a_resume_without_training_state(scenes, tmp_path, left, auto):
    path = tmp_path / 'x.pth'
    state = dict(
        meta=dict(epoch=0, iter=2), message_hub={}, optimizer=dict(state={}), state_dict=segmentor(scenes).state_dict()
    )
    torch.save({key: value for key, value in state.items() if key in ('state_dict', left)}, path)
    (tmp_path / 'last_checkpoint').write_text(str(path))
    cfg = tiny_config(scenes, tmp_path, load_from=None if auto else str(path), resume=True)
    with pytest.raises(InputError, match=rf'{path}: no training state .*--cfg-options load_from={path}'):
        Runner.from_cfg(cfg).load_or_resume()
