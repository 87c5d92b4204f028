"""The files at the top of the repository agree with each other and with the code."""

import configparser
import hashlib
import importlib.util
import re
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from test_imports import ROOMS

REPO = Path(__file__).resolve().parents[1]
NAMES = ('README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md')
PAGES = [*(REPO / name for name in NAMES), *sorted((REPO / 'docs').glob('*.md'))]
CITATION = yaml.safe_load((REPO / 'CITATION.cff').read_text())
CHANGELOG = (REPO / 'CHANGELOG.md').read_text()


def version():
    """The version as its one place says it, read without importing the package."""
    return re.search(r"""^__version__(?:: str)? = '([^']+)'$""", (REPO / 'repvgg_seg/version.py').read_text(), re.M)[1]


def anchors(page):
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r'^#+ (.+)$', page.read_text(), re.M)
    return {re.sub(r'[^\w -]', '', heading).strip().lower().replace(' ', '-') for heading in headings}


def test_the_version_stands_in_citation_and_changelog():
    released = re.findall(r'^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$', CHANGELOG, re.M)
    assert CITATION['version'] == version()
    assert released[0] == version()


def test_the_changelog_begins_with_what_is_not_released():
    assert re.findall(r'^## \[(.+?)\]', CHANGELOG, re.M)[0] == 'Unreleased'


def test_the_date_of_the_version_is_that_of_the_changelog():
    assert f'## [{version()}] - {CITATION["date-released"]}\n' in CHANGELOG


@pytest.mark.parametrize('entry', [CITATION, *CITATION['references']], ids=lambda entry: entry['type'])
def test_citation_has_what_cff_requires(entry):
    required = {'title', 'authors', 'type'} | ({'cff-version', 'message'} if entry is CITATION else set())
    assert required <= entry.keys()
    for author in entry['authors']:
        assert author.keys() == {'name'} or author.keys() == {'family-names', 'given-names'}, author


def test_citation_names_the_paper():
    assert CITATION['cff-version'] == '1.2.0'
    [paper] = CITATION['references']
    assert paper['title'] == 'RepVGG: Making VGG-style ConvNets Great Again'
    assert [author['family-names'] for author in paper['authors']] == ['Ding', 'Zhang', 'Ma', 'Han', 'Ding', 'Sun']
    assert paper['year'] == 2021


def test_the_licence_is_apache_2():
    """The text of apache.org, with our name in the place of the appendix's example."""
    text = (REPO / 'LICENSE').read_text()
    assert '   Copyright 2026 The repvgg_seg authors\n' in text
    original = text.replace('2026 The repvgg_seg authors', '[yyyy] [name of copyright owner]')
    known = 'cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30'
    assert hashlib.sha256(original.encode()).hexdigest() == known, 'LICENSE is not the unchanged text of Apache-2.0'
    assert CITATION['license'] == 'Apache-2.0'


def requirements(text):
    """Name to range, of the lines of a requirements file or an extra."""
    lines = (line.split('#')[0].split(';')[0].strip() for line in text.splitlines())
    return {found[1]: found[2] for line in lines if (found := re.match(r'([\w-]+)(.*)', line))}


def extra(name):
    setup = configparser.ConfigParser()
    setup.read(REPO / 'setup.cfg')
    return requirements(setup['options.extras_require'][name])


@pytest.mark.parametrize(
    'name, pins',
    [
        ('onedl', 'requirements.txt'),
        ('onedl', 'requirements-min.txt'),
        ('upstream', 'requirements-upstream.txt'),
        *((engine, 'requirements.txt') for engine in ('onnx', 'openvino', 'ncnn')),
    ],
)
def test_what_the_tests_run_with_lies_within_the_extra(name, pins):
    pinned = requirements((REPO / pins).read_text())
    for package, allowed in extra(name).items():
        assert SpecifierSet(allowed).contains(pinned[package].removeprefix('==')), package


def test_the_suite_on_the_originals_has_the_same_other_packages():
    ours, theirs = (requirements((REPO / f'requirements{kind}.txt').read_text()) for kind in ('', '-upstream'))
    lint = {'ruff', 'mypy', 'types-tabulate', 'import-linter'}
    engines = {name for kind in ('onnx', 'openvino', 'ncnn') for name in extra(kind)}  # their tests are skipped there
    assert {*ours} - {*theirs} == lint | engines | {*extra('onedl')}
    assert {name: theirs[name] for name in {*ours} & {*theirs} - {'setuptools'}}.items() <= ours.items()


def test_pip_installs_neither_set_of_openmmlab_packages_of_its_own_accord():
    """They overwrite each other's files, so that either would break an environment that has the other."""
    setup = configparser.ConfigParser()
    setup.read(REPO / 'setup.cfg')
    assert not {*requirements(setup['options']['install_requires'])} & (
        {*extra('onedl')} | {*extra('upstream')} - {'setuptools'}
    )


def test_pre_commit_runs_what_make_lint_runs():
    config = yaml.safe_load((REPO / '.pre-commit-config.yaml').read_text())
    assert [repo['repo'] for repo in config['repos']] == ['local']
    hooks = [hook['entry'] for hook in config['repos'][0]['hooks']]
    [recipe] = re.findall(r'^lint:.*\n((?:\t.*\n)+)', (REPO / 'Makefile').read_text(), re.M)
    assert hooks == [line.strip().replace('$(BIN)', '.venv/bin') for line in recipe.splitlines()]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r'\]\((?!https?://)([^)\s]+)\)', page.read_text()):
        path, _, anchor = target.partition('#')
        file = page.parent / path if path else page
        assert file.exists(), f'{page.name} links to {target}'
        assert not anchor or anchor in anchors(file), f'{page.name} links to {target}, and there is no such heading'


@pytest.mark.parametrize('page', PAGES[:2], ids=lambda page: page.name)
def test_the_paths_that_a_page_names_exist(page):
    for path in re.findall(r'`((?:repvgg_seg|tests|configs|tools|results)/[^`\s]*)`', page.read_text()):
        assert 'ROOM' in path or (REPO / path).exists(), f'{page.name} names {path}'


def test_readme_lists_the_rooms_in_the_order_of_their_imports():
    section = (REPO / 'README.md').read_text().split('## How the code is laid out')[1].split('\n## ')[0]
    first_column = [line.split('|')[1] for line in section.splitlines() if line.startswith('| `')]
    assert re.findall(r'`(\w+)(?:/|\.py)`', ''.join(first_column)) == ROOMS


def test_contributing_names_the_tests_of_every_room():
    page = (REPO / 'CONTRIBUTING.md').read_text()
    for folder in sorted(path for path in (REPO / 'tests').iterdir() if any(path.glob('test_*.py'))):
        assert f'`tests/{folder.name}/`' in page, f'CONTRIBUTING.md does not name tests/{folder.name}/'


def test_unreleased_moves_of_modules_lead_somewhere():
    unreleased = re.split(r'^## ', CHANGELOG, flags=re.M)[1]
    for old, new in re.findall(r'^ +\| (`.+?) \| (`.+?) \|$', unreleased, re.M):
        for name in re.findall(r'`([\w.]+)`', new):
            assert importlib.util.find_spec(f'repvgg_seg.{name}'), f'{old} has moved to {name}, which is not there'
