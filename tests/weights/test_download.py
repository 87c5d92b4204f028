import hashlib
import http.server
import io
import re
import resource
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest
import torch
from huggingface_hub import constants, utils
from mmengine.runner import CheckpointLoader
from weight_files import Malicious

from repvgg_seg import RepVGG
from repvgg_seg.errors import InputError
from repvgg_seg.weights import published as known_weights
from repvgg_seg.weights.download import download, download_address
from repvgg_seg.weights.published import KNOWN_WEIGHTS, KnownWeights, find_known

TOOL = Path(__file__).parents[2] / 'tools' / 'download_weights.py'
TINY = dict(depths=(1, 2, 2, 5, 1), a=0.25, b=0.25, groups=2)
CONTENT = bytes(range(256)) * 4000  # 1,024,000 bytes
SUM = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the content; the path says how: /ranges, /whole (knows no ranges), /slow or /broken (hangs up half way)."""

    def do_GET(self):
        content = self.server.content
        self.server.asked.append(self.headers.get('Range'))
        if self.path == '/gone':
            return self.send_error(404)
        if self.path == '/on':
            self.send_response(302)
            self.send_header('Location', '/ranges')
            return self.end_headers()
        if self.path == '/slow':
            time.sleep(0.5)
        asked = re.fullmatch(r'bytes=(\d+)-', self.headers.get('Range') or '')
        start = int(asked[1]) if asked and self.path != '/whole' else 0
        if start >= len(content):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header('Content-Length', str(len(content) - start))
        self.end_headers()
        end = (start + len(content)) // 2 if self.path == '/broken' else len(content)
        self.wfile.write(content[start:end])

    def log_message(self, *args):
        pass


@contextmanager
def _served(handler, monkeypatch):
    monkeypatch.setenv('no_proxy', '127.0.0.1')
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        server.asked, server.content = [], CONTENT
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def server(monkeypatch):
    with _served(Handler, monkeypatch) as server:
        yield server


def known(server, path='/ranges', sha256=SUM, size=1_024_000):
    url = f'http://127.0.0.1:{server.server_port}{path}'
    return KnownWeights('w', 'w.pth', 'A0', 'official', 'r', url=url, size=size, sha256=sha256)


def test_fetched_shown_and_checked(server, tmp_path, capsys):
    path = download(known(server), tmp_path / 'new' / 'folder')
    assert path == tmp_path / 'new' / 'folder' / 'w.pth' and path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ['w.pth']
    assert 'MB' in capsys.readouterr().out
    assert download(known(server), path.parent) == path
    assert server.asked == [None]  # the second time nothing is asked for


@pytest.mark.slow
@pytest.mark.parametrize('sha256', [SUM[:8], ''])
def test_a_sum_in_part_or_none(server, tmp_path, sha256):
    assert download(known(server, sha256=sha256, size=None), tmp_path).read_bytes() == CONTENT


@pytest.mark.slow
@pytest.mark.parametrize('path, asked', [('/ranges', 'bytes=500000-'), ('/whole', 'bytes=500000-')])
def test_gone_on_from_where_it_broke_off(server, tmp_path, path, asked):
    (tmp_path / 'w.part.pth').write_bytes(CONTENT[:500_000])
    assert download(known(server, path), tmp_path).read_bytes() == CONTENT
    assert server.asked == [asked]


def test_all_was_there_but_the_name(server, tmp_path):
    (tmp_path / 'w.part.pth').write_bytes(CONTENT)
    assert download(known(server), tmp_path).read_bytes() == CONTENT


def test_broken_off(server, tmp_path):
    with pytest.raises(InputError, match='ended at 512,000 of 1,024,000 bytes; .*run this again'):
        download(known(server, '/broken'), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ['w.part.pth']
    assert download(known(server), tmp_path).read_bytes() == CONTENT
    assert server.asked == [None, 'bytes=512000-']


@pytest.mark.slow
@pytest.mark.parametrize(
    'fact, message',
    [(dict(sha256='0' * 64), 'has the sha256'), (dict(size=5), 'has 1,024,000 bytes, the published file 5')],
)
def test_not_the_published_file(server, tmp_path, fact, message):
    with pytest.raises(InputError, match=f'{message}.*deleted: run this again'):
        download(known(server, **fact), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_led_on_to_another_address(server, tmp_path, monkeypatch):
    """From a secure one to an insecure one only with the whole sum, which would show a change on the way."""
    assert download(known(server, '/on'), tmp_path).read_bytes() == CONTENT
    secure = urlopen
    monkeypatch.setattr(
        'repvgg_seg.weights.download.urlopen',
        lambda request, timeout: secure(request.full_url.replace('https', 'http'), timeout=timeout),
    )
    for sha256, is_fetched in ((SUM, True), (SUM[:8], False), ('', False)):
        facts = known(server, '/on', sha256)
        facts = replace(facts, url=facts.url.replace('http', 'https'), file=f'w{len(sha256)}.pth')
        if is_fetched:
            assert download(facts, tmp_path).read_bytes() == CONTENT
            continue
        with pytest.raises(InputError, match='which anybody on the way can change'):
            download(facts, tmp_path)
        assert not (tmp_path / facts.file).exists()


def test_more_comes_than_was_published(server, tmp_path):
    server.content = CONTENT * 9
    with pytest.raises(InputError, match='bytes, the published file 1,024,000: it is deleted'):
        download(known(server), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_file_that_was_there_is_kept(server, tmp_path):
    (tmp_path / 'w.pth').write_bytes(b'mine')
    with pytest.raises(InputError, match='has 4 bytes, the published file 1,024,000: move .*w.pth away'):
        download(known(server), tmp_path)
    assert (tmp_path / 'w.pth').read_bytes() == b'mine' and server.asked == []


def test_the_address_is_gone(server, tmp_path):
    with pytest.raises(InputError, match=r'cannot fetch .*/gone: HTTP Error 404: .*put it at .*w\.pth'):
        download(known(server, '/gone'), tmp_path)


def test_no_network(server, tmp_path):
    facts = known(server)
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match='cannot fetch http://127.* refused.*run this again, or fetch it by'):
        download(facts, tmp_path)


def test_a_full_disk(server, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(InputError, match='no space for .*run this again: it is resumed'):
            download(known(server), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / 'w.pth').exists()
    assert download(known(server), tmp_path).read_bytes() == CONTENT


def test_no_stable_address(tmp_path):
    with pytest.raises(InputError, match=f'no stable address.* put it at {tmp_path}/RepVGG-B2-train.pth'):
        download(find_known('RepVGG-B2-train'), tmp_path)


@pytest.fixture
def torch_home(tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'torch'))


@pytest.mark.slow
def test_an_address_in_an_init_cfg(server, torch_home):
    model = RepVGG(TINY)
    server.content = _saved(model.state_dict())
    init_cfg = dict(type='Pretrained', checkpoint=f'http://127.0.0.1:{server.server_port}/weights.pth')
    for _ in range(2):
        loaded = RepVGG(TINY, init_cfg=init_cfg)
        loaded.init_weights()
        assert all(torch.equal(t, loaded.state_dict()[name]) for name, t in model.state_dict().items())
    assert server.asked == [None]  # the second time it is there
    with pytest.raises(InputError, match='cannot fetch http.*/gone: .*404'):
        RepVGG(TINY, init_cfg=dict(init_cfg, checkpoint=f'http://127.0.0.1:{server.server_port}/gone')).init_weights()


def test_code_at_an_address_is_not_run(server, torch_home, tmp_path, safe_reader):
    server.content = _saved(dict(a=Malicious(tmp_path / 'ran')))
    address = f'http://127.0.0.1:{server.server_port}/malicious.pth'
    with pytest.raises(InputError, match='holds more than tensors'):
        RepVGG(TINY, init_cfg=dict(type='Pretrained', checkpoint=address)).init_weights()
    assert not (tmp_path / 'ran').exists()


def _saved(checkpoint):
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize('name', ['RepVGG-A0-train', 'RepVGG-A0-train.pth', 'pretrained/RepVGG-A0-train.pth'])
def test_names(name):
    assert find_known(name).sha256.startswith('e538bfe8')


def test_the_tool(run, tmp_path):
    status, out, err = run('--list')
    assert status == 0 and all(known.name in out for known in KNOWN_WEIGHTS)
    status, out, err = run('RepVGG-B2-train', '--dir', tmp_path)
    assert (status, out) == (2, '') and err.count('\n') == 1 and 'no stable address' in err
    status, out, err = run('RepVGG-B9')
    assert (status, out) == (2, '') and "no weights are known as 'RepVGG-B9'" in err


@pytest.mark.parametrize(
    'name, names',
    [
        ('A0', ['RepVGG-A0-train', 'repvgg-A0_8xb32_in1k', 'repvgg_a0.rvgg_in1k']),
        ('repvgg-d2SE', ['RepVGG-D2se-200epochs-train', 'repvgg-D2se_3rdparty_in1k', 'repvgg_d2se.rvgg_in1k']),
        ('ResNet-50', ['resnet50_v1c']),
    ],
)
def test_the_tool_names_the_weights_of_an_architecture(run, name, names):
    status, out, err = run(name)
    assert (status, out) == (2, '') and err.count('\n') == 1
    assert f'{name!r} is an architecture' in err and ', '.join(names) in err


def test_the_tool_says_where_no_weights_are_published(run):
    for name in ('RepVGG-B2g2', 'B2g2', 'B3g2'):
        status, out, err = run(name)
        assert (status, out) == (2, '') and f'no weights are published for RepVGG-{name[-4:]}' in err


def test_addresses_that_end_in_the_same_name(server, torch_home):
    """As all of timm's do, in model.safetensors."""
    for folder in 'ab':
        model = RepVGG(TINY)
        server.content = _saved(model.state_dict())
        loaded = RepVGG(TINY, init_cfg=_at(server, f'{folder}/weights.pth'))
        loaded.init_weights()
        assert all(torch.equal(t, loaded.state_dict()[name]) for name, t in model.state_dict().items())


def test_known_weights_at_an_address_are_checked(server, torch_home, monkeypatch, safe_reader):
    server.content = _saved(RepVGG(TINY).state_dict())
    facts = [known(server, '/w.pth', sha256=digest) for digest in ('0' * 8, hashlib.sha256(server.content).hexdigest())]
    monkeypatch.setattr(known_weights, 'KNOWN_WEIGHTS', facts[:1])
    for _ in range(2):
        with pytest.raises(InputError, match='w-.*pth has the sha256 .* begins with 00000000'):
            RepVGG(TINY, init_cfg=_at(server, 'w.pth')).init_weights()
    monkeypatch.setattr(known_weights, 'KNOWN_WEIGHTS', facts[1:])
    RepVGG(TINY, init_cfg=_at(server, 'w.pth')).init_weights()


@pytest.mark.slow
def test_one_fetches_and_the_others_wait_for_it(server, torch_home):
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(download_address, [_url(server, 'slow')] * 4))
    assert [path.read_bytes() for path in paths] == [CONTENT] and server.asked == [None]


def test_where_it_fails_all_say_why_and_none_waits(server, torch_home):
    def fail(_):
        with pytest.raises(InputError, match='cannot fetch http.*/gone: .*404') as error:
            download_address(_url(server, 'gone'))
        return error

    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(fail, range(4)))) == 4


def test_a_part_without_a_sum_is_not_resumed(server, torch_home):
    """The file at the address may have changed since, and nothing would show it."""
    with pytest.raises(InputError, match='ended at 512,000'):
        download_address(_url(server, 'broken'))
    (part,) = Path(torch.hub.get_dir(), 'checkpoints').glob('*part*')
    part.write_bytes(b'x' * 500_000)
    with pytest.raises(InputError, match='ended at 512,000'):
        download_address(_url(server, 'broken'))
    assert server.asked == [None, None] and part.read_bytes() == CONTENT[:512_000]


def test_what_mmengine_has_downloaded_is_read_without_the_network(server, torch_home):
    address = _url(server, 'weights.pth')
    server.shutdown()
    server.server_close()
    path = Path(torch.hub.get_dir(), 'checkpoints', 'weights.pth')  # where mmengine keeps it
    path.parent.mkdir(parents=True)
    torch.save(dict(a=3), path)
    assert CheckpointLoader.load_checkpoint(address) == dict(a=3)


def test_weights_of_the_hub(hub, tmp_path):
    path = download(find_known('repvgg_a0.rvgg_in1k'), tmp_path)
    assert path == tmp_path / 'repvgg_a0.rvgg_in1k.safetensors' and path.read_bytes() == CONTENT
    assert hub.asked[-1] == '/timm/repvgg_a0.rvgg_in1k/resolve/main/model.safetensors'
    assert list(tmp_path.iterdir()) == [path]
    asked = len(hub.asked)
    assert download(find_known('repvgg_a0.rvgg_in1k'), tmp_path) == path and len(hub.asked) == asked


def test_the_hub_has_no_such_weights(hub, tmp_path):
    known = KnownWeights('w', 'w.safetensors', 'A0', 'timm', 'r', url='https://x', hub='timm/none')
    with pytest.raises(
        InputError, match=r'cannot fetch timm/none from the Hugging Face hub: 404 .* put it at .*w\.safe'
    ) as e:
        download(known, tmp_path)
    assert '\n' not in str(e.value) and not (tmp_path / 'w.safetensors').exists()


def test_the_hub_is_offline(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, 'HF_HUB_OFFLINE', True)
    getattr(utils, 'reset_sessions', lambda: None)()  # before 1.0 a client goes on as it was created
    with pytest.raises(
        InputError, match=r'cannot fetch timm/.*: .*HF_HUB_OFFLINE.* put it at .*in1k\.safetensors'
    ) as e:
        download(find_known('repvgg_a0.rvgg_in1k'), tmp_path)
    assert '\n' not in str(e.value)


class HubHandler(http.server.BaseHTTPRequestHandler):
    """As much of the hub as its client asks for; of one repository."""

    def do_HEAD(self):
        self.server.asked.append(self.path)
        if 'none' in self.path:
            self.send_response(404)
            self.send_header('X-Error-Code', 'RepoNotFound')
        else:
            self.send_response(200)
            self.send_header('ETag', f'"{SUM}"')
            self.send_header('X-Repo-Commit', '0' * 40)
        self.send_header('Content-Length', str(len(CONTENT)))
        self.end_headers()

    def do_GET(self):
        self.do_HEAD()
        self.wfile.write(CONTENT)

    def log_message(self, *args):
        pass


@pytest.fixture
def hub(monkeypatch):
    with _served(HubHandler, monkeypatch) as server:
        endpoint = f'http://127.0.0.1:{server.server_port}'
        monkeypatch.setattr(constants, 'ENDPOINT', endpoint)
        url = f'{endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}'
        monkeypatch.setattr(constants, 'HUGGINGFACE_CO_URL_TEMPLATE', url)
        # Before 1.0 the client keeps a second name for it.
        monkeypatch.setattr('huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE', url, raising=False)
        yield server


def _at(server, path):
    return dict(type='Pretrained', checkpoint=_url(server, path))


def _url(server, path):
    return f'http://127.0.0.1:{server.server_port}/{path}'
