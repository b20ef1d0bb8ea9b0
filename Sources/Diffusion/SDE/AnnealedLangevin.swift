import TensorCore

/// Annealed Langevin dynamics (Song and Ermon 2019, arXiv:1907.05600, algorithm 1): at each level some Langevin steps
/// `x' = x + step score + sqrt(2 step) z` of size `epsilon (r / r_L)^2`, where `r_L` is the last level's ratio of noise to
/// signal, and on with the sample as it is to the next.
///
/// The leg to clean data ends with the estimate (Song and Ermon 2020, arXiv:2006.09011, section 3.3; Jolicoeur-Martineau
/// et al. 2020): the final denoising step. The noise is that of their program, whose step is half of the paper's alpha.
public struct AnnealedLangevin: Solver, Hashable, Codable {
  /// The step's size at the last level.
  public let epsilon: Double
  /// Steps a level.
  public let count: Int
  /// 1.
  public var order: Int { 1 }

  /// The sampler; NCSN's own numbers.
  public init(epsilon: Double = 2e-5, count: Int = 100) {
    require(
      epsilon > 0 && count > 0, "AnnealedLangevin",
      "epsilon \(epsilon), \(count) steps a level: give more than 0")
    self.epsilon = epsilon
    self.count = count
  }

  /// As many evaluations as steps a level; one more on the way to clean data.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout NoMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    let (from, to) = (interval.from, interval.to)
    let levels = [from, to] + interval.following
    let last = levels.last { $0.noise > 0 } ?? from
    let place = Interval(from: from, to: from, visit: interval.visit)
    var (x, denoised) = (x, x)
    if from.signal > 0 {
      let ratio = from.ratio / last.ratio
      let size = epsilon * ratio * ratio * from.signal * from.signal
      let share = size / (from.noise * from.noise)
      for draw in 0..<count {
        denoised = try denoiser(x, at: from).denoised
        let z = noise.noise(like: x, over: place, draw: draw)
        x = combined([
          (1 - share, x), (share * from.signal, denoised), ((2 * size).squareRoot(), z),
        ])
      }
    }
    if to.noise == 0 {
      denoised = try denoiser(x, at: from).denoised
      return (denoised * to.signal, denoised)
    }
    // Pure noise has no signal to scale by: the next level's own noise is as good a start.
    let scale = from.signal > 0 ? to.signal / from.signal : to.noise / from.noise
    return (scale == 1 ? x : x * scale, denoised)
  }
}
