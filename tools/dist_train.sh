#!/usr/bin/env bash
# Train on several GPUs: tools/dist_train.sh CONFIG GPUS [arguments of train.py]
# On several nodes, run this on each of them: NNODES=2 NODE_RANK=0|1 MASTER_ADDR=host PORT=29500 tools/dist_train.sh CONFIG GPUS_PER_NODE
set -eu
[ $# -ge 2 ] || { echo "usage: $0 CONFIG GPUS [arguments of train.py]" >&2; exit 2; }
config=$1 gpus=$2
shift 2
case $gpus in '' | 0 | *[!0-9]*) echo "GPUS is how many to use on this node, got '$gpus'" >&2; exit 2 ;; esac
here=$(dirname "$0")
python=${PYTHON:-python}
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
  rendezvous=(--standalone --local-addr=127.0.0.1) # torchrun finds a free port, so that two runs on one machine do not meet
else
  rendezvous=(--nnodes="${NNODES:-1}" --node-rank="${NODE_RANK:-0}" --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="${PORT:-29500}")
fi
exec "$python" -m torch.distributed.run "${rendezvous[@]}" --nproc-per-node="$gpus" \
  "$here/train.py" "$config" --launcher pytorch "$@"
