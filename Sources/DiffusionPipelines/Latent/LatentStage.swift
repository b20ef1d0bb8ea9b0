import Diffusion
import DiffusionModels
import TensorCore

/// One run of a sampler over latents of one size, from noise, from a picture or from earlier latents: what its batches have in
/// common.
struct LatentStage: Sendable {
  let model: LatentModel
  let request: TextRequest
  /// Height and width of the latents.
  let size: (Int, Int)
  let sampler: Sampler
  let plan: SamplingPlan
  /// What each picture of the request is to show, and not to show.
  let conditions: [TextCondition]
  let negative: TextCondition
  /// What the latents begin as.
  let start: Start

  /// What latents begin as.
  enum Start: Sendable {
    /// Noise.
    case noise
    /// A picture with noise.
    case picture(EncodedPicture)
    /// Noise, beside a small picture.
    case smallPicture(SmallPicture)
    /// The latents of a stage before, enlarged, with noise.
    case earlier
  }

  /// The run of some of the pictures.
  ///
  /// - Parameter earlier: the latents of the stage before.
  func trajectory(
    _ pictures: Range<Int>, from earlier: Tensor? = nil
  ) -> any RunningTrajectory {
    var noise = request.noise(of: pictures)
    let begun = begin(pictures, earlier, &noise)
    func told(_ condition: TextCondition, _ place: Int) -> TextCondition {
      condition.beside(begun.channels?.sliced(axis: 0, place..<place + 1), begun.noiseLevel)
    }
    let positives = zip(0..., conditions[pictures]).map { told($1, $0) }
    let negatives = pictures.indices.map { told(negative, $0 - pictures.lowerBound) }
    func trajectory(
      _ solver: some Solver, _ process: some Process
    ) -> any RunningTrajectory {
      let denoiser = model.denoiser(
        process, for: sampler, towards: positives, awayFrom: negatives,
        guidance: request.pictures.guidance, deepInterval: request.pictures.deepInterval)
      guard let held = begun.held else {
        return Trajectory(
          from: begun.x, plan: plan, solver: solver, denoiser: denoiser, noise: noise)
      }
      let known = MaskMeasurement(known: Tensor.ones(held.painted.shape) - held.painted)
      return Trajectory(
        from: begun.x, plan: plan,
        solver: HeldRegion(
          base: solver, painted: held.painted, latent: held.latent, noise: begun.noise,
          plan: plan),
        denoiser: Measured(denoiser, by: known, as: held.latent), noise: noise)
    }
    return trajectory(sampler.solver, model.process.samplingProcess)
  }

  /// Where a batch begins.
  private struct Beginning {
    var x: Tensor
    /// The noise in it, of variance 1.
    var noise: Tensor
    /// What the network sees beside every sample.
    var channels: Tensor?
    var noiseLevel: Double?
    /// What is not painted anew, where the network has no channel that says so.
    var held: (painted: Tensor, latent: Tensor)?
  }

  /// The draws are in diffusers' order, so that its seeds give the same pictures.
  private func begin(
    _ pictures: Range<Int>, _ earlier: Tensor?, _ noise: inout SeededNoise
  ) -> Beginning {
    let shape =
      [pictures.count, size.0, size.1, model.autoencoder.configuration.latentChannels]
    func drawn() -> Tensor { request.startNoise(shape, of: pictures, drawnFrom: &noise) }
    func noised(_ latent: Tensor, _ drawn: Tensor) -> Tensor {
      Tensor.linearCombination([(plan.start.signal, latent), (plan.start.noise, drawn)])
    }
    func pure(_ drawn: Tensor) -> Tensor { model.process.start(from: drawn, of: plan) }
    switch start {
    case .noise:
      let drawn = drawn()
      return Beginning(x: pure(drawn), noise: drawn)
    case .earlier:
      let drawn = drawn()
      let latent = (earlier ?? drawn).resampledBilinear(to: size)
      return Beginning(x: noised(latent, drawn), noise: drawn)
    case .smallPicture(let small):
      let channels = small.noised(by: &noise, count: pictures.count)
      let drawn = drawn()
      return Beginning(
        x: pure(drawn), noise: drawn, channels: channels, noiseLevel: Double(small.timestep))
    case .picture(let picture):
      let latent = picture.latent.map {
        model.sampled($0, noise: noise.initial(shape, dtype: .float32))
      }
      let drawn = drawn()
      var begun = Beginning(x: pure(drawn), noise: drawn)
      if let latent, !picture.startsFromNoise { begun.x = noised(latent, drawn) }
      guard let painted = picture.painted else { return begun }
      // diffusers draws the masked picture's latent for networks too that do not look at it.
      let hiddenNoise = noise.initial(shape, dtype: .float32)
      if let masked = picture.masked {
        let mask = painted.broadcasted(to: [shape[0], shape[1], shape[2], 1])
        begun.channels = Tensor.concatenated(
          [mask, model.sampled(masked, noise: hiddenNoise)], axis: -1)
      } else if let latent {
        begun.held = (painted, latent)
      }
      return begun
    }
  }
}

/// What an autoencoder makes of a picture, and of its mask.
struct EncodedPicture: Sendable {
  /// The picture's latent; `nil` where the network looks at the masked one alone and the start is noise.
  let latent: DiagonalGaussian?
  /// The latent of the picture with grey where it is painted anew, for networks that look at it.
  let masked: DiagonalGaussian?
  /// 1 where a latent is painted anew: `[1, height, width, 1]`.
  let painted: Tensor?
  /// Whether nothing of the picture is in the start.
  let startsFromNoise: Bool
}

/// A small picture that is enlarged.
struct SmallPicture: Sendable {
  /// `[1, height, width, 3]`, from -1 to 1.
  let pixels: Tensor
  /// The timestep whose noise it gets.
  let timestep: Int
  /// That timestep's level.
  let level: NoiseLevel

  /// It with noise, once for each generator.
  func noised(by noise: inout SeededNoise, count: Int) -> Tensor {
    let drawn = noise.initial([count] + pixels.shape.dropFirst(), dtype: pixels.dtype)
    return pixels * level.signal + drawn * level.noise
  }
}

/// A run behind another that begins with its result.
struct ChainedTrajectory: RunningTrajectory {
  private var running: any RunningTrajectory
  private var then: ((Tensor) -> any RunningTrajectory)?

  init(_ first: any RunningTrajectory, then: @escaping (Tensor) -> any RunningTrajectory) {
    (running, self.then) = (first, then)
  }

  mutating func advance() throws(PipelineError) -> MadeStep? {
    guard let step = try running.advance() else { return nil }
    guard step.isLast, let then else { return step }
    running = then(step.x)
    self.then = nil
    return MadeStep(
      index: step.index, x: step.x, denoised: step.denoised, isLast: false,
      finishesLeg: step.finishesLeg)
  }
}
