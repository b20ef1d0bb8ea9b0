import Diffusion
import DiffusionModels

/// The configuration of `diffusion train ddpm` and, with other defaults, of `diffusion train score`.
public struct DenoisingConfiguration: Configuration {
  /// The network: diffusers' keys. With classes, `num_class_embeds` is one more than there are, the last for none.
  public var model = UNetConfiguration()
  /// The noise: diffusers' keys for a chain, and those of ``Diffusion/ProcessConfiguration`` for a continuous process.
  public var process = ProcessConfiguration()
  /// The pictures.
  public var data = DataConfiguration()
  /// What is minimised.
  public var loss = DenoisingLossConfiguration()
  /// How.
  public var training = TrainingConfiguration()
  /// The grids of samples.
  public var samples = SampleGridConfiguration()

  /// DDPM's defaults; `data.path` is to be set.
  public init() {}

  /// The defaults of `train score`: EDM's process, preconditioning, weighting and distribution of levels (Karras et al.
  /// 2022, table 1).
  public static let score: Self = {
    var defaults = Self()
    defaults.process.kind = .edm
    defaults.process.parameterization = .edm()
    defaults.process.clampsEstimates = false
    defaults.loss.weighting = .edm
    defaults.loss.timeSampling = .logNormal
    return defaults
  }()

  /// What generating needs to know.
  public var pixelModel: PixelModelConfiguration {
    PixelModelConfiguration(model: model, process: process)
  }

  /// Refuses values that cannot work, by key and problem.
  public func validate() throws(InvalidSetting) {
    do throws(ModelError) {
      try model.validate()
    } catch {
      throw InvalidSetting(error, under: "model")
    }
    do throws(ModelError) {
      try pixelModel.validate()
    } catch {
      throw InvalidSetting(error, under: "")
    }
    try data.validate(at: "data")
    try loss.validate(at: "loss", of: process)
    try training.validate(at: "training")
    try samples.validate(at: "samples")
    if process.kind == .discrete { try validateSteps() }
    if let size = model.sampleSize, size.contains(where: { $0 != data.resolution }) {
      throw InvalidSetting(
        "data.resolution", "expected model.sample_size \(size), found \(data.resolution)")
    }
    if let rows = model.numClassEmbeds, rows < 2 {
      throw InvalidSetting(
        "model.num_class_embeds",
        "expected the number of classes and one more for none, found \(rows)")
    }
  }

  private func validateSteps() throws(InvalidSetting) {
    try InvalidSetting.check(
      samples.steps <= process.trainingTimesteps, "samples.steps",
      "at most process.num_train_timesteps \(process.trainingTimesteps)", samples.steps)
    let stride = process.trainingTimesteps / samples.steps
    if process.spacing == .leading {
      try InvalidSetting.check(
        (samples.steps - 1) * stride + process.timestepOffset < process.trainingTimesteps,
        "process.steps_offset", "an offset within num_train_timesteps", process.timestepOffset)
    }
  }
}

extension InvalidSetting {
  /// A model's fault, under the key that the model's part has.
  fileprivate init(_ error: ModelError, under part: String) {
    if case .configuration(_, let key, let problem) = error {
      self.init([part, key].filter { !$0.isEmpty }.joined(separator: "."), problem)
    } else {
      self.init(part, error.description)
    }
  }
}

/// The grids of samples that show how far a run is: one row a class, always from the same noise, by DDIM or
/// the sampler that fits a continuous process.
public struct SampleGridConfiguration: Codable, Sendable, Equatable {
  /// How many pictures a class; without classes, how many rows of a square grid.
  public var perClass = 8
  /// Steps of the sampler.
  public var steps = 25
  /// How strongly the class is followed; 1 for the plain conditional model.
  public var guidance = 1.0

  /// The defaults.
  public init() {}

  func validate(at key: String) throws(InvalidSetting) {
    try InvalidSetting.check(perClass >= 1, "\(key).per_class", "1 or more", perClass)
    try InvalidSetting.check(steps >= 1, "\(key).steps", "1 or more", steps)
    try InvalidSetting.check(guidance.isFinite, "\(key).guidance", "a finite number", guidance)
  }
}
