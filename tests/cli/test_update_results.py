from helpers import REPO

from repvgg_seg.reports.generated_tables import BEGIN, END, PAGES

TOOL = REPO / 'tools' / 'update_results.py'


def test_check_fails_until_the_tables_are_written(run, tmp_path, monkeypatch):
    (tmp_path / 'results').mkdir()
    (tmp_path / 'docs').mkdir()
    for page in PAGES:
        (tmp_path / page).write_text(f'{BEGIN}\nold\n{END}\n')
    monkeypatch.chdir(tmp_path)
    status, _, err = run('--check')
    assert status == 2 and 'error: the tables of README.md are not those of results/' in err
    assert all('old' in (tmp_path / page).read_text() for page in PAGES)
    assert run()[0] == 0
    assert not any('old' in (tmp_path / page).read_text() for page in PAGES)
    assert run('--check')[0] == 0
