// One line of names for each key: a name stands once in the whole table.
#include "configs/aliases.h"

#include <algorithm>
#include <string>
#include <vector>

namespace heddle {

namespace {

struct Names {
  std::string_view key, names;  // with blanks between
};

constexpr Names kNames[] = {
    {"schedule.learning_rate",
     "lr learn_rate peak_lr max_lr base_lr initial_lr init_lr max_learning_rate peak_learning_rate "
     "initial_learning_rate"},
    {"schedule.final_learning_rate",
     "min_lr lr_min eta_min min_learning_rate learning_rate_min end_learning_rate final_lr"},
    {"schedule.warmup",
     "warmup_steps warmup_updates num_warmup_steps n_warmup_steps lr_warmup learning_rate_warmup "
     "warmup_iters"},
    {"schedule.decay_steps",
     "total_num_update t_max max_decay_steps lr_decay_steps lr_decay_iters"},
    {"schedule",
     "scheduler lr_scheduler lr_scheduler_type scheduling decay_method learning_rate_schedule "
     "lr_schedule"},
    {"train.steps",
     "max_steps train_steps training_steps num_steps n_steps total_steps num_train_steps "
     "num_training_steps max_update max_updates num_updates updates after_batches iterations "
     "max_iterations num_iterations max_iter max_iters"},
    {"train.epochs", "max_epoch max_epochs num_epochs n_epochs num_train_epochs after_epochs"},
    {"train.batch_tokens",
     "batch_size max_tokens tokens_per_batch max_tokens_per_batch mini_batch mini_batch_words "
     "mini_batch_size minibatch_size train_batch_size per_device_train_batch_size batch_token"},
    {"train.accumulate",
     "accum_count accum_steps accum_grad update_freq gradient_accumulation "
     "gradient_accumulation_steps accumulation_steps grad_accumulation accumulate_grad_batches "
     "batch_multiplier optimizer_delay"},
    {"train.label_smoothing",
     "label_smoothing_factor label_smoothing_epsilon label_smooth smoothing"},
    {"train.clip_norm",
     "max_grad_norm grad_norm grad_clip gradient_clip clip_grad clip_grad_norm clip_gradient "
     "grad_clip_norm gradient_clip_norm gradient_clip_val gradient_clipping"},
    {"train.ema_decay",
     "ema average_decay exponential_smoothing ema_rate ema_alpha moving_average_decay"},
    {"train.report_every",
     "log_interval log_every log_every_n_steps log_freq logging_freq logging_steps disp_freq "
     "print_every print_freq report_interval"},
    {"train.validate_every",
     "eval_every eval_freq eval_steps eval_interval valid_every valid_freq valid_steps "
     "validation_freq validation_steps validation_interval validate_interval_updates "
     "val_check_interval val_every"},
    {"train.validate_every_epochs", "validate_interval eval_every_epochs check_val_every_n_epoch"},
    {"train.checkpoint_every",
     "save_freq save_every save_steps save_interval_updates save_checkpoint_steps "
     "save_checkpoints_steps checkpoint_steps checkpoint_freq checkpoint_interval"},
    {"train.checkpoint_every_epochs", "save_interval save_every_epochs"},
    {"train.keep_last",
     "save_total_limit keep_checkpoint keep_checkpoints keep_last_epochs keep_last_ckpts "
     "keep_interval_updates max_to_keep"},
    {"train.keep_best", "keep_best_ckpts keep_best_checkpoints keep_best_epochs save_top_k"},
    {"train.best_by",
     "metric_for_best_model best_checkpoint_metric best_metric early_stopping_metric "
     "early_stopping_on monitor"},
    {"train.metrics", "eval_metric eval_metrics valid_metric valid_metrics validation_metrics"},
    {"train.bleu_tokens", "sacrebleu_tokenize bleu_tokenize eval_bleu_detok"},
    {"train.patience", "early_stop early_stopping early_stopping_patience early_stopping_rounds"},
    {"train.sample_translations", "print_valid_sents valid_sent_idx"},
    {"train.average_last", "average_checkpoints num_epoch_checkpoints avg_checkpoints"},
    {"train.validation_beam", "eval_beam valid_beam valid_beam_size validation_beam_size"},
    {"train.init_from",
     "train_from load_model pretrained pretrained_model restore_file finetune_from_model "
     "init_checkpoint"},
    {"train.dtype", "fp16 bf16 precision mixed_precision torch_dtype"},
    {"train.lanes", "num_lanes n_lanes num_gpus nproc_per_node"},
    {"train", "training trainer"},
    {"model.d_model",
     "hidden_size hidden_dim hidden_units model_dim model_size dim_model dim_emb embed_dim "
     "embed_size embedding_dim embedding_size emb_dim emb_size d_embed n_embd rnn_size "
     "word_vec_size"},
    {"model.encoder.d_model", "encoder_embed_dim enc_hid_size"},
    {"model.decoder.d_model", "decoder_embed_dim dec_hid_size"},
    {"model.d_ff",
     "ffn_dim ff_dim ff_size ffn_size ffn_hidden_size d_ffn d_hid d_inner n_inner dim_ffn dim_ff "
     "dim_feedforward feedforward_dim feed_forward_size ffn_embed_dim filter_size "
     "intermediate_size mlp_dim transformer_ff transformer_dim_ffn"},
    {"model.encoder.d_ff", "encoder_ffn_dim encoder_ffn_embed_dim encoder_ff_size"},
    {"model.decoder.d_ff", "decoder_ffn_dim decoder_ffn_embed_dim decoder_ff_size"},
    {"model.heads",
     "nhead nheads n_head n_heads num_head num_heads head_count attention_heads "
     "num_attention_heads n_attention_heads transformer_heads"},
    {"model.encoder.heads", "encoder_attention_heads encoder_heads"},
    {"model.decoder.heads", "decoder_attention_heads decoder_heads"},
    {"model.kv_heads", "num_key_value_heads num_kv_heads n_kv_heads kv_head"},
    {"model.layers", "num_layers n_layer n_layers num_hidden_layers num_blocks n_blocks depth"},
    {"model.encoder.layers",
     "encoder_layers enc_layers num_encoder_layers n_encoder_layers enc_depth encoder_depth "
     "enc_num_layers"},
    {"model.decoder.layers",
     "decoder_layers dec_layers num_decoder_layers n_decoder_layers dec_depth decoder_depth "
     "dec_num_layers"},
    {"model.dropout",
     "dropout_rate dropout_prob drop_rate drop_prob p_dropout hidden_dropout hidden_dropout_prob "
     "transformer_dropout"},
    {"model.attention_dropout",
     "attn_dropout attn_pdrop attention_dropout_rate attention_probs_dropout_prob "
     "transformer_dropout_attention"},
    {"model.activation_dropout",
     "relu_dropout ffn_dropout ff_dropout activation_dropout_rate transformer_dropout_ffn"},
    {"model.residual_dropout", "resid_dropout resid_pdrop"},
    {"model.embedding_dropout", "emb_dropout embd_pdrop embed_dropout"},
    {"model.activation",
     "activation_fn activation_function hidden_act hidden_activation ffn_activation "
     "pos_ffn_activation_fn transformer_ffn_activation"},
    {"model.gated", "glu swiglu use_glu gated_ffn"},
    {"model.norm_order",
     "pre_norm prenorm post_norm postnorm norm_first normalize_before encoder_normalize_before "
     "decoder_normalize_before layer_norm_position"},
    {"model.norm", "norm_type norm_layer layer_norm layernorm"},
    {"model.norm_eps",
     "layer_norm_eps layer_norm_epsilon layernorm_epsilon rms_norm_eps norm_epsilon"},
    {"model.tie",
     "tied_embeddings tied_embeddings_all tied_embeddings_src tied_softmax tie_embeddings "
     "tie_weights tie_word_embeddings weight_tying share_embeddings share_all_embeddings "
     "share_decoder_embeddings share_decoder_input_output_embed"},
    {"model.positions",
     "position_encoding positional_encoding pos_encoding position_embedding position_embeddings "
     "position_embedding_type encoder_learned_pos decoder_learned_pos"},
    {"model.max_positions", "max_position_embeddings n_positions"},
    {"model.encoder.max_positions", "max_source_positions"},
    {"model.decoder.max_positions", "max_target_positions"},
    {"model.rotary_base", "rope_theta rope_base rotary_theta"},
    {"model.initialisation", "initializer init_method init_scheme param_init"},
    {"model.init_std", "initializer_range initializer_std init_stdev"},
    {"model", "network architecture arch"},
    {"data.max_length",
     "max_len max_seq_len max_seq_length max_sequence_length max_sent_length max_sentence_length "
     "model_max_length src_seq_length tgt_seq_length src_max_length"},
    {"data.train.source", "train_src train_source src_train path_src source_file"},
    {"data.train.target", "train_tgt train_trg train_target tgt_train path_tgt target_file"},
    {"data.valid.source", "valid_src val_src dev_src valid_source"},
    {"data.valid.target", "valid_tgt valid_trg val_tgt dev_tgt valid_target"},
    {"data.valid", "validation dev val valid_sets"},
    {"data.train", "train_sets corpus"},
    {"data.tokenizer", "tokenization tokeniser tokenizer_type subword_type level"},
    {"data.tokenizer.vocab_size",
     "vocabulary_size vocab_len n_vocab num_vocab bpe_size dim_vocabs src_vocab_size "
     "tgt_vocab_size source_vocab_size target_vocab_size voc_limit num_merges bpe_merges "
     "num_bpe_merges"},
    {"data.tokenizer.min_count",
     "min_freq min_frequency voc_min_freq vocab_min_freq src_words_min_frequency "
     "tgt_words_min_frequency"},
    {"data.tokenizer.sides",
     "share_vocab shared_vocab joint_vocab joined_dictionary joint_dictionary"},
    {"data.tokenizer.sample",
     "bpe_dropout subword_sampling subword_regularization sentencepiece_alphas"},
    {"data.tokenizer.character_coverage", "char_coverage"},
    {"data.tokenizer.normalisation", "normalization_rule_name"},
    {"data", "dataset datasets"},
    {"optimizer", "optim optimiser optimizer_type optimizer_name"},
    {"optimizer.betas", "adam_betas adam_beta1 adam_beta2 optimizer_params"},
    {"optimizer.eps", "epsilon adam_eps adam_epsilon opt_eps"},
    {"optimizer.weight_decay", "wd l2 l2_reg l2_regularization decoupled_weight_decay"},
    {"optimizer.groups", "param_groups parameter_groups"},
    {"decode.beam", "beam_size num_beams beam_width n_beams"},
    {"decode.length_penalty", "lenpen len_penalty length_penalty_alpha beam_alpha normalize"},
    {"decode.max_length", "max_output_length max_new_tokens max_decode_length max_decoding_length"},
    {"decode.max_length.factor", "max_len_a"},
    {"decode.max_length.extra", "max_len_b"},
    {"decode", "decoding generation generate testing inference"},
    {"seed", "random_seed rng_seed manual_seed random_state"},
};

std::vector<Alias> alias_table() {
  std::vector<Alias> table;
  for (const Names& line : kNames) {
    for (std::string_view rest = line.names; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      table.push_back({rest.substr(0, end), line.key});
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return table;
}

}  // namespace

std::span<const Alias> aliases() {
  static const std::vector<Alias> table = alias_table();
  return table;
}

std::string_view key_of_alias(std::string_view name) {
  std::string plain(name);
  for (char& c : plain) {
    if (c == '-') c = '_';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto found = std::ranges::find(aliases(), plain, &Alias::name);
  return found != aliases().end() ? found->key : std::string_view();
}

}  // namespace heddle
