/// The keys of diffusers' `scheduler_config.json` beyond those of the chain: which scheduler, its options, and how it lays
/// levels out. All may be missing.
public struct SamplingConfiguration: Sendable, Hashable, Codable {
  /// The scheduler; see ``SchedulerClass``. A name that is not known there stays as it is.
  public var className: String?
  /// The order of a multistep or singlestep solver.
  public var solverOrder: Int?
  /// SA-Solver's two orders.
  public var predictorOrder: Int?, correctorOrder: Int?
  /// `dpmsolver++`, `sde-dpmsolver++`, `dpmsolver`, `deis`, `data_prediction`.
  public var algorithm: String?
  /// `midpoint`, `heun`, `logrho`, `bh1`, `bh2`.
  public var solverType: String?
  /// Whether the order falls near the end, and whether the last step is Euler's.
  public var lowerOrderFinal: Bool?, eulerAtFinal: Bool?
  /// Which steps UniPC does not correct.
  public var uncorrectedSteps: [Int]?
  /// Whether UniPC predicts the data, not the noise.
  public var predictsData: Bool?
  /// Whether PNDM begins without its Runge-Kutta steps.
  public var skipsRungeKutta: Bool?
  /// Grids of levels, at most one of them.
  public var karras: Bool?, exponential: Bool?, beta: Bool?, logSNR: Bool?, flow: Bool?
  /// The shift of a flow: of ``flow``, and of the flow-matching schedulers.
  public var flowShift: Double?, shift: Double?
  /// Whether the shift follows the resolution, by what rule, and where it ends.
  public var shiftsDynamically: Bool?
  public var shiftType: String?, baseShift: Double?, largestShift: Double?
  public var baseTokens: Int?, largestTokens: Int?, terminal: Double?
  /// What lies between two timesteps: `linear` or `log_linear`.
  public var interpolation: String?
  /// `discrete`, or `continuous`: networks are told a quarter of the logarithm of sigma.
  public var timestepType: String?
  /// Where a run ends: `zero` or `sigma_min`.
  public var finalSigmas: String?
  /// The ends of a grid; the deviation of the data; Karras' exponent; `karras` or `exponential`.
  public var sigmaMin: Double?, sigmaMax: Double?, sigmaData: Double?, rho: Double?
  /// Which grid EDM's schedulers take.
  public var sigmaSchedule: String?
  /// The least logarithm of signal over noise that a run begins at; `nil` is none.
  public var leastLambda: Double?
  /// What LCM and TCD were distilled on, and LCM's scale of time.
  public var originalSteps: Int?, timestepScale: Double?
  /// What noise is multiplied by; its seed in diffusers, which is not used.
  public var noiseScale: Double?, noiseSeed: Int?
  /// What is refused where it is true: flows that count from data to noise, and flows that add noise.
  public var invertsSigmas: Bool?, addsNoise: Bool?
  /// UniPC's other predictor, which is not used.
  private var predictor: String?

  enum CodingKeys: String, CodingKey, CaseIterable {
    case className = "_class_name"
    case solverOrder = "solver_order"
    case predictorOrder = "predictor_order"
    case correctorOrder = "corrector_order"
    case algorithm = "algorithm_type"
    case solverType = "solver_type"
    case lowerOrderFinal = "lower_order_final"
    case eulerAtFinal = "euler_at_final"
    case uncorrectedSteps = "disable_corrector"
    case predictsData = "predict_x0"
    case skipsRungeKutta = "skip_prk_steps"
    case karras = "use_karras_sigmas"
    case exponential = "use_exponential_sigmas"
    case beta = "use_beta_sigmas"
    case logSNR = "use_lu_lambdas"
    case flow = "use_flow_sigmas"
    case flowShift = "flow_shift"
    case shift
    case shiftsDynamically = "use_dynamic_shifting"
    case shiftType = "time_shift_type"
    case baseShift = "base_shift"
    case largestShift = "max_shift"
    case baseTokens = "base_image_seq_len"
    case largestTokens = "max_image_seq_len"
    case terminal = "shift_terminal"
    case interpolation = "interpolation_type"
    case timestepType = "timestep_type"
    case finalSigmas = "final_sigmas_type"
    case sigmaMin = "sigma_min"
    case sigmaMax = "sigma_max"
    case sigmaData = "sigma_data"
    case rho
    case sigmaSchedule = "sigma_schedule"
    case leastLambda = "lambda_min_clipped"
    case originalSteps = "original_inference_steps"
    case timestepScale = "timestep_scaling"
    case noiseScale = "s_noise"
    case noiseSeed = "noise_sampler_seed"
    case invertsSigmas = "invert_sigmas"
    case addsNoise = "stochastic_sampling"
    case predictor = "solver_p"
  }

  /// Nothing said.
  public init() {}

  /// The scheduler, where it is one that is known.
  public var scheduler: SchedulerClass? { className.flatMap(SchedulerClass.init) }

  /// The grid that takes the place of timesteps, between the ends of the table or of the run.
  var grid: SigmaGrid? {
    if karras == true { return .karras() }
    if exponential == true || logSNR == true { return .exponential }
    return beta == true ? .beta() : nil
  }

  /// What is asked for and not done here, each with its key.
  var complaints: [(CodingKeys, String)] {
    var found: [(CodingKeys, String)] = []
    func expect(_ key: CodingKeys, _ value: String?, _ allowed: String...) {
      guard let value, !allowed.contains(value) else { return }
      found.append((key, "expected \(allowed.joined(separator: " or ")), found \(value)"))
    }
    expect(.interpolation, interpolation, "linear")
    expect(.timestepType, timestepType, "discrete")
    expect(.finalSigmas, finalSigmas, "zero", "sigma_min")
    expect(.sigmaSchedule, sigmaSchedule, "karras", "exponential")
    expect(.shiftType, shiftType, "exponential", "linear")
    expect(
      .algorithm, algorithm, "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "deis",
      "data_prediction")
    expect(.solverType, solverType, "midpoint", "heun", "logrho", "bh1", "bh2")
    if scheduler == .cosineMultistep, let sigmaData, sigmaData != 1 {
      found.append((.sigmaData, "expected 1, that of networks told an angle, found \(sigmaData)"))
    }
    for (key, value) in [(CodingKeys.invertsSigmas, invertsSigmas), (.addsNoise, addsNoise)]
    where value == true {
      found.append((key, "expected false, found true"))
    }
    if [karras, exponential, beta, logSNR].filter({ $0 == true }).count > 1 {
      found.append((.karras, "expected one grid of levels at most, found several"))
    }
    if let order = solverOrder, !(1...3).contains(order) {
      found.append((.solverOrder, "expected 1 to 3, found \(order)"))
    }
    for (key, value) in [(CodingKeys.flowShift, flowShift), (.shift, shift), (.rho, rho)] {
      if let value, value <= 0 { found.append((key, "expected a number above 0, found \(value)")) }
    }
    if let low = sigmaMin, let high = sigmaMax, !(low > 0 && low < high) {
      found.append((.sigmaMin, "expected a number above 0 and below sigma_max, found \(low)"))
    }
    return found
  }
}
