"""Everything between reading a config and building from it, in the order in which the steps depend on each other."""

from argparse import Namespace
from typing import Literal

from mmengine.config import Config
from mmengine.registry import init_default_scope

from ..weights import install_safe_reader
from .agreement.metric_keys import check_rules
from .amp import fit_amp, use_amp
from .config.config_check import TEST, TRAINING, VALIDATION, check_config
from .config.settings_check import check_settings
from .config.visualizer_packages import check_visualizer_packages
from .data_loaders import evaluate_each_image_once, fit_loaders
from .distributed import settle_launcher, use_gloo_without_gpu
from .global_batch import keep_global_batch, scale_learning_rate
from .image_channels import fit_preprocessor
from .layer_decay import use_repvgg_layers
from .losses import fit_losses
from .pretrained import check_pretrained
from .protections import add_protections
from .resume import resume_from, what_to_resume
from .safe_checkpoints import use_safe_checkpoints
from .sync_bn import use_bn_without_peers
from .trackers import add_trackers
from .training_form import check_training_form
from .tta import use_own_tta_model
from .work_dir import make_folder, set_work_dir


def prepare(cfg: Config, args: Namespace, stage: Literal['train', 'test']) -> None:
    """Check a config and edit it as the options of tools/train.py or tools/test.py say, before its Runner exists.

    Args:
        cfg: what `load_config` returned; changed in place.
        args: the options of the tool.
        stage: which of the two tools.

    Raises:
        InputError: the config or an option is wrong; nothing has been built then.
    """
    install_safe_reader()  # before a file is read: --resume reads one
    cfg.launcher = args.launcher
    settle_launcher(cfg)
    if stage == 'test' and args.tta:
        use_own_tta_model(cfg)
    check_config(cfg, _parts_to_build(cfg, args, stage))
    check_settings(cfg, training=stage == 'train')
    check_visualizer_packages(cfg)
    add_protections(cfg, training=stage == 'train')
    set_work_dir(cfg, args.config, args.work_dir)
    fit_preprocessor(cfg)
    use_bn_without_peers(cfg)
    use_gloo_without_gpu(cfg)
    fit_loaders(cfg)
    evaluate_each_image_once(cfg)
    if stage == 'train':
        _prepare_training(cfg, args)
    else:
        cfg.load_from, cfg.resume = None, False  # tools/test.py loads the checkpoint itself, strictly
    others = [hook for hook in cfg.custom_hooks if hook['type'] != 'RehearsalHook']
    cfg.custom_hooks = others if args.no_rehearsal else [*others, dict(type='RehearsalHook')]
    make_folder(cfg.work_dir, '--work-dir')  # last: what is refused leaves no folder


def prepare_model(cfg: Config) -> None:
    """Check and edit what a tool needs that builds the model of a config alone, without a Runner.

    Raises:
        InputError: the model of the config is wrong.
    """
    install_safe_reader()
    check_config(cfg, ['model'])
    fit_preprocessor(cfg)
    use_bn_without_peers(cfg)
    init_default_scope('mmseg')


def _prepare_training(cfg: Config, args: Namespace) -> None:
    check_training_form(cfg.model)
    if args.tracker:
        add_trackers(cfg, args.tracker)
    checkpoint = what_to_resume(cfg, args.resume)
    if checkpoint:
        resume_from(cfg, checkpoint, args.resume_schedule)
    check_pretrained(cfg.model)
    fit_losses(cfg)
    check_rules(cfg)
    use_safe_checkpoints(cfg)
    if args.amp:
        use_amp(cfg)
    fit_amp(cfg)
    use_repvgg_layers(cfg)
    if args.channels_last:
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), dict(type='ChannelsLastHook')]
    if args.compile:
        cfg.custom_hooks = [*cfg.get('custom_hooks', []), dict(type='CompileHook')]
    if args.keep_global_batch:
        keep_global_batch(cfg)
    if args.auto_scale_lr:
        scale_learning_rate(cfg)


def _parts_to_build(cfg: Config, args: Namespace, stage: Literal['train', 'test']) -> tuple[str, ...]:
    """The top-level keys of the config that the Runner builds."""
    if stage == 'test':
        return (*TEST, 'tta_model') if args.tta else TEST
    return (*TRAINING, *VALIDATION) if cfg.get('val_cfg') else TRAINING
