import Diffusion

/// The noise that a model is trained on: the keys and values of diffusers' `scheduler_config.json`.
public struct ProcessConfiguration: Codable, Sendable, Hashable {
  /// How the variances of the steps grow.
  public enum Schedule: String, Codable, Sendable, CaseIterable {
    /// Evenly (Ho et al. 2020).
    case linear
    /// Their roots evenly (Stable Diffusion).
    case scaledLinear = "scaled_linear"
    /// By a squared cosine; `beta_start` and `beta_end` are not used (Nichol and Dhariwal 2021).
    case cosine = "squaredcos_cap_v2"
    /// By a logistic curve.
    case sigmoid
  }

  /// The variance of the steps back.
  public enum Variance: String, Codable, Sendable, CaseIterable {
    /// The posterior's.
    case fixedSmall = "fixed_small"
    /// The forward step's.
    case fixedLarge = "fixed_large"
    /// Between the two, as the network says with its second half of the channels.
    case learnedRange = "learned_range"
  }

  /// How many steps lead from data to noise.
  public var numTrainTimesteps = 1000
  /// How their variances grow.
  public var betaSchedule = Schedule.linear
  /// The first step's variance.
  public var betaStart = 1e-4
  /// The last step's.
  public var betaEnd = 0.02
  /// What the network's output stands for.
  public var predictionType = Parameterization.epsilon
  /// The variance of the steps back.
  public var varianceType = Variance.fixedSmall
  /// Whether the last step leaves nothing of the data (Lin et al. 2023).
  public var rescaleBetasZeroSnr = false

  private enum CodingKeys: String, CodingKey {
    case numTrainTimesteps = "num_train_timesteps"
    case betaSchedule = "beta_schedule"
    case betaStart = "beta_start"
    case betaEnd = "beta_end"
    case predictionType = "prediction_type"
    case varianceType = "variance_type"
    case rescaleBetasZeroSnr = "rescale_betas_zero_snr"
  }

  /// DDPM's.
  public init() {}

  /// The chain of steps.
  public var process: DiscreteProcess {
    DiscreteProcess(schedule, count: numTrainTimesteps, zeroTerminalSNR: rescaleBetasZeroSnr)
  }

  private var schedule: BetaSchedule {
    switch betaSchedule {
    case .linear: .linear(from: betaStart, to: betaEnd)
    case .scaledLinear: .scaledLinear(from: betaStart, to: betaEnd)
    case .cosine: .cosine()
    case .sigmoid: .sigmoid(from: betaStart, to: betaEnd)
    }
  }

  /// Checks that the values go together.
  ///
  /// - Throws: ``ModelError`` with the first key that does not.
  public func validate() throws(ModelError) {
    if numTrainTimesteps < 1 {
      throw .configuration(
        key: "num_train_timesteps", problem: "expected at least 1, found \(numTrainTimesteps)")
    }
    if betaSchedule != .cosine {
      for (key, beta) in [("beta_start", betaStart), ("beta_end", betaEnd)]
      where !(beta > 0 && beta < 1) {
        throw .configuration(key: key, problem: "expected between 0 and 1, found \(beta)")
      }
    }
    if rescaleBetasZeroSnr && predictionType == .epsilon {
      throw .configuration(
        key: "rescale_betas_zero_snr",
        problem: "pure noise says nothing of epsilon: train with prediction_type v_prediction")
    }
  }
}
