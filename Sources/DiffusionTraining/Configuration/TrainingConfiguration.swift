/// How a network is trained, whatever it learns.
public struct TrainingConfiguration: Codable, Sendable, Equatable {
  /// How many updates the run makes.
  public var steps = 10_000
  /// Examples that go through the network at once.
  public var batchSize = 64
  /// How many such batches make one update.
  public var accumulation = 1
  /// The optimizer.
  public var optimizer = OptimizerConfiguration()
  /// The learning rate over the run.
  public var learningRate = LearningRateSchedule()
  /// The largest norm of all gradients together; larger ones are scaled down to it. `null` for any.
  public var gradientNormLimit: Double? = 1
  /// The average of the weights that samples and the final model are made of.
  public var averaging = AveragingConfiguration()
  /// Whether blocks forget their insides on the way forward and compute them again on the way back: less memory, a
  /// third more time.
  public var activationCheckpointing = false
  /// The seed of everything drawn: initial weights, order of the data, noise.
  public var seed = 0
  /// The folder that everything is written to; made where it is missing.
  public var output = "run"
  /// Steps from one checkpoint to the next.
  public var checkpointInterval = 1000
  /// How many of the latest checkpoints stay.
  public var keptCheckpoints = 2
  /// Steps from one grid of samples to the next; `null` for none.
  public var sampleInterval: Int? = 1000
  /// Steps from one plot of the loss to the next; `null` for none.
  public var plotInterval: Int? = 200
  /// Steps from one validation to the next; `null` for none.
  public var validationInterval: Int? = 500
  /// How many of the validation examples are used.
  public var validationExamples = 512

  /// The defaults.
  public init() {}

  func validate(at key: String) throws(InvalidSetting) {
    let counts: [(String, Int?, Int)] = [
      ("steps", steps, 1), ("batch_size", batchSize, 1), ("accumulation", accumulation, 1),
      ("checkpoint_interval", checkpointInterval, 1), ("kept_checkpoints", keptCheckpoints, 1),
      ("sample_interval", sampleInterval, 1), ("plot_interval", plotInterval, 1),
      ("validation_interval", validationInterval, 1),
      ("validation_examples", validationExamples, 1), ("seed", seed, 0),
      ("learning_rate.warm_up_steps", learningRate.warmUpSteps, 0),
    ]
    for (name, value, least) in counts {
      guard let value else { continue }
      try InvalidSetting.check(value >= least, "\(key).\(name)", "\(least) or more", value)
    }
    try optimizer.validate(at: "\(key).optimizer")
    try averaging.validate(at: "\(key).averaging")
    let rate = learningRate
    try InvalidSetting.check(
      rate.peak > 0 && rate.peak.isFinite, "\(key).learning_rate.peak", "above 0", rate.peak)
    try InvalidSetting.check(
      (0...1).contains(rate.finalShare), "\(key).learning_rate.final_share", "0 to 1",
      rate.finalShare)
    if let limit = gradientNormLimit {
      try InvalidSetting.check(limit > 0, "\(key).gradient_norm_limit", "above 0 or null", limit)
    }
    try InvalidSetting.check(!output.isEmpty, "\(key).output", "a folder", "an empty text")
  }
}

/// The average of the weights: see ``AveragingDecay``.
public struct AveragingConfiguration: Codable, Sendable, Equatable {
  /// The decay, at most.
  public var decay = 0.999
  /// Whether the decay rises to that, as diffusers' warm-up does.
  public var warmUp = true
  /// γ of the warm-up.
  public var inverseGamma = 1.0
  /// The power of the warm-up.
  public var power = 0.75

  /// The defaults.
  public init() {}

  /// What ``ExponentialMovingAverage`` takes.
  public var averagingDecay: AveragingDecay {
    AveragingDecay(
      decay: decay, warmUp: warmUp ? .init(inverseGamma: inverseGamma, power: power) : nil)
  }

  func validate(at key: String) throws(InvalidSetting) {
    try InvalidSetting.check((0..<1).contains(decay), "\(key).decay", "0 to below 1", decay)
    try InvalidSetting.check(inverseGamma > 0, "\(key).inverse_gamma", "above 0", inverseGamma)
    try InvalidSetting.check(power > 0, "\(key).power", "above 0", power)
  }
}
