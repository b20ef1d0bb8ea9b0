import TensorCore

/// How the divergence of the probability flow is had from vector-Jacobian products of the denoiser.
public enum DivergenceEstimate: Sendable, Hashable {
  /// The sum over all dimensions, one product each: for few dimensions.
  case exact
  /// Hutchinson's estimator (Skilling 1989; Hutchinson 1990; Song et al. 2021, equation 40): the mean of `e . J e` over
  /// so many probes `e`, which stay the same along the path (Grathwohl et al. 2019, section 3.1.1).
  case hutchinson(Probe = .rademacher, probes: Int = 1)

  /// The distribution of a probe; both have zero mean and unit covariance.
  public enum Probe: String, Sendable, Hashable, Codable, CaseIterable {
    /// 1 or -1 in each dimension: the smaller variance, as the diagonal is exact.
    case rademacher
    /// N(0, 1) in each dimension.
    case gaussian
  }

  /// The probes for a batch like `x`, each `[batch, ...]`; a sample's are functions of its seed.
  func probes(like x: Tensor, seeds: [UInt64]) -> [Tensor] {
    let batch = x.shape[0]
    let dimension = batch == 0 ? 0 : x.count / batch
    switch self {
    case .exact:
      let identity = Tensor.identity(dimension, dtype: x.dtype)
      return (0..<dimension).map { index in
        identity.sliced(axis: 0, index..<(index + 1)).broadcasted(to: [batch, dimension])
          .reshaped(x.shape)
      }
    case .hutchinson(let kind, let count):
      require(
        count >= 1 && seeds.count == batch, "probes",
        "\(count) probes and \(seeds.count) seeds for a batch of \(batch): give one probe or more, "
          + "and a seed for each sample")
      return (0..<count).map { probe in
        let samples = seeds.map { seed -> Tensor in
          var generator = CounterGenerator(seed: seed, stream: UInt64(probe) + 1)
          let drawn = Tensor.randomNormal(
            [1] + x.shape.dropFirst(), dtype: x.dtype, using: &generator)
          guard kind == .rademacher else { return drawn }
          return drawn.less(than: Tensor(0, dtype: x.dtype)).scaled(by: -2, plus: 1)
        }
        return samples.count == 1 ? samples[0] : Tensor.concatenated(samples, axis: 0)
      }
    }
  }
}
