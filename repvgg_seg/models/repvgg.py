"""RepVGG as a backbone of MMSegmentation (paper, sections 3 and 4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import print_log
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import InputError, listed
from ..weight_names import Weights
from .archs import ArchSpec, get_arch
from .block import RepVGGBlock, switch_to_deploy
from .block_variants import BlockSpec, get_block
from .match_checkpoint import match, stage_of, take_below
from .stages import build_stages
from .stem_channels import STEM_WEIGHTS
from .stride_dilation_plan import plan_layers


@MODELS.register_module()
class RepVGG(BaseModule):
    """The body of RepVGG, (N, in_channels, H, W) -> one feature map for each of `out_indices`.

    Stages are `stage0` to `stage4` (the paper's stages 1 to 5). Every parameter has its official name at any output
    stride, so that ImageNet weights load unchanged.

    Args:
        arch: one of `repvgg_seg.models.archs.ARCHS`, or a dict of the fields of `ArchSpec`.
        in_channels: channels of the image.
        out_indices: stages whose outputs are returned, in this order; 0 is the paper's stage 2 (stride 4), 3 its
            stage 5. Later stages are there, so that checkpoints fit, but are neither computed nor trained.
        output_stride: 32; 16 (the last stage dilated by 2); or 8 (the last two by 2 and 4).
        dilate_last: dilate only this number of layers at the end, 5 for the paper's "fast"; None for all of these
            stages.
        frozen_stages: no gradients and fixed BN statistics up to this stage: 0 freezes `stage0`, 4 all, -1 none.
        norm_cfg: norm of the branches; BN or SyncBN where the model is to be fused.
        norm_eval: keep BN in eval mode during training: the running statistics are used and do not change.
        with_cp: save memory in training by computing every block again in the backward pass; '1x1': the 1x1 branches
            alone, which costs little time.
        deploy: build the fused form, a plain stack of 3x3 convs.
        init_cfg: mmengine's; None for the initialisation of `torch.nn.Conv2d`, which is the official one.
        stem_stride: 2; or 1 for small images, which halves every stride named here.
        stem_weights: what to do with weights for images of other channels, such as ImageNet weights in a backbone of
            `in_channels=4`: 'mean' or 'repeat', as `repvgg_seg.models.stem_channels.inflate` describes them; None to
            refuse them.
        block: one of `repvgg_seg.models.block_variants.BLOCKS`, such as 'qarepvgg' or a row of the paper's Tables 6 and 7; or
            a dict of the fields of `BlockSpec`.

    Attributes:
        out_channels: channels of the feature maps, in the order of `out_indices`.

    Raises:
        InputError: an argument out of its range; the message names the value and what is allowed.
    """

    stage0: RepVGGBlock

    def __init__(
        self,
        arch: str | dict[str, Any] | ArchSpec,
        in_channels: int = 3,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        output_stride: int = 32,
        dilate_last: int | None = None,
        frozen_stages: int = -1,
        norm_cfg: dict[str, Any] | None = None,
        norm_eval: bool = False,
        with_cp: bool | str = False,
        deploy: bool = False,
        init_cfg: dict[str, Any] | list[dict[str, Any]] | None = None,
        stem_stride: int = 2,
        stem_weights: str | None = None,
        block: str | dict[str, Any] | BlockSpec = 'repvgg',
    ):
        super().__init__(init_cfg)
        if not isinstance(out_indices, Sequence) or not out_indices or any(i not in range(4) for i in out_indices):
            raise InputError(f'out_indices must be among 0, 1, 2, 3 (stages 2 to 5 of the paper), got {out_indices!r}')
        if frozen_stages not in range(-1, 5):
            raise InputError(f'frozen_stages must be -1 (none) to 4 (all), got {frozen_stages!r}')
        if stem_weights not in (None, *STEM_WEIGHTS):
            raise InputError(f'stem_weights must be None, {" or ".join(map(repr, STEM_WEIGHTS))}, got {stem_weights!r}')
        if with_cp not in (False, True, '1x1'):
            raise InputError(f"with_cp must be False, True or '1x1', got {with_cp!r}")
        if norm_cfg is not None and not isinstance(norm_cfg, Mapping):
            raise InputError(f"norm_cfg must be None or a dict such as dict(type='BN'), got {norm_cfg!r}")
        self.norm_cfg = norm_cfg
        self.with_cp = with_cp
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval
        self.stem_weights = stem_weights
        self._size = in_channels, output_stride, dilate_last, stem_stride
        self.rebuild(arch, block, deploy)

    def rebuild(
        self,
        arch: str | dict[str, Any] | ArchSpec,
        block: str | dict[str, Any] | BlockSpec,
        deploy: bool = False,
    ) -> None:
        """Build all stages anew, in place, for other widths or another kind of block; their weights are random again.

        Args:
            arch, block, deploy: as `RepVGG` takes them.

        Raises:
            InputError: as `RepVGG`; nothing is changed then.
        """
        spec = get_arch(arch)
        in_channels, output_stride, dilate_last, stem_stride = self._size
        plans = plan_layers(spec, in_channels, output_stride, dilate_last, stem_stride, get_block(block))
        stages = build_stages(plans, self.norm_cfg, self.with_cp, deploy)
        self.arch, self.plans = spec, plans
        self.out_channels = tuple(spec.widths[i + 1] for i in self.out_indices)
        for name, stage in stages.items():
            self.add_module(name, stage)
        self._freeze_stages()

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.stage0(x)
        outs = {}
        for i in range(max(self.out_indices) + 1):
            x = getattr(self, f'stage{i + 1}')(x)
            outs[i] = x
        return tuple(outs[i] for i in self.out_indices)

    def switch_to_deploy(self) -> None:
        """Fuse every block in place. Where a norm cannot be fused, `InputError` is raised and nothing is changed."""
        switch_to_deploy(self)

    def train(self, mode: bool = True) -> 'RepVGG':
        super().train(mode)
        self._freeze_stages()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    @property
    def _needed_stages(self) -> int:
        """The number of stages, from the first, that the outputs need."""
        return max(self.out_indices) + 2

    def _freeze_stages(self) -> None:
        for stage in (*range(self.frozen_stages + 1), *range(self._needed_stages, 5)):
            module = getattr(self, f'stage{stage}').eval()
            for parameter in module.parameters():
                parameter.requires_grad = False

    def match(self, checkpoint: Mapping[str, Any]) -> Weights:
        """Sort the tensors of a checkpoint of any family and form, and check that it holds all of this backbone.

        Raises:
            InputError: as `repvgg_seg.models.match_checkpoint.match`.
        """
        return match(checkpoint, self.arch, self.plans, self.norm_cfg, self._needed_stages, self.stem_weights)

    def _load_from_state_dict(self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any) -> None:
        """Take the names of any family, and check every tensor; torch and mmengine's `Pretrained` both call this."""
        weights = self.match(take_below(state_dict, prefix))
        body = {**self._stages_to_keep(weights.backbone), **weights.backbone}
        state_dict.update({prefix + name: tensor for name, tensor in body.items()})
        if weights.rest:
            print_log(f'not used by the backbone: {listed(weights.rest)}', 'current')
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def _stages_to_keep(self, body: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The tensors of those stages that a checkpoint lacks, which are stages that no output needs."""
        absent = {*range(5)} - {stage_of(name) for name in body}
        if not absent:
            return {}
        print_log(f'not in the checkpoint and needed by no output: {listed(f"stage{i}" for i in absent)}', 'current')
        return {name: tensor for name, tensor in self.state_dict().items() if stage_of(name) in absent}
