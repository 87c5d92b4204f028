import os
import subprocess

import pytest

from repvgg_seg.reports.git_commit import git_commit


def git(folder, *args):
    identity = ('-c', 'user.name=A', '-c', 'user.email=a@example.org')
    environ = {name: value for name, value in os.environ.items() if not name.startswith('GIT_')}
    done = subprocess.run(
        ['git', '-C', folder, *identity, *args], check=True, capture_output=True, text=True, env=environ
    )
    return done.stdout.strip()


@pytest.fixture
def package(tmp_path):
    """The package in a checkout of its own, with one commit."""
    folder = tmp_path / 'clone'
    (folder / 'repvgg_seg').mkdir(parents=True)
    (folder / 'results').mkdir()
    (folder / 'setup.cfg').write_text('[metadata]\nname = repvgg_seg\n')
    (folder / 'repvgg_seg' / 'code.py').touch()
    (folder / 'results' / 'record.json').touch()
    git(folder, 'init', '-q')
    git(folder, 'add', '.')
    git(folder, 'commit', '-qm', 'First')
    return folder / 'repvgg_seg'


def test_own_checkout_from_any_folder(package, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert git_commit(package) == (git(package, 'rev-parse', 'HEAD'), False)


def test_changed_code_is_told_and_a_new_record_is_not(package):
    (package.parent / 'results' / 'record.json').write_text('{}')
    assert git_commit(package)[1] is False
    (package / 'code.py').write_text('1')
    assert git_commit(package)[1] is True


def test_a_new_file_of_the_code_is_a_change(package):
    (package / 'new.py').touch()
    assert git_commit(package)[1] is True


def test_variables_of_a_git_hook_do_not_lead_elsewhere(package, tmp_path, monkeypatch):
    monkeypatch.setenv('GIT_DIR', str(tmp_path / 'other'))
    assert git_commit(package)[0] == git(package, 'rev-parse', 'HEAD')


def test_no_commit_elsewhere(package, tmp_path):
    """In a repository of another project, in a folder of installed packages, and before the first commit."""
    (package.parent / 'setup.cfg').write_text('[metadata]\nname = another\n')
    assert git_commit(package) is None
    (package.parent / 'site-packages' / 'repvgg_seg').mkdir(parents=True)
    assert git_commit(package.parent / 'site-packages' / 'repvgg_seg') is None
    (tmp_path / 'empty' / 'repvgg_seg').mkdir(parents=True)
    (tmp_path / 'empty' / 'setup.cfg').write_text('name = repvgg_seg\n')
    git(tmp_path / 'empty', 'init', '-q')
    assert git_commit(tmp_path / 'empty' / 'repvgg_seg') is None


def test_without_git(package, monkeypatch):
    monkeypatch.setenv('PATH', '')
    assert git_commit(package) is None
