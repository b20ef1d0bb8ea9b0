import Diffusion

extension ImageRequest {
  /// Throws ``PipelineError/request(part:problem:)`` where `holds` does not.
  static func expect(
    _ part: String, _ holds: Bool, _ problem: @autoclosure () -> String
  ) throws(PipelineError) {
    if !holds { throw .request(part: part, problem: problem()) }
  }

  /// Checks what does not depend on the model.
  func check() throws(PipelineError) {
    try Self.expect("count", count >= 1, "expected 1 or more, found \(count)")
    try Self.expect("batch", batchSize >= 1, "expected 1 or more, found \(batchSize)")
    try Self.expect("guidance", guidance.isFinite, "expected a finite number")
  }

  /// The sampler that is asked for, and the legs that it goes.
  ///
  /// - Parameters:
  ///   - process: what the model was trained on, and the scheduler that it came with.
  ///   - strength: the share of the steps that is made, from where it begins to the end.
  ///   - part: what the request calls the strength.
  ///   - isDistilled: whether the network was distilled for few steps.
  func sampling(
    of process: ProcessConfiguration, strength: Double = 1, of part: String = "",
    isDistilled: Bool = false
  ) throws(PipelineError) -> (sampler: Sampler, plan: SamplingPlan) {
    guard let entry = SolverCatalog.entry(named: sampler) else {
      throw .request(
        part: "sampler",
        problem: "there is none named \(sampler); "
          + "`diffusion samplers` lists those that there are")
    }
    do throws(InvalidSolverOption) {
      try options.check(for: entry)
    } catch {
      let isEta = error.name == "eta"
      throw .request(
        part: isEta ? error.name : "sampler-option",
        problem: isEta ? error.problem : error.description)
    }
    var options = options
    (options.variance, options.bound) = (process.variance, process.threshold)
    let sampler = entry.make(options)
    let fitted = process.fitted(to: entry)
    if isDistilled, strength < 1, entry.name == "lcm", schedule == nil {
      return (sampler, sampler.plan(try distilledPlan(of: fitted, strength, part)))
    }
    let whole = try plan(of: fitted)
    let count = Int(Double(whole.count) * strength)
    try Self.expect(
      part, count > 0,
      "\(strength) of \(whole.count) steps is less than one; ask for more of either")
    return (sampler, sampler.plan(Self.cut(whole, to: count, for: entry)))
  }

  /// Of a distilled network every step is made, over those of the timesteps it was distilled on that lie within the strength
  /// (LCMScheduler.set_timesteps).
  private func distilledPlan(
    of process: ProcessConfiguration, _ strength: Double, _ part: String
  ) throws(PipelineError) -> SamplingPlan {
    let original = process.sampling.originalSteps ?? 50
    let most = Int(Double(original) * strength)
    try Self.expect(
      part, (1...max(1, most)).contains(steps) && most > 0,
      "\(strength) of the \(original) timesteps that the model was distilled on are \(most), fewer than "
        + "the \(steps) steps; ask for fewer, or for more of it")
    let stride = process.trainingTimesteps / original
    let levels = process.process.levels
    return SamplingPlan(
      levels: (0..<steps).map { levels[(most - $0 * most / steps) * stride - 1] } + [.clean])
  }

  /// The last `count` legs.
  ///
  /// For PLMS they are those of diffusers, whose pipelines cut the list of timesteps: its second one stands in it twice, so that
  /// the cut list begins a timestep earlier, and the leg behind that one is left out. (Where one leg alone is cut off, the
  /// first step of diffusers goes over another leg than its two evaluations; that is not imitated.)
  private static func cut(
    _ whole: SamplingPlan, to count: Int, for entry: SolverEntry
  ) -> SamplingPlan {
    let (legs, skipped) = (whole.intervals, whole.count - count)
    guard entry.name == "plms", skipped > 1 else {
      return SamplingPlan(intervals: Array(legs.suffix(count)))
    }
    return SamplingPlan(intervals: [legs[skipped - 1]] + legs.suffix(count - 1))
  }

  /// The levels of the request's schedule, or those that the model's own scheduler chooses.
  private func plan(of process: ProcessConfiguration) throws(PipelineError) -> SamplingPlan {
    let most = process.trainingTimesteps
    try Self.expect(
      "steps", (1...most).contains(steps),
      "expected 1 to \(most), the timesteps of the model, found \(steps)")
    guard let schedule else {
      if let problem = process.problem(steps: steps) {
        throw .request(part: "steps", problem: problem)
      }
      return process.plan(steps)
    }
    var options = scheduleOptions
    options.timestepOffset = process.timestepOffset
    options.endsClean = process.endsClean
    do throws(ScheduleError) {
      return SamplingPlan(
        levels: try ScheduleCatalog.levels(
          schedule, steps: steps, of: process.samplingProcess, options: options))
    } catch {
      throw .request(part: "schedule", problem: error.description)
    }
  }
}
