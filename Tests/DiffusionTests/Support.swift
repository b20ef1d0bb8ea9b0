import Diffusion
import Synchronization
import TensorCore
import TestSupport

/// The exact denoiser of a world.
struct ExactDenoiser: Denoiser {
  let world: GaussianWorld

  func estimate(_ x: Tensor, at level: NoiseLevel, memory: inout NoMemory) -> Estimate {
    Estimate(denoised: world.denoised(x, signal: level.signal, noise: level.noise))
  }
}

/// A denoiser made of a closure.
struct AnyEstimate: Denoiser {
  let body: @Sendable (Tensor, NoiseLevel) -> Estimate

  func estimate(_ x: Tensor, at level: NoiseLevel, memory: inout NoMemory) -> Estimate {
    body(x, level)
  }
}

/// A network made of a closure of the sample and the time.
struct FunctionNetwork: Network {
  let body: @Sendable (Tensor, Double) -> Tensor

  func predict(_ x: Tensor, times: [Double], conditions: [NoCondition]) -> Tensor {
    body(x, times[0])
  }
}

extension Process {
  /// The denoiser of a function of the sample and the time.
  func denoiser(
    _ parameterization: Parameterization, batch: Int,
    _ body: @escaping @Sendable (Tensor, Double) -> Tensor
  ) -> Conditioned<NetworkDenoiser<FunctionNetwork, Self>> {
    let network = NetworkDenoiser(
      FunctionNetwork(body: body), process: self, parameterization: parameterization)
    return Conditioned(network, conditions: Array(repeating: NoCondition(), count: batch))
  }
}

/// Noise from a list of tensors, one a call.
struct InjectedNoise: NoiseSource {
  var start: Tensor
  var steps: [Tensor]
  var drawn = 0

  mutating func initial(_ shape: [Int], dtype: DType) -> Tensor { start }

  mutating func noise(
    _ shape: [Int], dtype: DType, over interval: Interval, draw: Int
  ) -> Tensor {
    defer { drawn += 1 }
    return steps[drawn]
  }
}

func relative(_ value: Double, _ expected: Double) -> Double { abs(value / expected - 1) }

/// Counts calls of a closure that may be anywhere.
final class CallCounter: Sendable {
  private let calls = Mutex(0)
  var count: Int { calls.withLock { $0 } }
  func increment() { calls.withLock { $0 += 1 } }
}
