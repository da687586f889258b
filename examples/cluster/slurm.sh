#!/bin/bash
# A sweep as a job array of Slurm. Edit WORDS, COUNT and the lines with #SBATCH, then:
#
#   fits=$(sbatch --parsable slurm.sh)                                     # no array: the fits, made once
#   shards=$(sbatch --parsable --array=1-16 --dependency=afterok:$fits slurm.sh)
#   sbatch --dependency=afterany:$shards --wrap "mlopsim merge sweep/shards/* --out sweep/all"
#
# A shard that failed or was lost goes on: sbatch --array=7 slurm.sh
#SBATCH --job-name=mlopsim
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
set -euo pipefail

# what is run: the same words in every job
WORDS=(suite=delivery-core)
# how many shards there are, also where a job repeats one of them
COUNT=${COUNT:-16}
NUMBER=${SLURM_ARRAY_TASK_ID:-0}
WORKERS=${SLURM_CPUS_PER_TASK:-1}
# a folder that every machine sees, and seconds between two copies to it
SHARED=${SHARED:-$SLURM_SUBMIT_DIR/sweep}
EVERY=${EVERY:-600}

# -- from here on the same in every template --------------------------------------------------------
# SQLite's log does not work on network disks: a job writes on its own machine, whole copies travel.
LOCAL=$(mktemp -d "${TMPDIR:-/tmp}/mlopsim-XXXXXXXX")
if [ "$NUMBER" = 0 ]; then
    HERE=$LOCAL/fits THERE=$SHARED/fits
    PART=(--fits-only)
else
    HERE=$LOCAL/shard THERE=$SHARED/shards/$NUMBER
    cp -r "$SHARED/fits" "$LOCAL/fits"
    PART=("shard=$NUMBER/$COUNT" "fits=$LOCAL/fits")
fi
# go on where an earlier job ended
if [ -d "$THERE" ]; then cp -r "$THERE" "$HERE"; fi

# what is done so far, as it is at this moment, replaces the copy at once or not at all
keep() {
    if [ -f "$HERE/ledger.sqlite" ]; then mlopsim merge "$HERE" --out "$THERE"; fi
}

mlopsim bench "${WORDS[@]}" "${PART[@]}" "results=$HERE" "workers=$WORKERS" --no-report &
RUN=$!
trap 'kill -TERM "$RUN" || true' TERM
while kill -0 "$RUN" 2> /dev/null; do
    # until it ends or it is time for a copy; a signal ends the waiting, too
    timeout "$EVERY" tail --pid="$RUN" -f /dev/null &
    wait "$!" || true
    keep || true
done
STATUS=0
wait "$RUN" || STATUS=$?
keep
rm -rf "$LOCAL"
exit "$STATUS"
