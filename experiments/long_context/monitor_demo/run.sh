#!/usr/bin/env bash
# A tiny run on a CPU and its live page. Ctrl-C stops both; the run stays in runs/monitor_demo.
set -euo pipefail
cd "$(dirname "$0")/../../.."
runs=${RUNS:-runs/monitor_demo}
port=${PORT:-8501}
mkdir -p "$runs"

HF_HUB_OFFLINE=1 mgen fit --config configs/yarn_16x.yaml --config configs/tiny.yaml \
    --config configs/monitor.yaml --data.window 512 --data.lengths '[256, 512]' \
    --data.copies_per_window 2 --trainer.max_steps "${STEPS:-2000}" --trainer.logger false \
    --trainer.enable_progress_bar false --trainer.callbacks.folder "$runs" \
    --trainer.callbacks.logged.eval_every_n_steps 25 --trainer.default_root_dir "$runs" \
    >"$runs/fit.log" 2>&1 &
fit=$!
trap 'kill $fit 2>/dev/null || true' EXIT
echo "A tiny run has begun ($runs/fit.log). It shows up on the page by itself."
mgen-lc monitor "$runs" --port "$port"
