import TensorCore

/// What a tensor of an adapter's file is of the change of one weight.
enum AdapterRole: Sendable, Hashable, CaseIterable {
  /// Of a ``LowRankLayer``.
  case down, up, middle
  /// Of a ``HadamardLayer``.
  case left1, right1, core1, left2, right2, core2
  /// Of a ``KroneckerLayer``.
  case coarse, coarseLeft, coarseRight, fine, fineLeft, fineRight, fineCore
  /// What the rank is divided into.
  case alpha
  /// The lengths that a weight's rows get (DoRA), as peft has them and as kohya and LyCORIS do.
  case magnitude, scale

  /// How names end, in kohya's, LyCORIS', diffusers' (today's and earlier) and peft's files.
  static let endings: [(ending: String, role: AdapterRole)] = [
    (".lora_down.weight", .down), (".lora_up.weight", .up), (".lora_mid.weight", .middle),
    (".lora.down.weight", .down), (".lora.up.weight", .up),
    (".lora_linear_layer.down.weight", .down), (".lora_linear_layer.up.weight", .up),
    ("_lora.down.weight", .down), ("_lora.up.weight", .up),
    (".lora_A.weight", .down), (".lora_B.weight", .up),
    (".lora_A.default.weight", .down), (".lora_B.default.weight", .up),
    (".hada_w1_a", .left1), (".hada_w1_b", .right1), (".hada_t1", .core1),
    (".hada_w2_a", .left2), (".hada_w2_b", .right2), (".hada_t2", .core2),
    (".lokr_w1", .coarse), (".lokr_w1_a", .coarseLeft), (".lokr_w1_b", .coarseRight),
    (".lokr_w2", .fine), (".lokr_w2_a", .fineLeft), (".lokr_w2_b", .fineRight),
    (".lokr_t2", .fineCore), (".alpha", .alpha), (".dora_scale", .scale),
    (".lora_magnitude_vector", .magnitude), (".lora_magnitude_vector.weight", .magnitude),
    (".lora_magnitude_vector.default.weight", .magnitude),
  ]

  /// What a message about a missing tensor calls it.
  var words: String {
    switch self {
    case .down: "the down half"
    case .up: "the up half"
    default:
      Self.endings.first { $0.role == self }.map { String($0.ending.dropFirst()) } ?? "a part"
    }
  }
}

/// A change of one weight that a file has in parts.
protocol WeightChange: Sendable {
  /// The parts that there are to be, with their shapes.
  ///
  /// - Parameters:
  ///   - weight: the weight's shape in a checkpoint.
  ///   - found: the shapes of the parts in the file.
  static func expected(_ weight: [Int], _ found: [AdapterRole: [Int]]) -> [AdapterRole: [Int]]

  /// The change of its parts; `nil` where one is missing.
  init?(_ parts: [AdapterRole: Tensor])

  /// What alpha is divided by; `nil` where no part has a rank.
  var rank: Int? { get }

  /// The change for a weight of `shape` in a checkpoint, in float32, before it is scaled.
  func product(_ shape: [Int]) -> Tensor
}

extension WeightChange {
  /// `out_o in_i core_oi`, the Tucker form that the kernels of convolutions are kept in.
  ///
  /// - Parameters:
  ///   - core: `[rank, rank, kernel height, kernel width]`.
  ///   - left: `[rows, rank]`.
  ///   - right: `[rank, columns]`.
  /// - Returns: `[rows, columns, kernel]`.
  static func tucker(_ core: Tensor, _ left: Tensor, _ right: Tensor) -> Tensor {
    let (rank, rows, columns) = (core.shape[0], left.shape[0], right.shape[1])
    let kernel = core.count / rank / rank
    // [rows, kernel, rank] [rank, columns] gives [rows, kernel, columns].
    let mixed = left.matmul(core.reshaped([rank, rank * kernel])).reshaped([rows, rank, kernel])
    return mixed.permuted([0, 2, 1]).reshaped([rows * kernel, rank]).matmul(right)
      .reshaped([rows, kernel, columns]).permuted([0, 2, 1])
  }
}
