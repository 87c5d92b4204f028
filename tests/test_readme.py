"""README.md and docs/ name only tools, configs, options and results that exist."""

import re
from pathlib import Path

import pytest
from script_process import run_script

REPO = Path(__file__).resolve().parents[1]
README = '\n'.join(page.read_text() for page in [REPO / 'README.md', *sorted((REPO / 'docs').glob('*.md'))])
SHARED_OPTIONS = [REPO / 'repvgg_seg' / 'cli' / f'{name}_options.py' for name in ('config', 'optimize')]


def test_the_tools_and_configs_that_it_names_exist():
    for name in set(re.findall(r'(?:tools|configs)/[\w./]+\.(?:py|sh)', README)):
        assert (REPO / name).exists(), name
    for name in re.findall(r'`(pspnet_\w+\.py)`', README):
        assert (REPO / 'configs' / name).exists(), name
    for name in sorted(REPO.glob('tools/*.py')):
        assert f'tools/{name.name}' in README or name.name == 'demo.py', (
            f'{name.name} is in neither README.md nor docs/'
        )


@pytest.mark.slow
def test_the_tables_are_those_of_results():
    status, _, stderr = run_script(REPO / 'tools' / 'update_results.py', '--check', cwd=REPO)
    assert status == 0, stderr


def test_every_option_that_it_names_is_one_of_the_tool():
    for tool, options in re.findall(r'tools/(\w+)\.py([^\n]*)', README):
        files = [*(REPO / 'repvgg_seg' / 'cli').glob(f'{tool}*.py'), *SHARED_OPTIONS]
        source = ''.join(path.read_text() for path in files)
        for option in re.findall(r'(?<!\w)--[a-z][\w-]+', options.split('#')[0]):
            assert f"'{option}'" in source, f'README.md names {option}, which tools/{tool}.py does not have'
