from .scene import draw_scene

__all__ = ['draw_scene']
