from helpers import REPO

from repvgg_seg.reports.readme_tables import BEGIN, END

TOOL = REPO / 'tools' / 'update_results.py'


def test_check_fails_until_the_tables_are_written(run, tmp_path, monkeypatch):
    (tmp_path / 'results').mkdir()
    readme = tmp_path / 'README.md'
    readme.write_text(f'{BEGIN}\nold\n{END}\n')
    monkeypatch.chdir(tmp_path)
    status, _, err = run('--check')
    assert status == 2 and 'error: the tables of README.md are not those of results/' in err
    assert 'old' in readme.read_text()
    assert run()[0] == 0
    assert 'old' not in readme.read_text()
    assert run('--check')[0] == 0
