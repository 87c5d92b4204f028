"""One self-contained HTML page for training runs: text, plots and pictures in a single file."""

from .page import PAGE_MARK, write_page

__all__ = ['PAGE_MARK', 'write_page']
