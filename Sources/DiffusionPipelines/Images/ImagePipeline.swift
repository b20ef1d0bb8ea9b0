import Diffusion
import DiffusionModels
import TensorCore

/// Draws pictures with a pixel model: unconditionally, or by class with classifier-free guidance.
///
/// ```swift
/// var notes: [String] = []
/// let pipeline = ImagePipeline(model: try ModelLocation.embedded.load(notes: &notes))
/// for try await step in try pipeline.generate(ImageRequest(classes: [7, 7], seed: 1)) {
///   print("\(step.stepsDone) of \(step.stepCount)")
/// }
/// ```
public struct ImagePipeline: Sendable {
  /// The model.
  public let model: PixelModel

  /// A pipeline of its model.
  public init(model: PixelModel) { self.model = model }

  /// The steps that make the pictures of a request, batch after batch; nothing is computed before they are asked for.
  ///
  /// - Throws: ``PipelineError/request(part:problem:)`` where the model cannot do what is asked.
  public func generate(_ request: ImageRequest) throws(PipelineError) -> ImageGeneration {
    try check(request)
    let entry = try entry(for: request)
    var options = request.options
    options.variance = model.configuration.process.variance
    let sampler = entry.make(options)
    return ImageGeneration(
      model: model, request: request, sampler: sampler, plan: sampler.plan(try plan(for: request)))
  }

  /// All pictures of a request at once, `[count, height, width, channels]`, values about -1 to 1 (not cut off there).
  public func pictures(_ request: ImageRequest) async throws(PipelineError) -> Tensor {
    var steps = try generate(request).makeAsyncIterator()
    var parts: [Tensor] = []
    while let step = try await steps.next(isolation: nil) {
      if step.finishesBatch { parts.append(step.x) }
    }
    return parts.count == 1 ? parts[0] : Tensor.concatenated(parts, axis: 0)
  }

  private func check(_ request: ImageRequest) throws(PipelineError) {
    func expect(
      _ part: String, _ holds: Bool, _ problem: @autoclosure () -> String
    ) throws(PipelineError) {
      if !holds { throw .request(part: part, problem: problem()) }
    }
    let most = model.process.count
    try expect("count", request.count >= 1, "expected 1 or more, found \(request.count)")
    try expect("batch", request.batchSize >= 1, "expected 1 or more, found \(request.batchSize)")
    try expect(
      "steps", (1...most).contains(request.steps),
      "expected 1 to \(most), the timesteps of the model, found \(request.steps)")
    try expect("guidance", request.guidance.isFinite, "expected a finite number")
    for case .some(let wanted) in request.classes {
      try expect("class", model.classCount > 0, "the model knows no classes; leave it out")
      try expect(
        "class", (0..<model.classCount).contains(wanted),
        "expected 0 to \(model.classCount - 1), found \(wanted)")
    }
  }

  /// The catalogue's entry of the sampler, which takes every option that is asked of it.
  private func entry(for request: ImageRequest) throws(PipelineError) -> SolverEntry {
    guard let entry = SolverCatalog.entry(named: request.sampler) else {
      throw .request(
        part: "sampler",
        problem: "there is none named \(request.sampler); "
          + "`diffusion samplers` lists those that there are")
    }
    if let refused = request.options.refused(by: entry) {
      throw .request(part: refused.part, problem: refused.problem)
    }
    return entry
  }

  /// The levels of the request's schedule, or those that the model's own scheduler chooses.
  private func plan(for request: ImageRequest) throws(PipelineError) -> SamplingPlan {
    let process = model.configuration.process
    guard let schedule = request.schedule else {
      if let problem = process.problem(steps: request.steps) {
        throw .request(part: "steps", problem: problem)
      }
      return process.plan(request.steps)
    }
    var options = request.scheduleOptions
    options.timestepOffset = process.timestepOffset
    options.endsClean = process.endsClean
    do throws(ScheduleError) {
      return SamplingPlan(
        levels: try ScheduleCatalog.levels(
          schedule, steps: request.steps, of: process.samplingProcess, options: options))
    } catch {
      throw .request(part: "schedule", problem: error.description)
    }
  }
}
