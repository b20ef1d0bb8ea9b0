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
  /// What makes pictures of what the model draws, where that is latents (Rombach et al. 2022, section 3.1).
  public let decoder: VQAutoencoder?

  /// A pipeline of its model.
  public init(model: PixelModel, decoder: VQAutoencoder? = nil) {
    self.model = model
    self.decoder = decoder
  }

  /// The steps that make the pictures of a request, batch after batch; nothing is computed before they are asked for.
  ///
  /// - Throws: ``PipelineError/request(part:problem:)`` where the model cannot do what is asked.
  public func generate(_ request: ImageRequest) throws(PipelineError) -> ImageGeneration {
    try check(request)
    let (sampler, plan) = try request.sampling(of: model.configuration.process)
    let model = model
    return ImageGeneration(request: request, stepCount: plan.count) { pictures in
      model.trajectory(of: request, pictures: pictures, sampler: sampler, plan: plan)
    } render: { [decoder] x, _ in
      guard let decoder else { return PixelModel.images(of: x) }
      let latents = x * (1 / decoder.configuration.scalingFactor)
      let pictures = latents.split(axis: 0, into: latents.shape[0]).map { decoder.decode($0) }
      return PixelModel.images(of: Tensor.concatenated(pictures, axis: 0))
    }
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
    try request.check()
    for case .some(let wanted) in request.classes {
      try ImageRequest.expect(
        "class", model.classCount > 0, "the model knows no classes; leave it out")
      try ImageRequest.expect(
        "class", (0..<model.classCount).contains(wanted),
        "expected 0 to \(model.classCount - 1), found \(wanted)")
    }
  }
}
