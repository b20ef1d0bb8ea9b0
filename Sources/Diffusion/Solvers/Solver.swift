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
  /// The memory after steps that were made elsewhere, the latest last: multistep solvers begin with their full order.
  func start(after past: [PastStep]) -> Memory

  /// The share of the leg that is gone after a step: 1, unless the solver chooses its own steps. It is then asked for one
  /// after another until the leg is done, each over the same interval, so that a trajectory can be watched and stopped
  /// between them.
  func progress(_ memory: Memory) -> Double

  /// The sample at `interval.to`, given that at `interval.from`, and the estimate that the step used.
  func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout Memory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor)
}

extension Solver {
  /// A step goes all the way.
  public func progress(_ memory: Memory) -> Double { 1 }

  /// What was before does not matter to solvers of one step.
  public func start(after past: [PastStep]) -> Memory { start() }
}

extension Solver where Memory == NoMemory {
  /// Nothing to remember.
  public func start() -> NoMemory { NoMemory() }
}
