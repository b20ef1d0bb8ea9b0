"""The names that CompVis and Stability AI gave a model's tensors, from diffusers' and transformers'."""
import re


def residual(rest):
    for own, foreign in [("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
                         ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection")]:
        if rest.startswith(own + "."): return foreign + rest[len(own):]
    raise KeyError(rest)


def unet_name(key, layers, levels, up_types):
    if m := re.fullmatch(r"(time_embedding|class_embedding|add_embedding)\.linear_([12])\.(\w+)", key):
        start = "time_embed" if m[1] == "time_embedding" else "label_emb.0"
        return f"{start}.{0 if m[2] == '1' else 2}.{m[3]}"
    if key == "class_embedding.weight": return "label_emb.weight"
    for own, foreign in [("conv_in.", "input_blocks.0.0."), ("conv_norm_out.", "out.0."), ("conv_out.", "out.2.")]:
        if key.startswith(own): return foreign + key[len(own):]
    if m := re.fullmatch(r"mid_block\.resnets\.(\d)\.(.+)", key): return f"middle_block.{2 * int(m[1])}.{residual(m[2])}"
    if m := re.fullmatch(r"mid_block\.attentions\.0\.(.+)", key): return f"middle_block.1.{m[1]}"
    m = re.fullmatch(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d+)\.(.+)", key)
    level, index, rest = int(m[2]), int(m[4]), m[5]
    side, first = ("input_blocks", 1 + level * (layers + 1)) if m[1] == "down" else ("output_blocks", level * (layers + 1))
    if m[3] == "resnets": return f"{side}.{first + index}.0.{residual(rest)}"
    if m[3] == "attentions": return f"{side}.{first + index}.1.{rest}"
    if m[3] == "downsamplers": return f"{side}.{first + layers}.0.op.{rest.removeprefix('conv.')}"
    return f"{side}.{first + layers}.{2 if 'Cross' in up_types[level] else 1}.{rest}"


def vae_name(key, levels):
    key = key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
    key = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", key)
    key = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", key)
    key = re.sub(r"up_blocks\.(\d)\.resnets", lambda m: f"up.{levels - 1 - int(m[1])}.block", key)
    key = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"up.{levels - 1 - int(m[1])}.upsample", key)
    key = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", key)
    key = key.replace("mid_block.attentions.0", "mid.attn_1")
    for own, foreign in [("group_norm", "norm"), ("to_q", "q"), ("to_k", "k"), ("to_v", "v"), ("to_out.0", "proj_out")]:
        key = key.replace(f"attn_1.{own}.", f"attn_1.{foreign}.")
    return key


def open_clip_shapes(shapes):
    result = {}
    for key, shape in shapes.items():
        key = key.removeprefix("text_model.")
        if key == "text_projection.weight": result["text_projection"] = shape[::-1]
        elif key == "embeddings.token_embedding.weight": result["token_embedding.weight"] = shape
        elif key == "embeddings.position_embedding.weight": result["positional_embedding"] = shape
        elif key.startswith("final_layer_norm."): result["ln_final" + key[len("final_layer_norm"):]] = shape
        else:
            m = re.fullmatch(r"encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", key)
            block = f"transformer.resblocks.{m[1]}."
            if m[2] in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"):
                result[f"{block}attn.in_proj_{m[3]}"] = [3 * shape[0]] + list(shape[1:])
            else:
                part = {"self_attn.out_proj": "attn.out_proj", "layer_norm1": "ln_1", "layer_norm2": "ln_2",
                        "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}[m[2]]
                result[f"{block}{part}.{m[3]}"] = shape
    return result


def shapes(model):
    return {key: list(value.shape) for key, value in model.state_dict().items() if "position_ids" not in key}


def unet_shapes(unet):
    c = unet.config
    return {unet_name(k, c.layers_per_block, len(c.block_out_channels), c.up_block_types): s for k, s in shapes(unet).items()}


def vae_shapes(vae):
    levels = len(vae.config.block_out_channels)
    return {vae_name(k, levels): s + [1, 1] if "attentions" in k and len(s) == 2 else s for k, s in shapes(vae).items()}


def clip_shapes(text):
    return {"text_model." + k.removeprefix("text_model.") if "text_projection" not in k else k: s for k, s in shapes(text).items()}
