/* Who goes where by name and shape: names as public models have them. */
#include "tests/support/run.h"

typedef struct {
    const char *name;
    size_t rows, cols;
} sample;

/* embeddings, output heads, norms, biases, stacks of them, vectors */
static const sample elementwise[] = {
    {"wte.weight", 50257, 768},
    {"wpe.weight", 1024, 768},
    {"h.0.ln_1.weight", 1, 768},
    {"model/wte", 50257, 768},
    {"model/wpe", 1024, 768},
    {"model/h0/mlp/c_fc/b", 1, 3072},
    {"model/h0/ln_1/g", 1, 768},
    {"transformer.wte.weight", 50304, 768},
    {"transformer.wpe.weight", 1024, 768},
    {"lm_head.weight", 50304, 768},
    {"tok_emb.weight", 50257, 768},
    {"pos_emb", 1024, 768},
    {"head.weight", 50257, 768},
    {"token_embedding_table.weight", 65, 384},
    {"position_embedding_table.weight", 256, 384},
    {"wte", 50304, 768},
    {"wpe", 1024, 768},
    {"ln1w", 12, 768},
    {"ln1b", 12, 768},
    {"qkvb", 12, 2304},
    {"attprojb", 12, 768},
    {"ln2w", 12, 768},
    {"fcb", 12, 3072},
    {"fcprojb", 12, 768},
    {"lnfw", 1, 768},
    {"wlmhead", 128256, 2048},
    {"rms_att_weight", 6, 288},
    {"rms_ffn_weight", 6, 288},
    {"wcls", 32000, 288},
    {"token_embd.weight", 32000, 4096},
    {"output.weight", 32000, 4096},
    {"output_norm.weight", 1, 4096},
    {"position_embd.weight", 512, 384},
    {"token_types.weight", 2, 384},
    {"blk.0.attn_norm.weight", 1, 4096},
    {"tok_embeddings.weight", 32000, 4096},
    {"model.embed_tokens.weight", 32000, 4096},
    {"shared.weight", 32128, 768},
    {"transformer.shared.weight", 32128, 768},
    {"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", 32, 12},
    {"bert.embeddings.word_embeddings.weight", 30522, 768},
    {"bert.embeddings.position_embeddings.weight", 512, 768},
    {"bert.embeddings.token_type_embeddings.weight", 2, 768},
    {"cls.predictions.decoder.weight", 30522, 768},
    {"cls.seq_relationship.weight", 2, 768},
    {"qa_outputs.weight", 2, 768},
    {"classifier.weight", 3, 768},
    {"lm_head.decoder.weight", 50265, 768},
    {"classifier.out_proj.weight", 3, 768},
    {"score.weight", 2, 4096},
    {"encoder.pos_embedding", 197, 768},
    {"heads.head.weight", 1000, 768},
    {"pos_embed", 197, 768},
    {"patch_embed.proj.weight", 768, 768},
    {"head.fc.weight", 1000, 768},
    {"Transformer/posembed_input/pos_embedding", 197, 768},
    {"Transformer/encoderblock_0/LayerNorm_0/scale", 1, 768},
    {"head/kernel", 768, 1000},
    {"params/Embed_0/embedding", 1000, 64},
    {"decoder/logits_dense/kernel", 512, 32128},
    {"embedding/embeddings:0", 10000, 64},
    {"predictions/kernel:0", 2048, 1000},
    {"batch_normalization/gamma:0", 1, 64},
    {"fc.weight", 1000, 512},
    {"module.fc.weight", 1000, 512},
    {"classifier.6.weight", 1000, 4096},
    {"roi_heads.box_predictor.cls_score.weight", 91, 1024},
    {"y_embedder.embedding_table.weight", 1001, 1152},
    {"generator.proj.weight", 32000, 512},
    {"proj_out.weight", 51865, 768},
    {"decoder.token_embedding.weight", 51865, 768},
    {"embed_out.weight", 50432, 6144},
    {"decoder.output_projection.weight", 40000, 512},
    {"transformer.output_layer.weight", 65024, 4096},
    {"layers.0.mixer.A_log", 1536, 16},
    {"unembed.W_U", 768, 50257},
    {"blocks.0.attn.rel_pos_h", 27, 64},
    {"layers.0.blocks.0.attn.relative_position_bias_table", 169, 3},
    {"query_tokens", 32, 768},
    {"mlp_head.1.weight", 1000, 1024},
    {"special_column", 512, 1},
    {"weight_row", 1, 512},
    {"out.weight", 10, 64},
    {"to_logits.weight", 256, 512},
    {"lm_head", 50257, 768},
    {"LM_Head", 50257, 768},
    {"visual.positional_embedding", 50, 768},
    {"h.0.attn.qkv.bias", 3, 768},
    {"bbox_pred.weight", 364, 1024},
    {"final_norm.scale", 2, 16},
    {"layers.0.attention_norm.weight", 1, 4096},
    {"final_layer_norm.weight", 2, 512},
    {"positional_encoding", 128, 512},
    {"decoder.final_logits_bias", 2, 50265},
    {"encoder.embed_positions.weight", 1026, 1024},
    {"rnn.embedding.weight", 1000, 128},
    {"cls_token", 1, 768},
    {"gpt_neox.embed_in.weight", 50304, 1024},
    {"transformer.word_embeddings.weight", 65024, 4544},
    {"aux_head.fc.weight", 1000, 768},
    {"params/LayerNorm_0/scale", 12, 768},
    {"params/shared/embedding", 32128, 512},
    {"params/lm_head/kernel", 512, 32128},
    {"mask_decoder.iou_token.weight", 1, 256},
    {"model.norm.weight", 1, 4096},
    {"blocks.3.norm2.weight", 4, 384},
    {"Embed_0.embedding", 10, 4},
    {"text_model.embeddings.token_embedding.weight", 49408, 512},
    {"bias", 12, 24},
    {"b", 4, 24},
    {"k_norm.weight", 4, 128},
    {"heads.0.weight", 10, 20},
    {"cls_head.weight", 10, 64},
    {"seg_head.weight", 21, 64},
    {"decode_head.weight", 21, 64},
    {"decoder_pos_embed", 197, 512},
    {"decoder_pred.weight", 768, 512},
    {"decoder_embed.weight", 512, 768},
    {"mask_token", 1, 512},
    {"ViT/cls", 1, 768},
    {"ppe", 197, 768},
    {"ptew", 768, 768},
    {"classifierw", 1000, 768},
    {"level_embed", 4, 256},
    {"text_encoder.embedding.weight", 178, 512},
    {"rnn.bias_ih_l0", 2, 512},
    {"encoder/relpos_bias/rel_embedding", 12, 32},
    {"encoder/layers_0/pre_attention_layer_norm/scale", 1, 768},
    {"token_embedder/embedding", 32128, 768},
    {"decoder/decoder_norm/scale", 12, 768},
    {"final_logits.weight", 10, 10},
    {"opt/target/embedding/kernel", 768, 768},
    {"opt/target/head/kernel", 768, 1000},
    {"block1/unit1/gn1/scale", 2, 64},
    {"gn_root/scale", 2, 64},
    {"discriminator_predictions.dense_prediction.weight", 1, 256},
    {"attn_rot_embd.weight", 64, 64},
    {"blk.0.ffn_norm.weight", 2, 8},
    {"tied.lmhead", 1000, 10},
    {"output_layer/kernel", 10, 10},
    {"vocab_head.proj.weight", 1000, 10},
    {"rel_pos_bias", 32, 8},
    {"backbone.embeddings.weight", 50280, 768},
    {"backbone.norm_f.weight", 1, 768},
    {"speech.score.weight", 10, 20},
    {"bert/embeddings/word_embeddings", 30522, 768},
    {"bert/encoder/layer_0/output/LayerNorm/gamma", 1, 768},
    {"cls/predictions/output_bias", 1, 30522},
    {"cls/seq_relationship/output_weights", 2, 768},
    {"output_weights", 2, 768},
    {"bert/embeddings/token_type_embeddings", 2, 768},
};

/* what the inside of a model is made of */
static const sample matrices[] = {
    {"h.0.attn.c_attn.weight", 768, 2304},
    {"h.0.attn.c_proj.weight", 768, 768},
    {"h.11.mlp.c_fc.weight", 768, 3072},
    {"h.11.mlp.c_proj.weight", 3072, 768},
    {"model/h0/attn/c_attn/w", 768, 2304},
    {"model/h0/mlp/c_fc/w", 768, 3072},
    {"transformer.h.0.attn.c_attn.weight", 2304, 768},
    {"transformer.h.0.mlp.c_proj.weight", 768, 3072},
    {"blocks.0.attn.key.weight", 768, 768},
    {"blocks.0.attn.query.weight", 768, 768},
    {"blocks.0.mlp.0.weight", 3072, 768},
    {"blocks.0.mlp.2.weight", 768, 3072},
    {"blocks.0.sa.heads.0.key.weight", 64, 384},
    {"blocks.0.sa.proj.weight", 384, 384},
    {"blocks.0.ffwd.net.0.weight", 1536, 384},
    {"qkvw", 27648, 768},
    {"attprojw", 9216, 768},
    {"fcw", 36864, 768},
    {"fcprojw", 9216, 3072},
    {"wq", 1728, 288},
    {"wo", 1728, 288},
    {"w1", 4608, 288},
    {"blk.0.attn_q.weight", 4096, 4096},
    {"blk.0.attn_output.weight", 4096, 4096},
    {"blk.0.ffn_gate.weight", 11008, 4096},
    {"blk.0.ffn_down.weight", 4096, 11008},
    {"blk.0.ffn_gate_inp.weight", 8, 4096},
    {"layers.0.attention.wq.weight", 4096, 4096},
    {"layers.0.feed_forward.w1.weight", 11008, 4096},
    {"model.layers.0.self_attn.q_proj.weight", 4096, 4096},
    {"model.layers.0.mlp.gate_proj.weight", 11008, 4096},
    {"model.layers.0.mlp.shared_expert.up_proj.weight", 1408, 2048},
    {"model.layers.0.mlp.experts.3.down_proj.weight", 2048, 1408},
    {"encoder.block.0.layer.0.SelfAttention.q.weight", 768, 768},
    {"encoder.block.0.layer.0.SelfAttention.o.weight", 768, 768},
    {"encoder.block.0.layer.1.DenseReluDense.wi_0.weight", 2048, 768},
    {"decoder.block.0.layer.1.EncDecAttention.k.weight", 768, 768},
    {"bert.encoder.layer.0.attention.self.query.weight", 768, 768},
    {"bert.encoder.layer.0.attention.output.dense.weight", 768, 768},
    {"bert.encoder.layer.0.intermediate.dense.weight", 3072, 768},
    {"bert.encoder.layer.0.output.dense.weight", 768, 3072},
    {"bert.pooler.dense.weight", 768, 768},
    {"cls.predictions.transform.dense.weight", 768, 768},
    {"lm_head.dense.weight", 768, 768},
    {"classifier.dense.weight", 768, 768},
    {"encoder.layers.encoder_layer_0.self_attention.in_proj_weight", 2304, 768},
    {"encoder.layers.encoder_layer_0.self_attention.out_proj.weight", 768, 768},
    {"encoder.layers.encoder_layer_0.mlp.linear_1.weight", 3072, 768},
    {"conv_proj.weight", 768, 768},
    {"blocks.0.attn.qkv.weight", 2304, 768},
    {"blocks.0.mlp.fc1.weight", 3072, 768},
    {"Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel", 768, 768},
    {"Transformer/encoderblock_0/MlpBlock_3/Dense_0/kernel", 768, 3072},
    {"pre_logits/kernel", 768, 768},
    {"params/layers_0/Dense_0/kernel", 64, 64},
    {"multi_head_attention/query/kernel", 64, 64},
    {"transformer_layer/multi_head_attention/attention_output/kernel", 64, 64},
    {"transformer_layer/feedforward_output_dense/kernel", 256, 64},
    {"dense_1/kernel:0", 128, 64},
    {"conv2d_3/kernel:0", 64, 576},
    {"conv1.weight", 64, 147},
    {"layer1.0.conv1.weight", 64, 64},
    {"layer2.0.downsample.0.weight", 128, 64},
    {"fc1.weight", 256, 784},
    {"layer1.0.se.fc.weight", 16, 64},
    {"roi_heads.box_head.fc6.weight", 1024, 12544},
    {"adaLN_modulation.1.weight", 4608, 768},
    {"t_embedder.mlp.0.weight", 768, 256},
    {"time_embedding.linear_1.weight", 1280, 320},
    {"norm1.linear.weight", 6912, 1152},
    {"down_blocks.0.attentions.0.proj_out.weight", 320, 320},
    {"layers.0.mixer.in_proj.weight", 3072, 768},
    {"blocks.0.attn.lora_B.weight", 768, 8},
    {"normalizing_flow.w", 64, 64},
    {"overhead.weight", 64, 64},
    {"forehead", 32, 32},
    {"embodiment.weight", 32, 32},
    {"abnormal.weight", 16, 16},
    {"unbiased_estimator.weight", 16, 16},
    {"fc.0.weight", 128, 64},
    {"encoder.weight", 64, 64},
    {"visual.transformer.resblocks.0.attn.in_proj_weight", 2304, 768},
    {"visual.transformer.resblocks.0.mlp.c_fc.weight", 3072, 768},
    {"up_blocks.1.resnets.0.conv1.weight", 640, 5760},
    {"h.0.attn.qkv", 2304, 768},
    {"tower.0.linear", 32, 32},
    {"decoder.layers.0.fc1.weight", 4096, 1024},
    {"decoder.layers.0.encoder_attn.out_proj.weight", 1024, 1024},
    {"gpt_neox.layers.0.attention.query_key_value.weight", 3072, 1024},
    {"gpt_neox.layers.0.mlp.dense_h_to_4h.weight", 4096, 1024},
    {"transformer.h.0.self_attention.dense.weight", 4544, 4544},
    {"features.0.weight", 64, 27},
    {"features.3.conv.weight", 64, 64},
    {"params/h/0/attn/c_attn/kernel", 2304, 768},
    {"Dense_2.kernel", 10, 4},
    {"text_model.encoder.layers.0.self_attn.k_proj.weight", 512, 512},
    {"text_projection.weight", 512, 512},
    {"w", 24, 24},
    {"w_in", 24, 24},
    {"mlp.experts.gate_up_proj", 1024, 512},
    {"sa_heads.0.query.weight", 16, 64},
    {"attention_heads.weight", 64, 64},
    {"decoder_blocks.0.attn.qkv.weight", 1536, 512},
    {"lstm.weight_hh_l0", 512, 128},
    {"rnn.weight_ih_l0", 512, 128},
    {"encoder/layers_0/attention/query/kernel", 768, 768},
    {"encoder/layers_0/mlp/wi_0/kernel", 768, 2048},
    {"encoder/layers_0/mlp/wo/kernel", 2048, 768},
    {"conv_root/kernel", 64, 147},
    {"block1/unit1/conv1/kernel", 64, 64},
    {"embeddings_project_inner.0.linear.weight", 256, 128},
    {"backbone.layers.3.mixer.out_proj.weight", 768, 1536},
    {"backbone.layers.3.mixer.x_proj.weight", 80, 1536},
    {"model.layers.0.block_sparse_moe.gate.weight", 8, 4096},
    {"model.layers.0.block_sparse_moe.experts.0.w1.weight", 14336, 4096},
    {"bert/encoder/layer_0/attention/self/query/kernel", 768, 768},
    {"bert/encoder/layer_0/output/dense/kernel", 3072, 768},
    {"cls/predictions/transform/dense/kernel", 768, 768},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int judge(const sample *s)
{
    static float one; /* only the shape is looked at */
    return ng_policy_elementwise(s->name, ng_f32(&one, s->rows, s->cols));
}

START_TEST(names)
{
    for (size_t i = 0; i < COUNT(elementwise); i++)
        ck_assert_msg(judge(&elementwise[i]), "%s is taken for a matrix", elementwise[i].name);
    for (size_t i = 0; i < COUNT(matrices); i++)
        ck_assert_msg(!judge(&matrices[i]), "%s is no matrix", matrices[i].name);
}
END_TEST

/* Names that are no names: long, empty, of signs alone. */
START_TEST(odd_names)
{
    static char name[4096];
    static float one;
    ng_mat m = ng_f32(&one, 8, 8);
    static const char *const odd[] = {"",    ".",        "...", "___", "0",
                                      "0.0", "\xff\xfe", "a.",  ".a",  "/"};
    for (size_t i = 0; i < COUNT(odd); i++)
        ck_assert_int_eq(ng_policy_elementwise(odd[i], m), 0);
    ck_assert_int_eq(ng_policy_elementwise(NULL, m), 0);
    for (size_t i = 0; i + 1 < sizeof name; i++)
        name[i] = "ab.C9/_"[i % 7];
    ck_assert_int_eq(ng_policy_elementwise(name, m), 0);
    memset(name, 'x', sizeof name - 1); /* one long word, "head" behind it */
    memcpy(name + sizeof name - 6, ".head", 5);
    ck_assert_int_eq(ng_policy_elementwise(name, m), 1);
}
END_TEST

typedef struct {
    int told;
    char text[256];
} listener;

static void hear(const char *text, void *data)
{
    listener *l = data;
    l->told++;
    strncpy(l->text, text, sizeof l->text - 1);
}

/* A decision by the shape alone is told, and no other. */
START_TEST(messages)
{
    static const struct {
        const char *name;
        size_t rows;
        int told;
    } params[] = {{"normalizing_flow.w", 4, 1},
                  {"h.0.attn.c_attn.weight", 4, 0},
                  {"wte", 4, 0},
                  {"theta", 1, 0},
                  {"special", 4, 0},
                  {"psi", 4, 1}};
    float w[COUNT(params)][16] = {{0}}, dw[16] = {0};
    listener l = {0, ""};
    ng_optimizer *opt;
    ng_group *hidden, *rest, *chosen;
    void *muon = test_options("muon", ""), *adamw = test_options("adamw", "");
    ng_assert_ok(ng_optimizer_create(&opt, NULL), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &hidden, muon), NULL);
    ng_assert_ok(ng_optimizer_add_group(opt, &rest, adamw), NULL);
    ng_assert_ok(ng_optimizer_set_message(opt, hear, &l), NULL);
    ng_policy_rule rule = {"spec*", hidden};
    ng_policy p;
    ng_policy_init(&p, hidden, rest);
    p.rules = &rule, p.rule_count = 1;
    for (size_t i = 0; i < COUNT(params); i++) {
        int before = l.told;
        ng_mat m = ng_f32(w[i], params[i].rows, 4), g = ng_f32(dw, params[i].rows, 4);
        ng_assert_ok(ng_policy_add(&p, &chosen, NULL, params[i].name, m, g), NULL);
        ck_assert_msg(l.told - before == params[i].told, "%s", params[i].name);
        if (params[i].told) {
            ck_assert(chosen == hidden);
            ck_assert_ptr_nonnull(strstr(l.text, params[i].name));
            ck_assert_ptr_nonnull(strstr(l.text, "shape"));
        }
    }
    /* refused: nothing to tell */
    ck_assert_int_eq(ng_policy_add(&p, NULL, NULL, "psi", ng_f32(w[0], 4, 4), ng_f32(dw, 4, 4)),
                     NG_EARG);
    ck_assert_int_eq(l.told, 2);
    ng_optimizer_destroy(opt);
    free(muon), free(adamw);
}
END_TEST

TEST_SUITE(policy)
{
    TCase *tcase = tcase_create("policy");
    tcase_add_test(tcase, names);
    tcase_add_test(tcase, odd_names);
    tcase_add_test(tcase, messages);
    suite_add_tcase(suite, tcase);
}
