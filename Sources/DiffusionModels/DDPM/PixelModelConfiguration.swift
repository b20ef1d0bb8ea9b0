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
    if process.kind == .discrete && process.zeroTerminalSNR && process.parameterization == .epsilon
    {
      throw .configuration(
        key: "process.rescale_betas_zero_snr",
        problem: "pure noise says nothing of epsilon: train with prediction_type v_prediction")
    }
    if process.kind != .discrete && process.variance.isLearned {
      throw .configuration(
        key: "process.variance_type",
        problem: "a variance is learned on a discrete chain alone: fixed_small or fixed_large")
    }
    try validateTimes()
    try validateInputs()
  }

  /// What the network is told has to be what its embedding takes.
  private func validateTimes() throws(ModelError) {
    if model.timeEmbeddingType == .fourier {
      // It takes the logarithm, and diffusers divides the output by the time too.
      let isTold =
        switch process.parameterization {
        case .epsilon, .sample, .velocity, .flow, .score: true
        case .edm, .edmVelocity, .varianceExploding, .variancePreserving, .improvedDDPM: false
        }
      if process.kind == .discrete || !isTold {
        throw .configuration(
          key: "model.time_embedding_type",
          problem: "fourier needs times above 0: a continuous process and prediction_type score, "
            + "epsilon, sample or v_prediction; else positional")
      }
    }
    if model.timeEmbeddingType == .learned && process.kind != .discrete {
      throw .configuration(
        key: "model.time_embedding_type",
        problem: "a table has whole timesteps alone, and process.kind \(process.kind.rawValue) "
          + "has times between: positional or fourier")
    }
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
