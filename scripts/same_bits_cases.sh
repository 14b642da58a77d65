# shellcheck shell=bash
# The cases of scripts/same_bits.sh, which reads this file. They run in the folder of a side
# (build/same_bits/before or after); the text and the base config are in the folder above.

# A training in each line: name, threads, updates after which it is stopped and resumed (- for never),
# and what differs from base.json. Values contain no blanks. The wide models are for matrix products by a
# library, which small ones do without.
trainings() {
  sed -e 's/ *#.*//' -e '/^$/d' <<'TABLE'
subword   1 -  train.steps=500 train.lanes=2 train.accumulate=2 data.tokenizer.sample=0.1 train.ema_decay=0.95 train.best_by=chrf train.metrics=["bleu"] train.average_last=2 model.positions=rotary
threads   2 -  train.lanes=2 train.lane_tokens=128 train.max_source_tokens=300 model.norm_order=pre model.attention_dropout=0.1 train.ema_decay=0.9
unigram   1 33 data.tokenizer={"type":"subword","model":"unigram","vocab_size":300,"sample":0.3,"normalisation":"nfkc"} train.accumulate=2 train.ema_decay=0.9 model.norm_order=pre train.keep_best=2 train.average_best=2
words     1 -  data.tokenizer={"type":"word","sides":"separate","min_count":2} model.tie=target_output model.positions=learned model.norm=rms_norm model.activation=silu model.gated=true model.kv_heads=2 optimizer={"type":"adafactor"} schedule.type=linear train.validation_beam=3 train.metrics=["exact","wer","per","chrf++"]
mixed     1 20 data.tokenizer={"type":"word","sides":"separate","target":{"type":"character"}} model.tie=none model.output_bias=true optimizer={"type":"sgd","momentum":0.9,"nesterov":true,"weight_decay":0.001} schedule={"type":"constant","learning_rate":0.1,"warmup":5} train.best_by=bleu train.bleu_tokens=char data.max_length=100
character 1 -  data.tokenizer={"type":"character"} data.valid={"hold_out":24} data.max_length=100 model.activation=gelu optimizer={"type":"adamw","weight_decay":0.01,"groups":[{"match":"encoder.*_norm.*","freeze":true},{"match":"*.bias","learning_rate_factor":0.5}]} schedule={"type":"cosine","learning_rate":0.01,"warmup":10,"decay_steps":80} train.steps=unlimited train.epochs=2 train.validate_every_epochs=1 train.checkpoint_every_epochs=1 train.patience=2
bytes     1 -  data.tokenizer={"type":"byte"} data.max_length=100 model.dropout=0 model.activation_dropout=0.1 model.embedding_dropout=0.1 model.initialisation=depth_scaled optimizer={"type":"adafactor","beta1":0.9,"scale_parameter":false,"weight_decay":0.001} schedule={"type":"noam","warmup":30} train.steps=60
float64   1 20 train.dtype=float64 train.clip_norm=0.1 train.label_smoothing=0 model.layers=2 model.positions=rotary model.tie=source_target train.keep_best=2 train.steps=60
blocks    1 -  data.train.source=../text/train.en.gz model.encoder.block=[{"type":"feed_forward","d_ff":48},{"type":"self_attention"},{"type":"feed_forward"}] model.decoder.layers=2 model.decoder.kv_heads=1 model.activation=gelu model.gated=true model.initialisation=normal optimizer={"type":"sgd","momentum":0} schedule={"type":"constant","learning_rate":0.3}
wide      1 -  model.d_model=128 model.d_ff=512 model.layers=2 model.residual_dropout=0.2 train.batch_tokens=1000 train.steps=12 train.validate_every=12 train.report_every=4 train.metrics=["chrf"] data.valid.references=../text/valid.references decode.beam=4 decode.length_penalty=0.6
modern    1 -  model.d_model=128 model.d_ff=352 model.kv_heads=2 model.encoder.layers=3 model.norm_order=pre model.norm=rms_norm model.activation=silu model.gated=true model.positions=rotary model.initialisation=depth_scaled train.batch_tokens=1000 train.lanes=2 train.ema_decay=0.9 train.steps=12 train.validate_every=6 train.report_every=3 train.checkpoint_every=4
wide64    1 -  model.d_model=128 model.d_ff=256 train.dtype=float64 train.batch_tokens=800 train.steps=6 train.validate_every=3 train.report_every=2 optimizer.type=adamw optimizer.weight_decay=0.1
from_kept 1 -  train.init_from=../../../tests/kept_runs/0.1.0/run model.d_model=16 model.d_ff=32 model.heads=2 model.norm_order=pre model.positions=rotary
TABLE
}

# What is done with each of these models: name and arguments.
outputs() {
  cat <<'TABLE'
inspect   inspect MODEL
greedy    translate MODEL --input ../text/test.en --beam 1 --threads 1
beam      translate MODEL --input ../text/test.en --beam 4 --scores --length-penalty 0.6 --threads 1
n_best    translate MODEL --input ../text/test.en --beam 5 --n-best 3 --alignment --threads 1
sample    translate MODEL --input ../text/test.en --sample --seed 7 --top-k 20 --top-p 0.9 --temperature 0.8 --n-best 2 --threads 1
prefix    translate MODEL --input ../text/test.en --prefix ../text/test.prefix --beam 3 --max-length 20 --threads 2
score     score MODEL --source ../text/test.en --target ../text/test.fr --alignment --threads 1
evaluate  evaluate MODEL --source ../text/test.en --reference ../text/test.fr --json --threads 1
TABLE
}

# Name and arguments; what they write goes to the folder files.
others() {
  cat <<'TABLE'
average            average runs/subword --last 2 --output files/mean
groups             evaluate runs/subword --source ../text/test.en --reference ../text/test.fr --groups ../text/test.kind --per-line files/per_line --threads 2
metrics            evaluate --hypothesis ../text/other.fr --reference ../text/test.fr --reference ../text/test.prefix --metric exact --metric bleu --metric chrf --metric chrf++ --metric wer --metric per
gradcheck          gradcheck ../base.json --vocabulary 50 --directions 2 --threads 1
gradcheck_modern   gradcheck ../../../configs/modern.json --directions 0 --threads 1
config             config ../../../configs/multi30k.json --set model.heads=4
schema             config --schema
plot               plot ../../../tests/kept_runs/0.1.0/run --output files/curves.html
plot_svg           plot ../../../tests/kept_runs/0.1.0/run --output files/curves.svg
resume_kept        train ../../../tests/kept_runs/0.1.0/run.json --run files/kept --resume --threads 1
translate_kept     translate ../../../tests/kept_runs/0.1.0/run --input ../../../tests/kept_runs/0.1.0/text/valid.en --beam 2 --scores
TABLE
}

# The text and the base config.
make_text() {  # FOLDER
  local toy=data/toy text=$1/text side
  for side in en fr; do
    head -n 500 "$toy/train.$side" >"$text/train.$side"
    head -n 24 "$toy/valid.$side" >"$text/valid.$side"
    { head -n 24 "$toy/test.$side" && echo; } >"$text/test.$side"
  done
  # A line longer than the models read, and one of what no model has seen.
  printf 'The cats are small. %.0s' {1..300} >>"$text/test.en"
  printf '\n%s\n' $'\u4e16\u754c \xff 42' >>"$text/test.en"
  printf 'Les chats.\n42\n' >>"$text/test.fr"
  { head -n 24 "$toy/test.kind" && printf 'odd\nodd\nodd\n'; } >"$text/test.kind"
  cut -d ' ' -f 1 "$text/test.fr" >"$text/test.prefix"
  { sed -n '101,124p' "$toy/test.fr" && sed -n '1,3p' "$toy/test.fr"; } >"$text/other.fr"
  gzip --no-name --to-stdout "$text/train.en" >"$text/train.en.gz"
  paste "$text/valid.fr" <(head -n 24 "$toy/test.fr") >"$text/valid.references"
  for side in before after; do
    mkdir "$1/$side/files"
    cp -r tests/kept_runs/0.1.0/run "$1/$side/files/kept"
  done
  cat >"$1/base.json" <<'JSON'
{
  "seed": 3,
  "model": {"d_model": 32, "heads": 4, "d_ff": 64, "layers": 1, "dropout": 0.1},
  "data": {
    "train": {"source": "text/train.en", "target": "text/train.fr"},
    "valid": {"source": "text/valid.en", "target": "text/valid.fr"},
    "tokenizer": {"type": "subword", "vocab_size": 300},
    "max_length": 60
  },
  "schedule": {"type": "inverse_sqrt", "learning_rate": 0.01, "warmup": 20},
  "train": {
    "batch_tokens": 400, "steps": 60, "lanes": 1, "report_every": 7, "validate_every": 30,
    "checkpoint_every": 20, "keep_last": 2, "sample_translations": 1
  }
}
JSON
}
