import TensorCore

/// `D(x; level) = E[x0 | x]`: all that a solver knows of a model. Score, epsilon and v follow; see ``Estimate``.
public protocol Denoiser: Sendable {
  /// What is carried from one evaluation to the next (the momentum of adaptive projected guidance).
  associatedtype Memory: Codable & Sendable = NoMemory
  /// How an evaluation fails.
  associatedtype Failure: Error = Never

  /// The denoiser of a part of the batch, for solvers that take samples at different levels: what it holds for each
  /// sample is cut down to those. One that holds nothing of that kind is its own.
  func narrowed(to samples: Range<Int>) -> Self

  /// The memory at the start of a trajectory.
  func start() -> Memory

  /// The estimate for a batch `x` of shape `[batch, ...]`, all of it at one level.
  func estimate(
    _ x: Tensor, at level: NoiseLevel, memory: inout Memory
  ) throws(Failure) -> Estimate
}

/// Nothing to remember.
public struct NoMemory: Codable, Sendable, Hashable {
  /// Nothing.
  public init() {}
}

extension Denoiser {
  /// Itself: nothing in it belongs to one sample.
  public func narrowed(to samples: Range<Int>) -> Self { self }
}

extension Denoiser where Memory == NoMemory {
  /// Nothing to remember.
  public func start() -> NoMemory { NoMemory() }
}

extension Denoiser {
  /// The estimate for a batch, all of it at one level, as a trajectory's first evaluation gives it.
  public func estimate(_ x: Tensor, at level: NoiseLevel) throws(Failure) -> Estimate {
    var memory = start()
    return try estimate(x, at: level, memory: &memory)
  }
}

/// A denoiser in use: with its memory, and how often it was asked.
public struct Evaluator<D: Denoiser>: Sendable {
  /// The denoiser.
  public let denoiser: D
  /// What it carries from one evaluation to the next.
  public internal(set) var memory: D.Memory
  /// Evaluations so far (the papers' NFE).
  public internal(set) var count: Int

  /// A denoiser at the start of a trajectory.
  public init(_ denoiser: D) {
    self.denoiser = denoiser
    memory = denoiser.start()
    count = 0
  }

  /// The estimate for a batch, all of it at one level.
  public mutating func callAsFunction(
    _ x: Tensor, at level: NoiseLevel
  ) throws(D.Failure) -> Estimate {
    count += 1
    return try denoiser.estimate(x, at: level, memory: &memory)
  }

  /// The estimate for one sample of the batch, `[1, ...]`, at a level of its own. It is asked without memory: samples
  /// that go on by themselves, trying steps again, have no common order of evaluations that a momentum could follow.
  ///
  /// The caller counts the evaluations, once for all samples that ask together.
  func estimate(
    _ x: Tensor, ofSample index: Int, at level: NoiseLevel
  ) throws(D.Failure) -> Estimate {
    let narrowed = denoiser.narrowed(to: index..<index + 1)
    var memory = narrowed.start()
    return try narrowed.estimate(x, at: level, memory: &memory)
  }
}
