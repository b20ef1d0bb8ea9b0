import TensorCore

/// What an adapter makes of one weight: `W + scale factor P`, and where it has magnitudes that with its rows brought to their
/// lengths (Liu et al. 2024, DoRA, arXiv:2402.09353, equation 5).
struct AdaptedWeight: Sendable {
  /// `P`.
  let change: any WeightChange
  /// Alpha over the rank.
  let scale: Double
  /// The lengths, where there are such.
  let magnitude: Magnitude?

  /// The lengths of a weight's rows, or of its columns.
  struct Magnitude: Sendable {
    /// One number a row or a column, in any shape.
    let lengths: Tensor
    /// Whether they are those of what makes one output, as in peft and in LyCORIS since version 2.2; before, LyCORIS took
    /// what one input makes.
    let isOfOutputs: Bool

    /// - Parameter weight: `[out, in, ...]`.
    func normed(_ weight: Tensor) -> Tensor {
      let shape = weight.shape
      let kernel = shape.dropFirst(2).reduce(1, *)
      let flat = weight.reshaped([shape[0], shape[1], kernel])
      let axes = isOfOutputs ? [1, 2] : [0, 2]
      let norms = (flat * flat).sum(axes: axes, keepingDimensions: true).sqrt()
      return (flat * (lengths.reshaped(norms.shape) / norms)).reshaped(shape)
    }

    /// The shapes that lengths come in: for LyCORIS' earlier ones `[1, in]`, with ones for a kernel.
    static func expected(_ role: AdapterRole, _ weight: [Int], _ found: [Int]) -> [Int] {
      let (out, input) = (weight[0], weight[1])
      let ofOutputs = [[out], [out, 1], [out, 1, 1, 1]]
      let others = role == .magnitude ? [[1, out, 1, 1]] : [[1, input], [1, input, 1, 1]]
      return (ofOutputs + others).contains(found) ? found : [out]
    }
  }

  /// What is to be added to a weight `[out, in, ...]` in float32; as in peft, `factor` multiplies the change and leaves the
  /// lengths.
  func difference(from weight: Tensor, factor: Double) -> Tensor {
    let product = change.product(weight.shape)
    guard let magnitude else { return product * (scale * factor) }
    let sum = Tensor.linearCombination([(1, weight), (scale * factor, product)])
    return magnitude.normed(sum) - weight
  }
}
