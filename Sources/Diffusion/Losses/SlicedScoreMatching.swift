import TensorCore

/// Sliced score matching (Song, Garg, Shi and Ermon 2019): learns the score of samples without being told it,
///
/// `v^T J v + |s|^2 / 2`, J the Jacobian of the score s, v a random direction with `E[v v^T] = I`.
///
/// Training by `v^T J v` takes the gradient of a directional derivative, and the tape differentiates once. So it is taken
/// by central differences of two evaluations, as in Pang et al. 2020 (arXiv:2007.03317): with `s+` and `s-` the scores at
/// `x + h v` and `x - h v`,
///
/// `v^T (s+ - s-) / (2 h) + |(s+ + s-) / 2|^2 / 2`.
///
/// This is **not** exact: it is off by `O(h^2)` times the score's second and third derivatives along v, and by rounding of
/// `1 / h` times the scores'. Where the score is affine, of Gaussian data, both vanish but for the rounding. The gradient is
/// exactly that of the differences.
public struct SlicedScoreMatching: Sendable, Hashable, Codable {
  /// h, as a share of the noise's deviation in each sample: the score changes over distances of that size.
  public let step: Double
  /// Whether `|s|^2` is taken as it is (the paper's SSM-VR) or by the direction too, `(v^T s)^2`.
  public let reducesVariance: Bool

  /// The loss; `step` is above 0.
  public init(step: Double = 0.01, reducesVariance: Bool = true) {
    require(step > 0, "SlicedScoreMatching", "the step is \(step): give a number above 0")
    self.step = step
    self.reducesVariance = reducesVariance
  }

  /// The loss of each sample divided by its number of elements, `[batch]`. The least expectation is
  /// `-E|grad log p|^2 / 2`, over that number, at the true score.
  ///
  /// - Parameters:
  ///   - x: the samples, `[batch, ...]`.
  ///   - noise: the noise's deviation in each; for clean data a length over which the score changes.
  ///   - directions: v, of x's shape: Rademacher or normal.
  ///   - score: the model's score of twice the batch, all samples ahead of x and then all behind it.
  public func perSample(
    _ x: Tensor, noise: [Double], directions: Tensor, score: (Tensor) -> Tensor
  ) -> Tensor {
    require(
      x.shape == directions.shape && noise.count == x.shape.first, "SlicedScoreMatching",
      "x \(x.shape), directions \(directions.shape), \(noise.count) deviations: one a sample")
    let ones = noise.map { _ in 1.0 }
    let steps = noise.map { $0 * step }
    let ahead = Tensor.linearCombination(perSample: [(ones, x), (steps, directions)])
    let behind = Tensor.linearCombination(perSample: [(ones, x), (steps.map(-), directions)])
    let scores = score(Tensor.concatenated([ahead, behind], axis: 0)).split(axis: 0, into: 2)
    let slopes = ((scores[0] - scores[1]) * directions).meanOverSample()
    let middle = Tensor.linearCombination([(0.5, scores[0]), (0.5, scores[1])])
    var squares = (middle * middle).meanOverSample()
    if !reducesVariance {
      let along = (middle * directions).meanOverSample()
      squares = along * along * (Double(x.count) / Double(noise.count))
    }
    let half = noise.map { _ in 0.5 }
    return Tensor.linearCombination(perSample: [
      (steps.map { 1 / (2 * $0) }, slopes), (half, squares),
    ])
  }
}
