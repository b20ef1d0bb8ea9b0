import Synchronization
import TensorCore

/// A network whose innermost layers give features that can be taken from an earlier evaluation (Ma, Fang and Wang 2023,
/// "DeepCache: Accelerating Diffusion Models for Free", section 3.2).
public protocol DeepNetwork: Network {
  /// The answer, with the features.
  func predictKeeping(
    _ x: Tensor, times: [Double], conditions: [Condition]
  ) throws(Failure) -> (answer: Tensor, deep: Tensor)

  /// The answer from earlier features: a small part of the work.
  func predict(
    _ x: Tensor, times: [Double], conditions: [Condition], deep: Tensor
  ) throws(Failure) -> Tensor
}

/// A network that computes its deep features at every `interval`-th evaluation only, and takes the last ones between.
///
/// It remembers them from call to call: make one for every trajectory. A trajectory that is resumed begins with a whole
/// evaluation, so its bytes are not those of one that was never stopped; nor is a solver's measured order kept.
public struct DeepCache<Base: DeepNetwork>: Network {
  /// The network.
  public let base: Base
  /// Evaluations from one that is whole to the next; 1 for all.
  public let interval: Int
  private let memory = Memory()

  private final class Memory: Sendable {
    let state = Mutex<(deep: Tensor?, age: Int)>((nil, 0))
  }

  /// A network that is whole at every `interval`-th evaluation, the first included.
  public init(_ base: Base, interval: Int) {
    require(interval >= 1, "DeepCache", "the interval is 1 or more, got \(interval)")
    self.base = base
    self.interval = interval
  }

  /// The answer, from features of at most `interval - 1` evaluations before where the shape is still the same.
  public func predict(
    _ x: Tensor, times: [Double], conditions: [Base.Condition]
  ) throws(Base.Failure) -> Tensor {
    if interval == 1 { return try base.predict(x, times: times, conditions: conditions) }
    let (deep, age) = memory.state.withLock { $0 }
    if let deep, age < interval, deep.shape.first == x.shape.first {
      memory.state.withLock { $0.age = age + 1 }
      return try base.predict(x, times: times, conditions: conditions, deep: deep)
    }
    let (answer, fresh) = try base.predictKeeping(x, times: times, conditions: conditions)
    memory.state.withLock { $0 = (fresh, 1) }
    return answer
  }
}
