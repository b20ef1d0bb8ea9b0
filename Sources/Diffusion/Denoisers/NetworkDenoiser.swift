import TensorCore

/// A network as the mathematics sees it: a scaled sample, a time and a condition for each of the batch go in, one tensor
/// comes out.
public protocol Network: Sendable {
  /// What the answer is conditioned on, for one sample; ``NoCondition`` where it is on nothing.
  associatedtype Condition: Sendable = NoCondition
  /// How an evaluation fails.
  associatedtype Failure: Error = Never

  /// The raw output for `x` of shape `[batch, ...]`; of its shape, or with twice the channels (the last axis) where the
  /// variance is learned too. `times` and `conditions` have one entry a sample.
  func predict(
    _ x: Tensor, times: [Double], conditions: [Condition]
  ) throws(Failure) -> Tensor
}

/// A condition that says nothing.
public struct NoCondition: Sendable, Hashable, Codable {
  /// Nothing.
  public init() {}
}

/// A denoiser that needs to be told, for each sample of the batch, what to look for.
public protocol ConditionalDenoiser: Sendable {
  /// What the estimate is conditioned on, for one sample.
  associatedtype Condition: Sendable
  /// How an evaluation fails.
  associatedtype Failure: Error = Never

  /// The estimate for a batch, all of it at one level, with one condition a sample.
  func estimate(
    _ x: Tensor, at level: NoiseLevel, given conditions: [Condition]
  ) throws(Failure) -> Estimate
}

/// The denoiser that a network and its parameterization make: `D(x) = skip x + output F(input x; time)`.
public struct NetworkDenoiser<Model: Network, P: Process>: ConditionalDenoiser {
  /// The network.
  public let network: Model
  /// The process that it was trained on.
  public let process: P
  /// What its output stands for.
  public let parameterization: Parameterization

  /// The denoiser of `network`.
  public init(_ network: Model, process: P, parameterization: Parameterization) {
    self.network = network
    self.process = process
    self.parameterization = parameterization
  }

  /// The estimate for a batch, all of it at one level, with one condition a sample.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, given conditions: [Model.Condition]
  ) throws(Model.Failure) -> Estimate {
    let numbers = parameterization.preconditioning(at: level, of: process)
    let input = numbers.input == 1 ? x : x * numbers.input
    let times = [Double](repeating: numbers.time, count: x.shape[0])
    let output = try network.predict(input, times: times, conditions: conditions)
    let (prediction, variance) = splitVariance(output, for: x)
    let denoised = Tensor.linearCombination([(numbers.skip, x), (numbers.output, prediction)])
    return Estimate(denoised: denoised, variance: variance)
  }
}

/// A network's output as its prediction and, where it has twice the sample's channels, what it says of the variance.
package func splitVariance(
  _ output: Tensor, for x: Tensor
) -> (prediction: Tensor, variance: Tensor?) {
  if output.shape == x.shape { return (output, nil) }
  require(
    output.shape.dropLast() == x.shape.dropLast()
      && output.shape.last == x.shape.last.map { 2 * $0 },
    "denoiser",
    "the network answered \(output.shape) for \(x.shape): it is to be that or twice the channels")
  let parts = output.split(axis: -1, into: 2)
  return (parts[0], parts[1])
}

/// A conditional denoiser with the conditions of a batch filled in.
public struct Conditioned<Base: ConditionalDenoiser>: Denoiser {
  /// The denoiser.
  public let base: Base
  /// One condition for each sample of the batch.
  public let conditions: [Base.Condition]

  /// `base` told to look for `conditions`.
  public init(_ base: Base, conditions: [Base.Condition]) {
    self.base = base
    self.conditions = conditions
  }

  /// The estimate for a batch, all of it at one level.
  public func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout NoMemory
  ) throws(Base.Failure) -> Estimate {
    try base.estimate(x, at: level, given: conditions)
  }

  /// With the conditions of those samples.
  public func narrowed(to samples: Range<Int>) -> Self {
    Self(base, conditions: Array(conditions[samples]))
  }
}
