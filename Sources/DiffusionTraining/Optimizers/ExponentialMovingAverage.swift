import CTensorKernels
import Foundation
import TensorCore
import TensorLayers

/// How slowly an average of the parameters follows them.
public struct AveragingDecay: Sendable, Equatable {
  /// The share of the average that stays at an update, at most.
  public var decay: Double
  /// γ and the power of the warm-up, 1 − (1 + t / γ)^−power after t updates; `nil` for a decay that is fixed.
  ///
  /// As diffusers' `EMAModel` with `use_ema_warmup`: the first update copies the parameters.
  public var warmUp: WarmUp?

  /// A warm-up's two numbers.
  public struct WarmUp: Sendable, Equatable {
    /// γ: how long the warm-up takes.
    public var inverseGamma: Double
    /// How steeply it ends: 2/3 reaches 0.999 at 31,600 updates, 3/4 at 10,000.
    public var power: Double

    /// A warm-up; the defaults are diffusers'.
    public init(inverseGamma: Double = 1, power: Double = 2.0 / 3) {
      self.inverseGamma = inverseGamma
      self.power = power
    }
  }

  /// A decay with or without a warm-up.
  public init(decay: Double = 0.9999, warmUp: WarmUp? = WarmUp()) {
    self.decay = decay
    self.warmUp = warmUp
  }

  /// The decay of the update with this number, counted from 1.
  public func value(atUpdate number: Int) -> Double {
    guard let warmUp else { return decay }
    let past = Double(max(0, number - 1))
    return min(decay, 1 - pow(1 + past / warmUp.inverseGamma, -warmUp.power))
  }
}

/// The average of a module's parameters over its updates: average ← d · average + (1 − d) · parameter.
public struct ExponentialMovingAverage<Network: Module>: Sendable {
  /// The module with the averaged parameters.
  public internal(set) var average: Network
  /// How slowly the average follows.
  public var decay: AveragingDecay
  /// How many updates went into it.
  public internal(set) var updateCount = 0

  /// An average that starts at `network`.
  public init(of network: Network, decay: AveragingDecay) {
    average = network.detached
    self.decay = decay
  }

  /// Takes the parameters after an update into the average.
  public mutating func update(with network: Network) {
    updateCount += 1
    let share = 1 - decay.value(atUpdate: updateCount)
    var visitor = Averaging(values: network.parameters().map(\.tensor), share: share)
    average.visit(&visitor)
  }
}

private struct Averaging: ParameterVisitor {
  let values: [Tensor]
  let share: Double
  var index = 0

  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    let value = values[index].detached
    index += 1
    if !parameter.isTrainable || share == 1 {
      tensor = value
      return
    }
    let (type, size, share) = (tensor.dtype.kernelType, tensor.dtype.size, share)
    let (target, source) = (tensor.uniqueAddress(), value.readAddress)
    Backend.prepare()
    Parallel.ranges(tensor.count, grain: Parallel.elementGrain) { range in
      let start = range.lowerBound * size
      tk_move_average(type, range.count, share, source + start, target + start)
    }
    withExtendedLifetime(value) {}
  }
}
