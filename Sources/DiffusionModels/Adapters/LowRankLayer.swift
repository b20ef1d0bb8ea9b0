import TensorCore

/// A low-rank change of one weight (Hu et al. 2021, LoRA, arXiv:2106.09685, equation 3): `alpha / rank * up down`.
///
/// Of a convolution, `down` has the kernel and `up` is one by one; with a `middle` both are one by one and the kernel is the
/// middle's (LoCon's Tucker form, Yeh et al. 2023, arXiv:2309.14859, section 3).
struct LowRankLayer: Sendable {
  /// `[rank, in]` or `[rank, in, kernel height, kernel width]`, as in the file.
  var down: Tensor
  /// `[out, rank]` or `[out, rank, 1, 1]`.
  var up: Tensor
  /// `[rank, rank, kernel height, kernel width]`, where there is one.
  var middle: Tensor?
  /// What the rank is divided into; `nil` for the rank itself.
  var alpha: Double?

  /// The change for a weight of `shape` in the file, in float32: `[out, in]` or `[out, in, kernel height, kernel width]`.
  func change(_ shape: [Int]) -> Tensor {
    let rank = down.shape[0]
    let up = up.converted(to: .float32).reshaped([shape[0], rank])
    let down = down.converted(to: .float32)
    let scale = (alpha ?? Double(rank)) / Double(rank)
    guard let middle else {
      let columns = shape.dropFirst().reduce(1, *)
      return (up.matmul(down.reshaped([rank, columns])) * scale).reshaped(shape)
    }
    // [out, kernel, rank] [rank, in] gives [out, kernel, in].
    let kernel = shape[2] * shape[3]
    let mixed = up.matmul(middle.converted(to: .float32).reshaped([rank, rank * kernel]))
    let change = mixed.reshaped([shape[0], rank, kernel]).permuted([0, 2, 1])
      .reshaped([shape[0] * kernel, rank]).matmul(down.reshaped([rank, shape[1]]))
    return (change * scale).reshaped([shape[0], kernel, shape[1]]).permuted([0, 2, 1])
      .reshaped(shape)
  }
}

/// What a tensor of a file is of a ``LowRankLayer``.
enum LowRankRole: Sendable {
  case down, up, middle, alpha

  /// How names end, in kohya's, diffusers' (today's and earlier) and peft's files.
  static let endings: [(ending: String, role: LowRankRole)] = [
    (".lora_down.weight", .down), (".lora_up.weight", .up), (".lora_mid.weight", .middle),
    (".lora.down.weight", .down), (".lora.up.weight", .up),
    (".lora_linear_layer.down.weight", .down), (".lora_linear_layer.up.weight", .up),
    ("_lora.down.weight", .down), ("_lora.up.weight", .up),
    (".lora_A.weight", .down), (".lora_B.weight", .up),
    (".lora_A.default.weight", .down), (".lora_B.default.weight", .up),
    (".alpha", .alpha),
  ]

  /// The shape that a tensor of a file is to have, for a weight of `shape` and a rank; of linear layers both forms count.
  func shape(_ weight: [Int], rank: Int, found: [Int], hasMiddle: Bool) -> [Int] {
    let ones = found.count == 4 ? [1, 1] : []
    switch self {
    case .alpha: return found.reduce(1, *) == 1 ? found : []
    case .middle: return [rank, rank] + weight.dropFirst(2)
    case .up: return [weight[0], rank] + ones
    case .down:
      let isOneByOne = weight.dropFirst(2).allSatisfy { $0 == 1 }
      return [rank, weight[1]] + (isOneByOne || hasMiddle ? ones : Array(weight.dropFirst(2)))
    }
  }
}
