"""What a timing depends on besides the model: device, threads and versions."""

import platform

import torch


def environment(device: torch.device) -> dict:
    """Device, threads and versions, to stand beside every result that was measured on `device`."""
    import mmcv
    import mmengine
    import mmseg

    cuda = device.type == 'cuda'
    return dict(
        device=torch.cuda.get_device_name(device) if cuda else _cpu_name(),
        threads=torch.get_num_threads(),
        tf32=torch.backends.cudnn.allow_tf32 if cuda else None,
        cuda=torch.version.cuda if cuda else None,
        cudnn=torch.backends.cudnn.version() if cuda else None,
        python=platform.python_version(),
        torch=torch.__version__,
        mmengine=mmengine.__version__,
        mmcv=mmcv.__version__,
        mmseg=mmseg.__version__,
    )


def _cpu_name() -> str:
    try:
        with open('/proc/cpuinfo') as file:
            names = [line.split(':', 1)[1].strip() for line in file if line.startswith('model name')]
    except OSError:
        names = []
    return f'{names[0] if names else platform.processor() or platform.machine()}, {torch.backends.cpu.get_cpu_capability()}'
