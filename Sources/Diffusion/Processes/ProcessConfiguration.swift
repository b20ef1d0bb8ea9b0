/// A process, what a network learned on it, and how samples are drawn: for a discrete chain as diffusers'
/// `scheduler_config.json` has it, for a continuous process with keys of its own. Training checkpoints keep the same.
///
/// Missing keys take the defaults below. Keys that are not known are in ``unknownKeys(in:)``.
public struct ProcessConfiguration: Sendable, Hashable {
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
  /// Which of diffusers' schedulers samples are drawn with, and its options.
  public var sampling = SamplingConfiguration()
  /// Which process, where no scheduler's name says; those that are continuous take the keys below, `sigma_min` and
  /// `sigma_max` of ``sampling`` (VE: 0.01 to 50, EDM: 0.002 to 80), and not those of the chain above.
  public var kind = ProcessKind.discrete
  /// beta(0) of VP and sub-VP; `nil` for 0.1.
  public var smallestBeta: Double?
  /// beta(1) of VP and sub-VP; `nil` for 20.
  public var largestBeta: Double?
  /// How many levels a network is trained at, of a continuous process; `nil` for all.
  public var levelCount: Int?
  /// The time at which sampling a continuous process ends, before it goes to clean data; `nil` for the paper's.
  public var lastSamplingTime: Double?

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
    case clampsDenoised = "clip_denoised"
    case kind
    case smallestBeta = "beta_min"
    case largestBeta = "beta_max"
    case levelCount = "noise_levels"
    case lastSamplingTime = "sampling_eps"
  }

  /// Those of `keys` that mean nothing here; names that begin with `_` are diffusers' own notes and are left out.
  public static func unknownKeys(in keys: some Sequence<String>) -> [String] {
    let known = Set(
      CodingKeys.allCases.map(\.rawValue)
        + SamplingConfiguration.CodingKeys.allCases.map(\.rawValue))
    return keys.filter { !known.contains($0) && !$0.hasPrefix("_") }.sorted()
  }
}

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

  /// The chain, with what lies between timesteps, and how they are told, as the scheduler has it.
  public var process: DiscreteProcess {
    // The schedulers that count by sigma keep it finite.
    let layout = sampling.scheduler?.layout
    let isFinite = layout == .interpolated || layout == .multistep
    var chain = DiscreteProcess(
      betaSchedule, count: trainingTimesteps, zeroTerminalSNR: zeroTerminalSNR,
      terminalSquaredSignal: isFinite ? 0x1p-24 : 0)
    if layout == .interpolated, sampling.grid == nil { chain.interpolation = .linear }
    chain.rounding = timestepRounding
    return chain
  }

  /// How estimates are kept in range; `nil` where they are not.
  public var threshold: Threshold? {
    if thresholdsDynamically {
      return .dynamic(quantile: thresholdQuantile, largest: largestThreshold)
    }
    return clampsEstimates ? .clamped(to: clampLimit) : nil
  }

  /// The timesteps of a run of `steps` steps, falling, where they are whole.
  public func timesteps(_ steps: Int) -> [Int] {
    spacing.timesteps(steps, of: trainingTimesteps, offset: timestepOffset)
  }
}
