#!/usr/bin/env bash
# Train under Slurm: [GPUS=8] [GPUS_PER_NODE=8] [CPUS_PER_TASK=5] [SRUN_ARGS=...] tools/slurm_train.sh PARTITION JOB_NAME CONFIG [arguments of train.py]
# One process for each GPU. GRES=none asks for no GPU. MASTER_PORT is chosen from the number of the job unless it is set.
set -eu
tool=${TOOL:-train.py} # slurm_test.sh sets it
[ $# -ge 3 ] || { echo "usage: $0 PARTITION JOB_NAME CONFIG [arguments of $tool]" >&2; exit 2; }
partition=$1 job=$2
shift 2
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
srun=(--partition="$partition" --job-name="$job" --ntasks="$gpus" --ntasks-per-node="$per_node"
  --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1) # the others do not wait for a process that has failed
[ "${GRES:-}" = none ] || srun+=(--gres="${GRES:-gpu:$per_node}")
# shellcheck disable=SC2086 # the words of SRUN_ARGS are arguments of their own
exec srun "${srun[@]}" ${SRUN_ARGS:-} "${PYTHON:-python}" -u "$(dirname "$0")/$tool" "$@" --launcher slurm
