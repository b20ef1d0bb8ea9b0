import TensorCore

/// The loss that a network is trained with: the weighted squared error of what it predicts and, where it learns the
/// variance, a share of the variational bound (Nichol and Dhariwal 2021, equation 16: `L_simple + 0.001 L_vlb`).
public struct DenoisingLoss: Sendable {
  /// The chain.
  public let process: DiscreteProcess
  /// What the network's output stands for.
  public let parameterization: Parameterization
  /// The weight of the squared error.
  public let weighting: LossWeighting
  /// The variance of the step back; where it is learned, the bound trains it.
  public let variance: ReverseVariance
  /// The share of the bound in the loss of a learned variance.
  public let boundShare: Double

  /// A loss over a chain.
  public init(
    process: DiscreteProcess, parameterization: Parameterization = .epsilon,
    weighting: LossWeighting = .uniform, variance: ReverseVariance = .fixedSmall,
    boundShare: Double = 0.001
  ) {
    self.process = process
    self.parameterization = parameterization
    self.weighting = weighting
    self.variance = variance
    self.boundShare = boundShare
  }

  /// What the network is given for a batch: the noisy data in its input scale, and the time that it is told of each.
  public func input(for batch: NoisyBatch) -> (x: Tensor, times: [Double]) {
    let numbers = batch.levels.map { parameterization.preconditioning(at: $0, of: process) }
    let scales = numbers.map(\.input)
    let isPlain = scales.allSatisfy { $0 == 1 }
    let x = isPlain ? batch.noisy : Tensor.linearCombination(perSample: [(scales, batch.noisy)])
    return (x, numbers.map(\.time))
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
    let simple =
      weighting == .uniform ? squared : Tensor.linearCombination(perSample: [(weights, squared)])
    guard variance.isLearned else { return simple }
    // The mean gets no gradient from the bound. A term a sample stands for T of them, in bits.
    let bound = VariationalBound(process, variance: variance)
    let estimate = Estimate(denoised: denoised(prediction.detached, batch), variance: answer)
    let terms = bound.terms(batch, estimate)
    return Tensor.linearCombination([(1, simple), (boundShare * Double(process.count), terms)])
  }

  private func denoised(_ prediction: Tensor, _ batch: NoisyBatch) -> Tensor {
    let numbers = batch.levels.map { parameterization.preconditioning(at: $0, of: process) }
    return Tensor.linearCombination(perSample: [
      (numbers.map(\.skip), batch.noisy), (numbers.map(\.output), prediction),
    ])
  }
}
