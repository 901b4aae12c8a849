#!/usr/bin/env bash
# Pretrains aido_dna_tiny in five stages and writes its weights; each stage starts from the one before.
#   bash experiments/long_context/pretrain_tiny/run.sh [OUT]
# A stage whose weights exist is not run again.
set -euo pipefail
here=$(dirname "$0")
out=${1:-runs/pretrain_tiny}
start=()
for stage in 1 2 3 4 5; do
  weights="$out/stage$stage"
  if [ ! -f "$weights/model.safetensors" ]; then
    mgen fit --config "$here/common.yaml" --config "$here/stage$stage.yaml" "${start[@]}" \
      --trainer.logger+=lightning.pytorch.loggers.CSVLogger --trainer.logger.save_dir "$out" \
      --trainer.logger.name "stage$stage" \
      --trainer.callbacks+=lightning.pytorch.callbacks.ModelCheckpoint \
      --trainer.callbacks.dirpath "$weights" --trainer.callbacks.save_last true
    python "$here/export.py" "$weights/last.ckpt" "$weights"
  fi
  start=(--model.backbone.weights "$weights")
done
