import TensorCore

/// The loss that a network is trained with: the weighted squared error of what it predicts and, where it learns the
/// variance, a share of the variational bound (Nichol and Dhariwal 2021, equation 16: `L_simple + 0.001 L_vlb`).
///
/// It is denoising score matching (Vincent 2011) whatever the network predicts: errors in epsilon, in the data and in the
/// score are the same up to a factor of the level, which ``LossWeighting`` knows. Its expectation is least for the exact
/// denoiser `E[x0 | x]`, with any weighting. Where the papers write half a sum over elements, this is the mean over them.
public struct DenoisingLoss: Sendable {
  /// What puts the noise on.
  public let process: any Process
  /// What the network's output stands for.
  public let parameterization: Parameterization
  /// The weight of the squared error.
  public let weighting: LossWeighting
  /// The variance of the step back; where it is learned, the bound trains it.
  public let variance: ReverseVariance
  /// The share of the bound in the loss of a learned variance.
  public let boundShare: Double
  private let bound: VariationalBound?

  /// A loss over a process, which is a ``DiscreteProcess`` where the variance is learned.
  public init(
    process: any Process, parameterization: Parameterization = .epsilon,
    weighting: LossWeighting = .uniform, variance: ReverseVariance = .fixedSmall,
    boundShare: Double = 0.001
  ) {
    self.process = process
    self.parameterization = parameterization
    self.weighting = weighting
    self.variance = variance
    self.boundShare = boundShare
    let chain = process as? DiscreteProcess
    require(
      chain != nil || !variance.isLearned, "DenoisingLoss",
      "a variance is learned on a discrete chain alone, not on \(type(of: process))")
    bound = variance.isLearned ? chain.map { VariationalBound($0, variance: variance) } : nil
  }

  /// What the network is given for a batch: the noisy data in its input scale, and the time that it is told of each.
  public func input(for batch: NoisyBatch) -> (x: Tensor, times: [Double]) {
    input(batch.noisy, at: batch.levels)
  }

  /// What the network is given for samples `x [batch, ...]`, each at a level of its own.
  public func input(_ x: Tensor, at levels: [NoiseLevel]) -> (x: Tensor, times: [Double]) {
    let numbers = levels.map { parameterization.preconditioning(at: $0, of: process) }
    let scales = numbers.map(\.input)
    let isPlain = scales.allSatisfy { $0 == 1 }
    let scaled = isPlain ? x : Tensor.linearCombination(perSample: [(scales, x)])
    return (scaled, numbers.map(\.time))
  }

  /// What the network is to answer for a batch, of the data's shape; see ``Parameterization/target(at:)``.
  public func target(for batch: NoisyBatch) -> Tensor {
    switch parameterization {
    case .epsilon: return batch.noise
    case .sample: return batch.data
    default:
      let numbers = batch.levels.map(parameterization.target)
      return Tensor.linearCombination(perSample: [
        (numbers.map(\.data), batch.data), (numbers.map(\.noise), batch.noise),
      ])
    }
  }

  /// The loss of each sample, `[batch]`, from the network's raw output (twice the channels where the variance is
  /// learned); take its mean to train on.
  public func perSample(_ output: Tensor, for batch: NoisyBatch) -> Tensor {
    let (prediction, answer) = splitVariance(output, for: batch.data)
    let error = prediction - target(for: batch)
    let squared = (error * error).meanOverSample()
    let weights = batch.levels.map { weighting.weight(at: $0, of: parameterization, on: process) }
    let factors = zip(weights, batch.importance).map { $0 * $1 }
    let isPlain = factors.allSatisfy { $0 == 1 }
    let simple = isPlain ? squared : Tensor.linearCombination(perSample: [(factors, squared)])
    guard let bound else { return simple }
    // The mean gets no gradient from the bound. A term a sample stands for T of them, in bits.
    let estimate = Estimate(denoised: denoised(prediction.detached, batch), variance: answer)
    let terms = bound.terms(batch, estimate)
    return Tensor.linearCombination([
      (1, simple), (boundShare * Double(bound.process.count), terms),
    ])
  }

  /// The score `(signal D - x) / noise^2` of samples `x [batch, ...]`, each at a level of its own, from the network's
  /// answer to what ``input(for:)`` makes of them.
  public func score(_ prediction: Tensor, of x: Tensor, at levels: [NoiseLevel]) -> Tensor {
    let numbers = levels.map { parameterization.preconditioning(at: $0, of: process) }
    let weights = zip(levels, numbers).map { level, numbers in
      (
        x: (level.signal * numbers.skip - 1) / (level.noise * level.noise),
        prediction: level.signal * numbers.output / (level.noise * level.noise)
      )
    }
    return Tensor.linearCombination(perSample: [
      (weights.map(\.x), x), (weights.map(\.prediction), prediction),
    ])
  }

  private func denoised(_ prediction: Tensor, _ batch: NoisyBatch) -> Tensor {
    let numbers = batch.levels.map { parameterization.preconditioning(at: $0, of: process) }
    return Tensor.linearCombination(perSample: [
      (numbers.map(\.skip), batch.noisy), (numbers.map(\.output), prediction),
    ])
  }
}
