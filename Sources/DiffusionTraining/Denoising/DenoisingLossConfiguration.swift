import Diffusion

/// What is minimised.
public struct DenoisingLossConfiguration: Codable, Sendable, Equatable {
  /// The share of the variational bound in the loss of a learned variance (Nichol and Dhariwal 2021, equation 16).
  public var boundShare = 0.001
  /// The chance of a picture's class being replaced by the empty one (Ho and Salimans, "Classifier-Free Diffusion
  /// Guidance", 2022).
  public var labelDropout = 0.1
  /// γ of the min-SNR weighting (Hang et al. 2023), which then goes in place of ``weighting``; `null` for that.
  public var snrGamma: Double?
  /// How the score is learned.
  public var objective = Objective.denoising
  /// What the squared error is weighted with.
  public var weighting = Weighting.uniform
  /// The power of the noise in NCSN's weighting and in that of sliced score matching.
  public var annealPower = 2.0
  /// How times are drawn, of a continuous process without a number of levels.
  public var timeSampling = TimeSampling.uniform
  /// The first time that is drawn, of uniform times and of importance sampling.
  public var firstTime = 1e-5
  /// The mean of EDM's normal logarithms.
  public var logNormalMean = -1.2
  /// Their deviation.
  public var logNormalDeviation = 1.2
  /// The step of the central differences of sliced score matching, as a share of the noise.
  public var slicedStep = 0.01
  /// Whether sliced score matching takes the score's norm as it is.
  public var varianceReduction = true

  /// How the score is learned.
  public enum Objective: String, Codable, Sendable, CaseIterable {
    /// ``Diffusion/DenoisingLoss``.
    case denoising
    /// ``Diffusion/SlicedScoreMatching`` of the noisy pictures.
    case sliced
  }

  /// The weightings by name; see ``Diffusion/LossWeighting``.
  public enum Weighting: String, Codable, Sendable, CaseIterable {
    /// ``Diffusion/LossWeighting/uniform``.
    case uniform
    /// ``Diffusion/LossWeighting/score(power:)``.
    case score
    /// ``Diffusion/LossWeighting/likelihood``.
    case likelihood
    /// ``Diffusion/LossWeighting/edm(dataDeviation:)``.
    case edm
  }

  /// The distributions of time by name; see ``Diffusion/TimeDistribution``.
  public enum TimeSampling: String, Codable, Sendable, CaseIterable {
    /// ``Diffusion/TimeDistribution/uniform(from:)``.
    case uniform
    /// ``Diffusion/TimeDistribution/importance(from:)``.
    case importance
    /// ``Diffusion/TimeDistribution/logNormal(mean:deviation:)``.
    case logNormal = "log_normal"
  }

  /// The defaults.
  public init() {}

  /// The weighting for a network's parameterization.
  func weighting(of parameterization: Parameterization) -> LossWeighting {
    if let snrGamma { return .minSNR(gamma: snrGamma) }
    switch weighting {
    case .uniform: return .uniform
    case .score: return .score(power: annealPower)
    case .likelihood: return .likelihood
    case .edm:
      if case .edm(let deviation) = parameterization { return .edm(dataDeviation: deviation) }
      return .edm()
    }
  }

  /// How times of `process` are drawn.
  func times(of process: ProcessConfiguration) -> TimeDistribution {
    if process.kind == .discrete { return .evenlySpaced(process.trainingTimesteps) }
    if let levels = process.levelCount { return .evenlySpaced(levels) }
    let first = max(firstTime, process.samplingProcess.times.lowerBound)
    return switch timeSampling {
    case .uniform: .uniform(from: first)
    case .importance: .importance(from: first)
    case .logNormal: .logNormal(mean: logNormalMean, deviation: logNormalDeviation)
    }
  }

  func validate(at key: String, of process: ProcessConfiguration) throws(InvalidSetting) {
    try InvalidSetting.check(
      (0...1).contains(labelDropout), "\(key).label_dropout", "0 to 1", labelDropout)
    try InvalidSetting.check(
      boundShare >= 0 && boundShare.isFinite, "\(key).bound_share", "0 or more", boundShare)
    if let snrGamma {
      try InvalidSetting.check(snrGamma > 0, "\(key).snr_gamma", "above 0 or null", snrGamma)
    }
    try InvalidSetting.check(
      annealPower.isFinite, "\(key).anneal_power", "a finite number", annealPower)
    try InvalidSetting.check(
      logNormalMean.isFinite, "\(key).log_normal_mean", "a finite number", logNormalMean)
    try InvalidSetting.check(
      logNormalDeviation > 0 && logNormalDeviation.isFinite, "\(key).log_normal_deviation",
      "above 0", logNormalDeviation)
    try InvalidSetting.check(
      slicedStep > 0 && slicedStep.isFinite, "\(key).sliced_step", "above 0", slicedStep)
    if process.kind != .discrete {
      let last = process.samplingProcess.times.upperBound
      try InvalidSetting.check(
        firstTime > 0 && firstTime < last, "\(key).first_time", "above 0 and below \(last)",
        firstTime)
    }
    if objective == .sliced && process.variance.isLearned {
      throw InvalidSetting(
        "\(key).objective", "sliced score matching learns no variance: use denoising")
    }
  }
}
