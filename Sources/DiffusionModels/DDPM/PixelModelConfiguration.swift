import Diffusion

/// What is known of a pixel model beside its weights: the part of a training configuration that generating needs.
public struct PixelModelConfiguration: Codable, Sendable, Hashable {
  /// The network.
  public var model: UNetConfiguration
  /// The noise it was trained on.
  public var process: ProcessConfiguration

  /// A configuration.
  public init(
    model: UNetConfiguration = UNetConfiguration(), process: ProcessConfiguration = .init()
  ) {
    self.model = model
    self.process = process
  }

  /// Checks that the values go together.
  ///
  /// - Throws: ``ModelError`` with the first key that does not.
  public func validate() throws(ModelError) {
    try model.validate()
    let channels = model.inChannels * (process.variance.isLearned ? 2 : 1)
    if model.outChannels != channels {
      throw .configuration(
        key: "model.out_channels",
        problem: "expected \(channels) with in_channels \(model.inChannels) and variance_type "
          + "\(process.variance.rawValue), found \(model.outChannels)")
    }
    if process.zeroTerminalSNR && process.parameterization == .epsilon {
      throw .configuration(
        key: "process.rescale_betas_zero_snr",
        problem: "pure noise says nothing of epsilon: train with prediction_type v_prediction")
    }
    try validateInputs()
  }

  private func validateInputs() throws(ModelError) {
    let factor = 1 << (model.blockOutChannels.count - 1)
    guard let size = model.sampleSize, size.allSatisfy({ $0 > 0 && $0 % factor == 0 }) else {
      throw .configuration(
        key: "model.sample_size",
        problem:
          "expected a multiple of \(factor), as \(model.blockOutChannels.count) levels need, "
          + "found \(model.sampleSize.map { "\($0)" } ?? "none")")
    }
    if let kind = model.classEmbedType {
      throw .configuration(
        key: "model.class_embed_type",
        problem: "expected null, as classes are rows of a table, found \(kind.rawValue)")
    }
    if model.timeEmbeddingType == .learned,
      model.numTrainTimesteps ?? 0 < process.trainingTimesteps
    {
      throw .configuration(
        key: "model.num_train_timesteps",
        problem: "expected process.num_train_timesteps \(process.trainingTimesteps)")
    }
  }

  /// The row of the class table that stands for no class, its last; `nil` for a network without classes.
  public var emptyClass: Int? { model.numClassEmbeds.map { $0 - 1 } }
}
