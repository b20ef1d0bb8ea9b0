import Foundation
import TensorCore

/// What a network's output stands for, and how its input is scaled.
///
/// The first five are told what the process tells (``Process/timestep(of:)``) and see samples in the scaling of the process
/// that they were trained on. The others bring input scale and time of their own (Karras et al. 2022, table 1).
public enum Parameterization: Sendable, Hashable {
  /// The noise (Ho et al. 2020).
  case epsilon
  /// The data, x0.
  case sample
  /// `v = signal * epsilon - noise * x0` (Salimans and Ho 2022).
  case velocity
  /// The rectified flow's velocity, `epsilon - x0` (Liu et al. 2022).
  case flow
  /// The score of the noisy sample, `-epsilon / noise` (Song and Ermon 2019).
  case score
  /// EDM: input and target of variance 1 at every level for data of deviation `dataDeviation`.
  case edm(dataDeviation: Double = 0.5)
  /// ``edm(dataDeviation:)`` with the network's output negated: what diffusers' EDM schedulers call v-prediction.
  case edmVelocity(dataDeviation: Double = 0.5)
  /// EDM's form of the variance-exploding networks of Song et al. 2021: minus the noise, told `ln(sigma / 2)`.
  case varianceExploding
  /// EDM's form of their variance-preserving networks: the noise, told 999 times the time of ``VariancePreserving``: of the
  /// process itself where it is one, else of the paper's.
  case variancePreserving
  /// EDM's form of the networks of Nichol and Dhariwal 2021: the noise, told the nearest timestep of the cosine chain.
  case improvedDDPM

  /// The numbers that make a denoiser of a network at a level: `D(x) = skip x + output F(input x; time)`.
  ///
  /// The level may have any scaling: the sample is brought to that of `process`.
  ///
  /// - Parameter process: what the network was trained on.
  public func preconditioning<P: Process>(
    at level: NoiseLevel, of process: P
  ) -> Preconditioning {
    let (own, scale) = Self.own(level, process)
    let (signal, noise, total) = (own.signal, own.noise, own.totalVariance)
    let time = time(at: level, of: process)
    func numbers(_ skip: Double, _ output: Double, _ input: Double = 1) -> Preconditioning {
      Preconditioning(skip: skip * scale, output: output, input: input * scale, time: time)
    }
    switch self {
    case .epsilon: return numbers(1 / signal, -noise / signal)
    case .sample: return numbers(0, 1)
    case .velocity: return numbers(signal / total, -noise / total)
    case .flow: return numbers(1 / (signal + noise), -noise / (signal + noise))
    case .score: return numbers(1 / signal, noise * noise / signal)
    case .edm(let deviation), .edmVelocity(let deviation):
      let variance = own.variance(ofData: deviation)
      return numbers(
        deviation * deviation * signal / variance,
        sign * noise * deviation / variance.squareRoot(), 1 / variance.squareRoot())
    case .varianceExploding: return numbers(1 / signal, noise / signal, 1 / signal)
    case .variancePreserving, .improvedDDPM:
      return numbers(1 / signal, -noise / signal, 1 / total.squareRoot())
    }
  }

  /// What the network is to answer, `data x0 + noise epsilon`, at a level of the process that it is trained on.
  public func target(at level: NoiseLevel) -> (data: Double, noise: Double) {
    switch self {
    case .epsilon, .variancePreserving, .improvedDDPM: return (0, 1)
    case .sample: return (1, 0)
    case .velocity: return (-level.noise, level.signal)
    case .flow: return (-1, 1)
    case .score: return (0, -1 / level.noise)
    case .varianceExploding: return (0, -1)
    case .edm(let deviation), .edmVelocity(let deviation):
      let root = sign * level.variance(ofData: deviation).squareRoot()
      return (level.noise / (deviation * root), -deviation * level.signal / root)
    }
  }

  /// What EDM's output is multiplied by.
  private var sign: Double {
    if case .edmVelocity = self { return -1 }
    return 1
  }

  /// The process's own level, and what a sample at `level` is multiplied by to be at it.
  private static func own<P: Process>(
    _ level: NoiseLevel, _ process: P
  ) -> (level: NoiseLevel, scale: Double) {
    let own = process.ownLevel(of: level)
    let scale =
      own.signal > own.noise ? own.signal / level.signal : own.noise / level.noise
    // A level of the process itself comes back with a rounding error; it is not to be scaled by one.
    return abs(scale - 1) < 1e-12 ? (level, 1) : (own, scale)
  }

  private func time<P: Process>(at level: NoiseLevel, of process: P) -> Double {
    switch self {
    case .epsilon, .sample, .velocity, .flow, .score: return process.timestep(of: level)
    case .edm, .edmVelocity: return log(level.ratio) / 4
    case .varianceExploding: return log(level.ratio / 2)
    case .variancePreserving:
      let base = (process as? AnyProcess)?.base ?? process
      return (base as? VariancePreserving ?? VariancePreserving()).timestep(of: level)
    case .improvedDDPM: return Double(Self.cosineChain.nearestTimestep(to: level))
    }
  }

  private static let cosineChain = DiscreteProcess(.cosine())
}

extension NoiseLevel {
  /// A sample's variance where the data's deviation is `deviation`.
  fileprivate func variance(ofData deviation: Double) -> Double {
    noise * noise + deviation * deviation * signal * signal
  }
}

// MARK: - From one to another

extension Parameterization {
  /// What a network that answers `output` for `x` would answer if it were of another parameterization:
  /// `output weight * output + sample weight * x`.
  ///
  /// Both have to be trained on `process`; `x` may have any scaling. At a level without signal nothing follows from
  /// ``epsilon`` and its kin, and the weights are not finite.
  public func conversion<P: Process>(
    to other: Parameterization, at level: NoiseLevel, of process: P
  ) -> (output: Double, sample: Double) {
    if self == other { return (1, 0) }
    let (own, scale) = Self.own(level, process)
    let (a, b) = (target(at: own), other.target(at: own))
    // F = data x0 + noise epsilon and x = signal x0 + noise epsilon, solved for x0 and epsilon.
    let determinant = a.data * own.noise - a.noise * own.signal
    return (
      (b.data * own.noise - b.noise * own.signal) / determinant,
      (b.noise * a.data - b.data * a.noise) * scale / determinant
    )
  }

  /// A network's raw `output` for `x`, both `[batch, ...]`, as another parameterization has it.
  public func converted<P: Process>(
    _ output: Tensor, of x: Tensor, to other: Parameterization, at level: NoiseLevel,
    of process: P
  ) -> Tensor {
    let weights = conversion(to: other, at: level, of: process)
    return Tensor.linearCombination([(weights.output, output), (weights.sample, x)])
  }
}

/// The four numbers of Karras et al. 2022, equation 7: `D(x) = skip x + output F(input x; time)`.
public struct Preconditioning: Sendable, Hashable {
  /// c_skip: the sample's own share.
  public let skip: Double
  /// c_out: the network's share.
  public let output: Double
  /// c_in: what the network's input is multiplied by.
  public let input: Double
  /// c_noise: what the network is told of the level.
  public let time: Double

  /// The four numbers.
  public init(skip: Double, output: Double, input: Double, time: Double) {
    self.skip = skip
    self.output = output
    self.input = input
    self.time = time
  }
}
