import TensorCore

/// A low-rank change of one weight (Hu et al. 2021, LoRA, arXiv:2106.09685, equation 3): `up down`.
///
/// Of a convolution, `down` has the kernel and `up` is one by one; with a `middle` both are one by one and the kernel is the
/// middle's (LoCon's Tucker form, Yeh et al. 2023, arXiv:2309.14859, section 3).
struct LowRankLayer: WeightChange {
  /// `[rank, in]` or `[rank, in, kernel height, kernel width]`, as in the file.
  let down: Tensor
  /// `[out, rank]` or `[out, rank, 1, 1]`.
  let up: Tensor
  /// `[rank, rank, kernel height, kernel width]`, where there is one.
  let middle: Tensor?

  init?(_ parts: [AdapterRole: Tensor]) {
    guard let down = parts[.down], let up = parts[.up] else { return nil }
    (self.down, self.up, middle) = (down, up, parts[.middle])
  }

  var rank: Int? { down.shape[0] }

  func product(_ shape: [Int]) -> Tensor {
    let rank = down.shape[0]
    let (up, down) = (up.reshaped([shape[0], rank]), down.reshaped([rank, down.count / rank]))
    guard let middle else { return up.matmul(down).reshaped(shape) }
    return Self.tucker(middle, up, down).reshaped(shape)
  }

  /// Of linear layers both forms count, with and without a kernel of one.
  static func expected(
    _ weight: [Int], _ found: [AdapterRole: [Int]]
  ) -> [AdapterRole: [Int]] {
    let rank = found[.down]?.first ?? 0
    let kernel = Array(weight.dropFirst(2))
    func ones(_ role: AdapterRole) -> [Int] { found[role]?.count == 4 ? [1, 1] : [] }
    let isWhole = found[.middle] == nil && !kernel.allSatisfy { $0 == 1 }
    var expected: [AdapterRole: [Int]] = [
      .up: [weight[0], rank] + ones(.up),
      .down: [rank, weight[1]] + (isWhole ? kernel : ones(.down)),
    ]
    if found[.middle] != nil { expected[.middle] = [rank, rank] + kernel }
    return expected
  }
}
