import Foundation
import TensorCore

/// The probability-flow ODE of a linear process (Song et al. 2021, equation 13) with the change of log density along it
/// (equation 39), in coordinates in which both ends are tame.
///
/// With `z = x / sqrt(signal^2 + noise^2)` and `w = asinh(signal / noise)`, so that `tanh w` and `1 / cosh w` are the
/// variance-preserving signal and noise of the same ratio, `dy/dr = (y - D) / r` (y = x / signal over r = noise /
/// signal) becomes
///
/// `dz/dw = D - tanh(w) z`,
///
/// the same for every process: smooth at pure noise (w = 0), and logarithmic in the ratio near data. The divergence is
/// `sqrt(signal^2 + noise^2) tr(dD/dx) - dimension tanh(w)`.
struct ProbabilityFlow<D: ConditionalDenoiser, P: Process> {
  let denoiser: D
  let process: P
  let conditions: [D.Condition]
  let isExact: Bool

  /// Samples on their way, with the labels by which conditions are found.
  struct State {
    var labels: [Int]
    /// `[batch, ...]`.
    var z: Tensor
    /// Each `[batch, ...]`.
    var probes: [Tensor]
    /// The divergence's integral so far: for each estimate of it, of each sample.
    var integrals: [[Double]]
    var slope: Slope
    /// How often the denoiser was asked for each sample.
    var evaluations: [Int]
  }

  /// What the state changes by.
  struct Slope {
    var z: Tensor
    /// For each estimate of the divergence, of each sample.
    var divergences: [[Double]]
  }

  /// The ratio's coordinate.
  static func coordinate(of level: NoiseLevel) -> Double { asinh(level.signal / level.noise) }

  /// The process's level at a coordinate.
  func level(at w: Double) -> NoiseLevel {
    process.ownLevel(of: NoiseLevel(signal: tanh(w), noise: 1 / cosh(w)))
  }

  /// The slope at a coordinate for samples with the given labels.
  func slope(
    of z: Tensor, at w: Double, labels: [Int], probes: [Tensor]
  ) throws(LikelihoodError<D.Failure>) -> Slope {
    let level = level(at: w)
    let scale = level.totalVariance.squareRoot()
    let (tape, pull) = (Tape(), tanh(w))
    let x = tape.watch(scale == 1 ? z : z * scale)
    let denoised: Tensor
    do throws(D.Failure) {
      denoised = try denoiser.estimate(x, at: level, given: labels.map { conditions[$0] }).denoised
    } catch {
      throw .denoiser(error, level: level)
    }
    require(
      denoised.origin != nil, "likelihood",
      "the denoiser's estimate was not recorded: it is to compute from x by tensor operations, "
        + "without detaching")
    let change = Tensor.linearCombination([(1, denoised.detached), (-pull, z)])
    if !change.isFinite { throw .nonFinite(level: level) }
    let products = probes.map { probe -> [Double] in
      let product = tape.gradients(of: denoised, seed: probe, withRespectTo: [x])[0]
      return Tensor.linearCombination([(scale, product), (-pull, probe)])
        .innerProducts(probe).doubles
    }
    guard isExact else { return Slope(z: change, divergences: products) }
    let trace = labels.indices.map { sample in products.reduce(0) { $0 + $1[sample] } }
    return Slope(z: change, divergences: [trace])
  }
}

extension ProbabilityFlow.State {
  /// Some of the samples.
  func rows(_ rows: [Int]) -> Self {
    func picked(_ tensor: Tensor) -> Tensor {
      Tensor.concatenated(rows.map { tensor.sliced(axis: 0, $0..<($0 + 1)) }, axis: 0)
    }
    func picked<Value>(_ values: [Value]) -> [Value] { rows.map { values[$0] } }
    return Self(
      labels: picked(labels), z: picked(z), probes: probes.map(picked),
      integrals: integrals.map(picked),
      slope: .init(z: picked(slope.z), divergences: slope.divergences.map(picked)),
      evaluations: picked(evaluations))
  }

  /// These samples and then the others.
  func joined(_ other: Self) -> Self {
    func both(_ a: Tensor, _ b: Tensor) -> Tensor { Tensor.concatenated([a, b], axis: 0) }
    return Self(
      labels: labels + other.labels, z: both(z, other.z),
      probes: zip(probes, other.probes).map { both($0, $1) },
      integrals: zip(integrals, other.integrals).map { $0 + $1 },
      slope: .init(
        z: both(slope.z, other.slope.z),
        divergences: zip(slope.divergences, other.slope.divergences).map { $0 + $1 }),
      evaluations: evaluations + other.evaluations)
  }
}
