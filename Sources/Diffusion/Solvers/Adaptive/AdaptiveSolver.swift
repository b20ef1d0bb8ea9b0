import Foundation
import TensorCore

/// A solver that chooses its own steps within a leg, for each sample by itself: what a sample goes through does not depend on
/// its batch.
///
/// A trajectory asks for one attempt after another until each sample has gone the leg; between attempts it can be watched,
/// cancelled and written to disk as between any steps. Samples stand at levels of their own then, so each is evaluated
/// alone (``Denoiser/narrowed(to:)``).
protocol AdaptiveSolver: Solver where Memory == AdaptiveMemory {
  /// The variable whose steps are chosen.
  func position(of level: NoiseLevel) -> Double
  /// The level on a leg where that variable is `position`.
  func level(at position: Double, on interval: Interval) -> NoiseLevel
  /// Whether the variable is finite, and the slope known, on all of a leg. Others are gone by one step of order one.
  func canAdapt(over interval: Interval) -> Bool
  /// The first step's length, of a leg of the given length.
  func firstStep(_ length: Double) -> Double

  /// One attempt at a step of one sample `x`, `[1, ...]`.
  func attempt<D: Denoiser>(
    _ x: Tensor, _ state: inout AdaptiveMemory.Sample, over leg: Interval,
    asking denoiser: SampleEvaluator<D>
  ) throws(D.Failure) -> Tensor
}

/// Where each sample of a batch stands within a leg.
public struct AdaptiveMemory: Codable, Sendable {
  /// One sample.
  struct Sample: Codable, Sendable {
    /// Where it is, and the variable there.
    var level: NoiseLevel
    var position: Double
    /// The length of the next step that is tried.
    var step: Double
    /// Errors of earlier steps, as the controller keeps them.
    var errors: [Double] = []
    /// The slope here, where it is known, and what the estimate was last.
    var slope: Tensor?
    var denoised: Tensor?
    /// `x / signal` of the step before at the lower order, which DPM-adaptive measures errors by.
    var reference: Tensor?
    /// Evaluations in the attempt just made.
    var evaluations = 0
    /// The share of the leg that is gone.
    var share = 0.0
    /// Whether the leg is gone.
    var isDone: Bool { share >= 1 }
  }

  /// The samples of the batch; empty before the first leg.
  var samples: [Sample] = []
  /// Steps that were kept, over all samples.
  public internal(set) var accepted = 0
  /// Steps that were tried again shorter, over all samples.
  public internal(set) var rejected = 0
}

/// What an attempt asks: the denoiser for one sample of the batch.
struct SampleEvaluator<D: Denoiser> {
  let evaluator: Evaluator<D>
  let index: Int

  func callAsFunction(_ x: Tensor, at level: NoiseLevel) throws(D.Failure) -> Estimate {
    try evaluator.estimate(x, ofSample: index, at: level)
  }
}

extension AdaptiveSolver {
  /// No leg begun.
  public func start() -> AdaptiveMemory { AdaptiveMemory() }

  /// The share of the leg that the slowest sample has gone.
  public func progress(_ memory: AdaptiveMemory) -> Double {
    memory.samples.map(\.share).min() ?? 1
  }

  /// One attempt at a step of each sample that has not gone the leg.
  public func step<D: Denoiser, N: NoiseSource>(
    _ x: Tensor, over interval: Interval, with denoiser: inout Evaluator<D>, noise: inout N,
    memory: inout AdaptiveMemory
  ) throws(D.Failure) -> (x: Tensor, denoised: Tensor) {
    guard canAdapt(over: interval) else {
      memory.samples = []
      let estimate = try denoiser(x, at: interval.from)
      return (interval.firstOrder(x, estimate), estimate.denoised)
    }
    if progress(memory) >= 1 { begin(&memory, interval, count: x.shape[0]) }
    var rows = x.split(axis: 0, into: x.shape[0])
    var asked = 0
    for index in rows.indices where !memory.samples[index].isDone {
      let before = memory.samples[index].position
      memory.samples[index].evaluations = 0
      rows[index] = try attempt(
        rows[index], &memory.samples[index], over: interval,
        asking: SampleEvaluator(evaluator: denoiser, index: index))
      asked = max(asked, memory.samples[index].evaluations)
      if memory.samples[index].position == before {
        memory.rejected += 1
      } else {
        memory.accepted += 1
      }
    }
    denoiser.count += asked
    let estimates = memory.samples.indices.map { memory.samples[$0].denoised ?? rows[$0] }
    return (Tensor.concatenated(rows, axis: 0), Tensor.concatenated(estimates, axis: 0))
  }

  private func begin(_ memory: inout AdaptiveMemory, _ interval: Interval, count: Int) {
    let start = position(of: interval.from)
    let first = firstStep(abs(position(of: interval.to) - start))
    memory.samples = (0..<count).map { index in
      let before = index < memory.samples.count ? memory.samples[index] : nil
      return AdaptiveMemory.Sample(
        level: interval.from, position: start, step: before?.step ?? first,
        errors: before?.errors ?? [])
    }
  }

  /// The end of the step that a sample tries: no further than the leg's end, which it meets exactly.
  func goal(
    of state: AdaptiveMemory.Sample, on leg: Interval
  ) -> (step: Double, level: NoiseLevel, isEnd: Bool) {
    let left = position(of: leg.to) - state.position
    if state.step >= abs(left) * (1 - 1e-9) { return (left, leg.to, true) }
    let step = left < 0 ? -state.step : state.step
    return (step, level(at: state.position + step, on: leg), false)
  }

  /// Notes that a step was made.
  func keep(
    _ step: (step: Double, level: NoiseLevel, isEnd: Bool), _ state: inout AdaptiveMemory.Sample,
    on leg: Interval
  ) {
    state.position += step.step
    state.level = step.level
    let (first, last) = (position(of: leg.from), position(of: leg.to))
    state.share = step.isEnd ? 1 : min((state.position - first) / (last - first), 1 - 1e-9)
  }

  /// Whether a step is too short a part of the leg to be shortened again: where the denoiser jumps no error is small.
  func isShortest(_ step: Double, on leg: Interval) -> Bool {
    abs(step) < 1e-7 * abs(position(of: leg.to) - position(of: leg.from))
  }
}

extension SamplingPlan {
  /// The plan with neighbouring legs that a solver can choose its steps in made one.
  func merged(where canAdapt: (Interval) -> Bool) -> SamplingPlan {
    var levels = [start]
    var isOpen = false
    for leg in intervals {
      let adapts = leg.kind == .solved && canAdapt(leg)
      if adapts, isOpen { levels.removeLast() }
      levels.append(leg.to)
      isOpen = adapts
    }
    return SamplingPlan(levels: levels)
  }
}
