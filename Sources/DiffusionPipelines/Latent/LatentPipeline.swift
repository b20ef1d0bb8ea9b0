import Diffusion
import DiffusionImages
import DiffusionModels
import TensorCore
import TextTokenizer

/// Draws pictures from texts with a latent diffusion model (Rombach et al. 2022): from noise, from a picture (to change, to
/// paint into, to enlarge), in one pass or two.
///
/// A picture of a seed starts from the noise that PyTorch gives for it, and so is the one that diffusers gives, up to
/// rounding.
public struct LatentPipeline: Sendable {
  /// The model.
  public let model: LatentModel
  /// What makes previews of unfinished latents; `nil` for the autoencoder itself.
  public var preview: LatentPreview?

  /// A pipeline of its model.
  public init(model: LatentModel, preview: LatentPreview? = nil) {
    self.model = model
    self.preview = preview
  }

  /// The steps that make the pictures of a request, batch after batch; texts and pictures are encoded at once.
  ///
  /// - Parameter input: a picture to draw from.
  /// - Throws: ``PipelineError/request(part:problem:)`` where the model cannot do what is asked.
  public func generate(
    _ request: TextRequest, from input: PictureInput? = nil
  ) throws(PipelineError) -> ImageGeneration {
    try request.check()
    try check(request, input)
    let size = try size(of: request, input)
    let (first, finish) = try firstStage(request, input, size)
    let second = try request.refinement.map { refinement throws(PipelineError) in
      var again = request
      again.pictures.steps = refinement.steps ?? request.pictures.steps
      return try stage(
        again, size: scaled(size, by: refinement.scale), start: .earlier,
        strength: refinement.strength, of: "hires-strength")
    }
    let stepCount = first.plan.count + (second?.plan.count ?? 0)
    return ImageGeneration(request: request.pictures, stepCount: stepCount) { pictures in
      let run = first.trajectory(pictures)
      guard let second else { return run }
      return ChainedTrajectory(run) { second.trajectory(pictures, from: $0) }
    } render: { [self] latents, isFinished in
      if !isFinished, let preview { return preview.images(of: latents) }
      return PixelModel.images(of: decoded(latents)).map(finish)
    }
  }

  /// Pictures `[batch, height, width, 3]` of the U-Net's latents, one by one.
  func decoded(_ latents: Tensor) -> Tensor {
    model.autoencoder.decodeSlices(model.autoencoder.unscaled(latents))
  }

  private func encoded(_ pixels: Tensor) -> DiagonalGaussian {
    let autoencoder = model.autoencoder
    return autoencoder.tiling.map { autoencoder.encode(pixels, tiling: $0) }
      ?? autoencoder.encode(pixels)
  }

  // MARK: - Stages

  /// The first stage, and what is done with the pictures in the end.
  private func firstStage(
    _ request: TextRequest, _ input: PictureInput?, _ size: (Int, Int)
  ) throws(PipelineError) -> (LatentStage, @Sendable (Image) -> Image) {
    guard let input else {
      return (try stage(request, size: size, start: .noise), { $0 })
    }
    if model.takes == .smallPicture {
      let start = try smallPicture(input, size)
      return (try stage(request, size: size, start: .smallPicture(start)), { $0 })
    }
    let canvas = try Canvas(input, size: size)
    let stage = try stage(
      request, size: size, start: .picture(picture(canvas, input)), strength: input.strength,
      of: "strength")
    return (stage, canvas.finished)
  }

  private func stage(
    _ request: TextRequest, size: (Int, Int), start: LatentStage.Start, strength: Double = 1,
    of part: String = ""
  ) throws(PipelineError) -> LatentStage {
    let unit = model.autoencoder.configuration.reduction
    let (sampler, plan) = try request.pictures.sampling(
      of: model.process, strength: strength, of: part,
      isDistilled: model.unet.configuration.guidanceWidth != nil)
    let (conditions, negative) = model.conditions(of: request, size: size)
    return LatentStage(
      model: model, request: request, size: (size.0 / unit, size.1 / unit), sampler: sampler,
      plan: plan, conditions: conditions, negative: negative, start: start)
  }

  private func picture(_ canvas: Canvas, _ input: PictureInput) -> EncodedPicture {
    let (pixels, unit) = (canvas.pixels, model.autoencoder.configuration.reduction)
    guard let painted = canvas.painted else {
      return EncodedPicture(
        latent: encoded(pixels), masked: nil, painted: nil, startsFromNoise: false)
    }
    let (isInpainting, isNoise) = (model.takes == .maskedPicture, input.strength == 1)
    let hidden = pixels * (Tensor.ones(painted.shape) - painted)
    return EncodedPicture(
      latent: isInpainting && isNoise ? nil : encoded(pixels),
      masked: isInpainting ? encoded(hidden) : nil,
      painted: painted.resampledNearest(to: (pixels.shape[1] / unit, pixels.shape[2] / unit)),
      startsFromNoise: isNoise)
  }

  private func smallPicture(
    _ input: PictureInput, _ size: (Int, Int)
  ) throws(PipelineError) -> SmallPicture {
    let unit = model.autoencoder.configuration.reduction
    let canvas = try Canvas(input, size: (size.0 / unit, size.1 / unit), filter: .bicubic)
    let levels = (model.lowResolution ?? ProcessConfiguration()).process.levels
    try ImageRequest.expect(
      "noise-level", levels.indices.contains(input.noiseLevel),
      "expected 0 to \(levels.count - 1), found \(input.noiseLevel)")
    return SmallPicture(
      pixels: canvas.pixels, timestep: input.noiseLevel, level: levels[input.noiseLevel])
  }
}

// MARK: - Checks

extension LatentPipeline {
  private func check(
    _ request: TextRequest, _ input: PictureInput?
  ) throws(PipelineError) {
    let layers = model.texts.map(\.encoder.configuration.layers).min() ?? 0
    if let skipped = request.skippedLayers {
      try ImageRequest.expect(
        "clip-skip", (0..<layers).contains(skipped),
        "expected 0 to \(layers - 1), found \(skipped)")
    }
    if let input { try TextRequest.expectStrength("strength", input.strength) }
    switch model.takes {
    case .smallPicture:
      try ImageRequest.expect(
        "init-image", input != nil, "the model enlarges pictures, so it takes one")
      try ImageRequest.expect(
        "mask", input?.mask == nil, "the model enlarges pictures; leave the mask out")
      try ImageRequest.expect(
        "hires", request.refinement == nil, "the model enlarges by itself; leave it out")
    case .maskedPicture:
      try ImageRequest.expect(
        "mask", input?.mask != nil, "the model paints into pictures, so it takes one with a mask")
    case nil: break
    }
    try ImageRequest.expect(
      "hires", request.refinement == nil || input?.mask == nil,
      "what is painted into a picture is not enlarged; leave one of the two out")
  }

  /// Height and width of what is drawn: as asked for, else the picture's, else the model's usual.
  private func size(
    of request: TextRequest, _ input: PictureInput?
  ) throws(PipelineError) -> (Int, Int) {
    let unit = model.autoencoder.configuration.reduction
    var usual = (model.usualSide, model.usualSide)
    if let image = input?.image, input?.mask?.areaPadding == nil {
      usual = (image.height / unit * unit, image.width / unit * unit)
      if model.takes == .smallPicture { usual = (usual.0 * unit, usual.1 * unit) }
    }
    let size = (request.height ?? usual.0, request.width ?? usual.1)
    for (name, value) in [("height", size.0), ("width", size.1)] {
      try ImageRequest.expect(
        name, value > 0 && value % unit == 0,
        "expected a multiple of \(unit) above 0, found \(value)")
    }
    return size
  }

  /// The nearest size that the autoencoder has.
  private func scaled(_ size: (Int, Int), by factor: Double) -> (Int, Int) {
    let unit = Double(model.autoencoder.configuration.reduction)
    func side(_ length: Int) -> Int { Int((Double(length) * factor / unit).rounded() * unit) }
    return (side(size.0), side(size.1))
  }
}
