import TensorCore

/// A step from one noise level to the next: a pure function of the sample, the interval, the denoiser's answers, the noise
/// and what the solver remembers. It sees neither timesteps nor the model.
public protocol Solver: Sendable {
  /// What is carried from one step to the next, such as earlier estimates.
  associatedtype Memory: Codable & Sendable = NoMemory

  /// The global order of convergence on the probability-flow ODE; for a solver that adds noise, that without noise.
  var order: Int { get }
  /// The memory before the first step.
  func start() -> Memory

  /// The sample at `interval.to`, given that at `interval.from`, and the estimate that the step used.
  func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor)
}

extension Solver where Memory == NoMemory {
  /// Nothing to remember.
  public func start() -> NoMemory { NoMemory() }
}
