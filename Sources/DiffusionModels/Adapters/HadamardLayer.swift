import TensorCore

/// A change that is the product, element by element, of two of low rank (Hyeon-Woo et al. 2021, FedPara, arXiv:2108.06098,
/// proposition 1; LoHa in LyCORIS, Yeh et al. 2023, arXiv:2309.14859, section 3): `(left1 right1) * (left2 right2)`.
///
/// Of a convolution, the right factors have the kernel in their columns, or each factor has a core with the kernel (the Tucker
/// form); the left ones are stored the other way round then.
struct HadamardLayer: WeightChange {
  /// `[out, rank]` and `[rank, in * kernel]`; with a core `[rank, out]`, `[rank, in]` and
  /// `[rank, rank, kernel height, kernel width]`.
  private let factors: [(left: Tensor, right: Tensor, core: Tensor?)]

  init?(_ parts: [AdapterRole: Tensor]) {
    guard let left1 = parts[.left1], let right1 = parts[.right1], let left2 = parts[.left2],
      let right2 = parts[.right2]
    else { return nil }
    factors = [(left1, right1, parts[.core1]), (left2, right2, parts[.core2])]
  }

  var rank: Int? { factors[0].right.shape[0] }

  func product(_ shape: [Int]) -> Tensor {
    let halves = factors.map { left, right, core in
      core.map { Self.tucker($0, left.permuted([1, 0]), right) } ?? left.matmul(right)
    }
    return halves[0].reshaped(shape) * halves[1].reshaped(shape)
  }

  static func expected(
    _ weight: [Int], _ found: [AdapterRole: [Int]]
  ) -> [AdapterRole: [Int]] {
    let rank = found[.right1]?.first ?? 0
    let kernel = Array(weight.dropFirst(2))
    if found[.core1] != nil || found[.core2] != nil {
      let (left, right) = ([rank, weight[0]], [rank, weight[1]])
      return [
        .left1: left, .right1: right, .core1: [rank, rank] + kernel,
        .left2: left, .right2: right, .core2: [rank, rank] + kernel,
      ]
    }
    let (left, right) = ([weight[0], rank], [rank, kernel.reduce(weight[1], *)])
    return [.left1: left, .right1: right, .left2: left, .right2: right]
  }
}
