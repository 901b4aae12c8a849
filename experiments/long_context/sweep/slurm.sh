#!/usr/bin/env bash
# The full study as a job array: one cell a job, one GPU a cell.
#
#   mkdir -p runs && sbatch experiments/long_context/sweep/slurm.sh
#
# Slurm writes its logs to runs/, which must exist. `mgen-lc study PLAN --list true` numbers the cells.
# A job that is killed leaves no result and may be submitted again; finished cells are not run twice.
# For models that need several GPUs set trainer.devices and a strategy in the plan's `fit` and
# `test`, and --gpus-per-task here to match; under torchrun instead, run the commands that a cell's
# log shows.
#SBATCH --job-name=long-context
#SBATCH --array=0-69
#SBATCH --gpus-per-task=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=64G
#SBATCH --time=24:00:00
#SBATCH --output=runs/slurm-%A_%a.out
set -euo pipefail
cd "${SLURM_SUBMIT_DIR:-.}"
plan="${PLAN:-experiments/long_context/sweep/full.yaml}"
exec mgen-lc study "$plan" --index "${SLURM_ARRAY_TASK_ID:?run with sbatch}"
