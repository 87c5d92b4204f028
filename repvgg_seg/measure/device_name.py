"""The name of the processor or GPU that a measurement was taken on."""

import platform

import torch


def device_name(device: torch.device) -> str:
    """The name of a GPU, or that of the CPU, as far as the system tells it, and the instructions that torch uses on it."""
    if device.type == 'cuda':
        return torch.cuda.get_device_name(device)
    try:
        with open('/proc/cpuinfo', encoding='utf-8') as file:
            name = next((line.split(':', 1)[1].strip() for line in file if line.startswith('model name')), '')
    except OSError:
        name = ''
    return f'{name or platform.processor() or platform.machine()}, {torch.backends.cpu.get_cpu_capability()}'
