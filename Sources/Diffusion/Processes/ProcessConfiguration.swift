/// A discrete process, what a network learned on it, and how samples are drawn, as diffusers' `scheduler_config.json` has
/// it. Training checkpoints keep the same.
///
/// Missing keys take the defaults below. Keys that are not known are in ``unknownKeys(in:)``.
public struct ProcessConfiguration: Sendable, Hashable, Codable {
  /// T.
  public var trainingTimesteps = 1000
  /// Which of the schedules, by diffusers' name.
  public var schedule = ScheduleName.linear
  /// The first beta of a schedule that has one.
  public var firstBeta = 1e-4
  /// The last beta of a schedule that has one.
  public var lastBeta = 0.02
  /// The betas as a list, in place of a schedule.
  public var explicitBetas: [Double]?
  /// What the network's output stands for.
  public var parameterization = Parameterization.epsilon
  /// The variance of ancestral sampling's steps.
  public var variance = ReverseVariance.fixedSmall
  /// Whether estimates are clamped.
  public var clampsEstimates = true
  /// To what they are clamped.
  public var clampLimit = 1.0
  /// Whether estimates are thresholded dynamically, which goes before clamping.
  public var thresholdsDynamically = false
  /// Dynamic thresholding's quantile.
  public var thresholdQuantile = 0.995
  /// Dynamic thresholding's largest bound.
  public var largestThreshold = 1.0
  /// How a few timesteps are chosen.
  public var spacing = TimestepSpacing.leading
  /// Added to the timesteps of leading spacing.
  public var timestepOffset = 0
  /// Whether the schedule is rescaled to end without signal.
  public var zeroTerminalSNR = false
  /// Whether the last step goes to clean data, or to the first timestep's level.
  public var endsClean = true

  /// The schedules by diffusers' names.
  public enum ScheduleName: String, Sendable, Codable, CaseIterable {
    /// ``BetaSchedule/linear(from:to:)``.
    case linear
    /// ``BetaSchedule/scaledLinear(from:to:)``.
    case scaledLinear = "scaled_linear"
    /// ``BetaSchedule/cosine(offset:largest:)``.
    case cosine = "squaredcos_cap_v2"
    /// ``BetaSchedule/sigmoid(from:to:)``.
    case sigmoid
  }

  /// The defaults: DDPM's own.
  public init() {}

  enum CodingKeys: String, CodingKey, CaseIterable {
    case trainingTimesteps = "num_train_timesteps"
    case schedule = "beta_schedule"
    case firstBeta = "beta_start"
    case lastBeta = "beta_end"
    case explicitBetas = "trained_betas"
    case parameterization = "prediction_type"
    case variance = "variance_type"
    case clampsEstimates = "clip_sample"
    case clampLimit = "clip_sample_range"
    case thresholdsDynamically = "thresholding"
    case thresholdQuantile = "dynamic_thresholding_ratio"
    case largestThreshold = "sample_max_value"
    case spacing = "timestep_spacing"
    case timestepOffset = "steps_offset"
    case zeroTerminalSNR = "rescale_betas_zero_snr"
    case endsClean = "set_alpha_to_one"
  }

  /// Those of `keys` that mean nothing here; names that begin with `_` are diffusers' own notes and are left out.
  public static func unknownKeys(in keys: some Sequence<String>) -> [String] {
    let known = Set(CodingKeys.allCases.map(\.rawValue))
    return keys.filter { !known.contains($0) && !$0.hasPrefix("_") }.sorted()
  }
}

extension ProcessConfiguration {
  /// Reads a configuration; throws `DecodingError` for a value of the wrong kind or out of range.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    func read<Value: Decodable>(_ key: CodingKeys, _ value: inout Value) throws {
      if let found = try values.decodeIfPresent(Value.self, forKey: key) { value = found }
    }
    try read(.trainingTimesteps, &trainingTimesteps)
    try read(.schedule, &schedule)
    try read(.firstBeta, &firstBeta)
    try read(.lastBeta, &lastBeta)
    explicitBetas = try values.decodeIfPresent([Double].self, forKey: .explicitBetas)
    try read(.parameterization, &parameterization)
    try read(.clampsEstimates, &clampsEstimates)
    try read(.clampLimit, &clampLimit)
    try read(.thresholdsDynamically, &thresholdsDynamically)
    try read(.thresholdQuantile, &thresholdQuantile)
    try read(.largestThreshold, &largestThreshold)
    try read(.spacing, &spacing)
    try read(.timestepOffset, &timestepOffset)
    try read(.zeroTerminalSNR, &zeroTerminalSNR)
    try read(.endsClean, &endsClean)
    // In diffusers `fixed_small_log` differs from `fixed_small` in rounding only.
    if try values.decodeIfPresent(String.self, forKey: .variance) != "fixed_small_log" {
      try read(.variance, &variance)
    }
    for (key, complaint) in complaints {
      throw DecodingError.dataCorruptedError(
        forKey: key, in: values, debugDescription: complaint)
    }
  }

  private var complaints: [(CodingKeys, String)] {
    var found: [(CodingKeys, String)] = []
    func expect(_ key: CodingKeys, _ holds: Bool, _ expected: String, _ value: Any) {
      if !holds { found.append((key, "expected \(expected), found \(value)")) }
    }
    expect(.trainingTimesteps, trainingTimesteps >= 1, "1 or more", trainingTimesteps)
    expect(.firstBeta, firstBeta > 0 && firstBeta < 1, "a number between 0 and 1", firstBeta)
    expect(.lastBeta, lastBeta > 0 && lastBeta < 1, "a number between 0 and 1", lastBeta)
    if let betas = explicitBetas {
      expect(
        .explicitBetas, betas.count == trainingTimesteps && betas.allSatisfy { $0 > 0 && $0 < 1 },
        "\(trainingTimesteps) numbers between 0 and 1", "\(betas.count) values")
    }
    expect(.clampLimit, clampLimit > 0, "a number above 0", clampLimit)
    expect(
      .thresholdQuantile, (0...1).contains(thresholdQuantile), "0 to 1", thresholdQuantile)
    expect(.largestThreshold, largestThreshold >= 1, "1 or more", largestThreshold)
    expect(
      .timestepOffset, (0..<trainingTimesteps).contains(timestepOffset),
      "0 to below num_train_timesteps", timestepOffset)
    return found
  }
}

// MARK: - What it describes

extension ProcessConfiguration {
  /// The schedule of betas.
  public var betaSchedule: BetaSchedule {
    if let explicitBetas { return .explicit(explicitBetas) }
    return switch schedule {
    case .linear: .linear(from: firstBeta, to: lastBeta)
    case .scaledLinear: .scaledLinear(from: firstBeta, to: lastBeta)
    case .cosine: .cosine()
    case .sigmoid: .sigmoid(from: firstBeta, to: lastBeta)
    }
  }

  /// The chain.
  public var process: DiscreteProcess {
    DiscreteProcess(betaSchedule, count: trainingTimesteps, zeroTerminalSNR: zeroTerminalSNR)
  }

  /// How estimates are kept in range; `nil` where they are not.
  public var threshold: Threshold? {
    if thresholdsDynamically {
      return .dynamic(quantile: thresholdQuantile, largest: largestThreshold)
    }
    return clampsEstimates ? .clamped(to: clampLimit) : nil
  }

  /// The timesteps of a run of `steps` steps, falling.
  public func timesteps(_ steps: Int) -> [Int] {
    spacing.timesteps(steps, of: trainingTimesteps, offset: timestepOffset)
  }

  /// The legs of a run of `steps` steps.
  public func plan(_ steps: Int) -> SamplingPlan {
    let process = process
    return SamplingPlan(
      timesteps: timesteps(steps), of: process, end: endsClean ? .clean : process.levels[0])
  }
}
