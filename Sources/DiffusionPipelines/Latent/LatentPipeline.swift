import Diffusion
import DiffusionImages
import DiffusionModels
import TensorCore
import TextTokenizer

/// Draws pictures from texts with a latent diffusion model (Rombach et al. 2022).
///
/// A picture of a seed starts from the noise that PyTorch gives for it, and so is the one that diffusers gives, up to
/// rounding.
public struct LatentPipeline: Sendable {
  /// The model.
  public let model: LatentModel

  /// A pipeline of its model.
  public init(model: LatentModel) { self.model = model }

  /// The steps that make the pictures of a request, batch after batch; the text is encoded at once.
  ///
  /// - Throws: ``PipelineError/request(part:problem:)`` where the model cannot do what is asked.
  public func generate(_ request: TextRequest) throws(PipelineError) -> ImageGeneration {
    try request.pictures.check()
    let size = try size(of: request)
    let layers = model.texts.map(\.encoder.configuration.layers).min() ?? 0
    if let skipped = request.skippedLayers {
      try ImageRequest.expect(
        "clip-skip", (0..<layers).contains(skipped),
        "expected 0 to \(layers - 1), found \(skipped)")
    }
    let (sampler, plan) = try request.pictures.sampling(of: model.process)
    let batch = Batch(
      model: model, request: request, size: size, sampler: sampler, plan: plan,
      conditions: conditions(request, size))
    let model = model
    return ImageGeneration(request: request.pictures, stepCount: plan.count) { pictures in
      batch.trajectory(pictures)
    } render: { latents, _ in
      let unscaled = model.autoencoder.unscaled(latents)
      return PixelModel.images(of: model.autoencoder.decodeSlices(unscaled))
    }
  }

  private func size(of request: TextRequest) throws(PipelineError) -> (Int, Int) {
    let unit = model.autoencoder.configuration.reduction
    let size = (request.height ?? model.usualSide, request.width ?? model.usualSide)
    for (name, value) in [("height", size.0), ("width", size.1)] {
      try ImageRequest.expect(
        name, value > 0 && value % unit == 0,
        "expected a multiple of \(unit) above 0, found \(value)")
    }
    return size
  }

  /// The prompt and the negative one, of equally many tokens.
  private func conditions(
    _ request: TextRequest, _ size: (Int, Int)
  ) -> (positive: TextCondition, negative: TextCondition) {
    let (prompt, negative) = (
      WeightedPrompt(parsing: request.prompt), WeightedPrompt(parsing: request.negative)
    )
    let chunks = max(model.chunkCount(prompt), model.chunkCount(negative))
    func condition(_ prompt: WeightedPrompt) -> TextCondition {
      model.condition(prompt, chunks: chunks, skipping: request.skippedLayers, size: size)
    }
    return (condition(prompt), condition(negative))
  }
}

/// What the batches of a request have in common.
private struct Batch: Sendable {
  let model: LatentModel
  let request: TextRequest
  let size: (Int, Int)
  let sampler: Sampler
  let plan: SamplingPlan
  let conditions: (positive: TextCondition, negative: TextCondition)

  func trajectory(_ pictures: Range<Int>) -> any RunningTrajectory {
    func trajectory(
      _ solver: some Solver, _ process: some Process
    ) -> any RunningTrajectory {
      let denoiser = NetworkDenoiser(
        model, process: process, parameterization: model.process.networkParameterization)
      let guided = ClassifierFreeGuidance(
        denoiser, towards: pictures.map { _ in conditions.positive },
        awayFrom: pictures.map { _ in conditions.negative }, scale: request.pictures.guidance)
      var noise = SeededNoise(
        request.pictures.generator, seeds: pictures.map(request.pictures.seed(of:)))
      let unit = model.autoencoder.configuration.reduction
      let shape = [
        pictures.count, size.0 / unit, size.1 / unit,
        model.autoencoder.configuration.latentChannels,
      ]
      let latent = model.process.start(shape, of: plan, noise: &noise)
      let bounded = Thresholded(
        guided, model.process.threshold, keepsDirection: sampler.keepsDirection)
      return Trajectory(
        from: latent, plan: plan, solver: solver, denoiser: bounded, noise: noise)
    }
    return trajectory(sampler.solver, model.process.samplingProcess)
  }
}
