/// The schedulers of diffusers by the names that `_class_name` has: each chooses levels in a way of its own.
public enum SchedulerClass: String, Sendable, Hashable, Codable, CaseIterable {
  case ddpm = "DDPMScheduler"
  case ddpmParallel = "DDPMParallelScheduler"
  case ddim = "DDIMScheduler"
  case ddimParallel = "DDIMParallelScheduler"
  case ddimInverse = "DDIMInverseScheduler"
  case pndm = "PNDMScheduler"
  case ipndm = "IPNDMScheduler"
  case euler = "EulerDiscreteScheduler"
  case eulerAncestral = "EulerAncestralDiscreteScheduler"
  case heun = "HeunDiscreteScheduler"
  case lms = "LMSDiscreteScheduler"
  case dpm2 = "KDPM2DiscreteScheduler"
  case dpm2Ancestral = "KDPM2AncestralDiscreteScheduler"
  case dpmSDE = "DPMSolverSDEScheduler"
  case dpmMultistep = "DPMSolverMultistepScheduler"
  case dpmMultistepInverse = "DPMSolverMultistepInverseScheduler"
  case dpmSinglestep = "DPMSolverSinglestepScheduler"
  case deis = "DEISMultistepScheduler"
  case uniPC = "UniPCMultistepScheduler"
  case saSolver = "SASolverScheduler"
  case edmEuler = "EDMEulerScheduler"
  case edmMultistep = "EDMDPMSolverMultistepScheduler"
  case cosineMultistep = "CosineDPMSolverMultistepScheduler"
  case consistency = "CMStochasticIterativeScheduler"
  case flowEuler = "FlowMatchEulerDiscreteScheduler"
  case flowHeun = "FlowMatchHeunDiscreteScheduler"
  case lcm = "LCMScheduler"
  case tcd = "TCDScheduler"
  case unCLIP = "UnCLIPScheduler"

  /// How levels are laid out.
  enum Layout {
    /// Whole timesteps, and then clean data or the first timestep's level.
    case chain
    /// Timesteps that may be fractional, between which sigma is linear.
    case interpolated
    /// Whole timesteps of one step more, without the last.
    case multistep
    /// Levels between two ends.
    case edm
    /// Levels between two ends, told as an angle.
    case cosineEDM
    /// Angles falling as the squared sine has them, from pure noise.
    case angle
    /// Every so many of a grid that the model was distilled on.
    case distilled
    /// Every so many of Karras' grid, to its end.
    case consistency
    /// A rectified flow's time.
    case flow
    /// Whole timesteps with both ends.
    case unCLIP
  }

  var layout: Layout {
    switch self {
    case .ddpm, .ddpmParallel, .ddim, .ddimParallel, .ddimInverse, .pndm: .chain
    case .euler, .eulerAncestral, .heun, .lms, .dpm2, .dpm2Ancestral, .dpmSDE: .interpolated
    case .dpmMultistep, .dpmMultistepInverse, .dpmSinglestep, .deis, .uniPC, .saSolver: .multistep
    case .edmEuler, .edmMultistep: .edm
    case .cosineMultistep: .cosineEDM
    case .ipndm: .angle
    case .consistency: .consistency
    case .flowEuler, .flowHeun: .flow
    case .lcm, .tcd: .distilled
    case .unCLIP: .unCLIP
    }
  }

  /// What a configuration of the class is where a key is missing.
  func applyDefaults(to configuration: inout ProcessConfiguration) {
    configuration.clampsEstimates = false
    configuration.spacing = .linspace
    switch self {
    case .ddpm, .ddpmParallel, .ddim, .ddimParallel, .ddimInverse:
      configuration.clampsEstimates = true
      configuration.spacing = .leading
    case .pndm:
      configuration.spacing = .leading
      configuration.endsClean = false
    case .lcm, .tcd:
      configuration.spacing = .leading
      configuration.schedule = .scaledLinear
      (configuration.firstBeta, configuration.lastBeta) = (0.00085, 0.012)
    case .heun, .dpm2, .dpm2Ancestral, .dpmSDE:
      (configuration.firstBeta, configuration.lastBeta) = (0.00085, 0.012)
    case .unCLIP:
      configuration.clampsEstimates = true
      configuration.schedule = .cosine
    case .consistency: configuration.clampsEstimates = true
    case .flowEuler, .flowHeun: configuration.parameterization = .flow
    case .ipndm, .cosineMultistep: configuration.parameterization = .velocity
    default: break
    }
  }
}
