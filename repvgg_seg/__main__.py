"""`python -m repvgg_seg COMMAND` is the command `repvgg-seg COMMAND`."""

from .cli.main import main

if __name__ == '__main__':
    main()
