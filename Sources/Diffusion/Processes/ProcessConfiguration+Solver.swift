// What a network learned and what a run is made with, as the scheduler that the configuration names has it.

extension ProcessConfiguration {
  /// What the network's output stands for: ``parameterization``, which for the schedulers of EDM is EDM's own, and v for
  /// those that tell networks an angle.
  public var networkParameterization: Parameterization {
    switch sampling.scheduler?.layout {
    case .edm where kind == .discrete:
      parameterization == .velocity
        ? .edmVelocity(dataDeviation: sampling.sigmaData ?? 0.5)
        : .edm(dataDeviation: sampling.sigmaData ?? 0.5)
    case .angle, .cosineEDM: .velocity
    default: parameterization
    }
  }

  /// What the network was trained on: what ``kind`` says, or ``process``, EDM's or a rectified flow's.
  public var samplingProcess: any Process {
    if kind != .discrete { return continuousProcess }
    let layout = sampling.scheduler?.layout
    switch layout {
    case .edm, .consistency:
      return EDM(from: sampling.sigmaMin ?? 0.002, to: sampling.sigmaMax ?? 80)
    case .angle, .cosineEDM: return TrigonometricProcess()
    case .flow:
      return RectifiedFlow(
        shift: sampling.shift ?? 1, timeScale: Double(trainingTimesteps))
    case .multistep where sampling.flow == true:
      var flow = RectifiedFlow(shift: sampling.flowShift ?? 1, timeScale: Double(trainingTimesteps))
      flow.rounding = .down
      return flow
    default: return process
    }
  }

  /// How networks are told fractional timesteps; the multistep solvers meet them on a grid of levels alone.
  var timestepRounding: TimestepRounding {
    if sampling.grid == nil { return sampling.scheduler?.layout == .multistep ? .nearest : .none }
    let isKarras = sampling.karras == true || sampling.logSNR == true
    switch sampling.scheduler {
    case .dpm2, .dpm2Ancestral: return isKarras ? .nearest : .none
    case .dpmMultistep: return isKarras && schedule != .cosine ? .nearest : .down
    case .dpmMultistepInverse, .dpmSinglestep, .deis, .uniPC, .saSolver:
      return isKarras ? .nearest : .down
    default: return .none
    }
  }

  /// The configuration as a sampler of the catalogue goes by it: those of distilled models (LCM, TCD) go over the timesteps
  /// that such models were distilled on, whatever scheduler a model came with, as with LCM-LoRA.
  public func fitted(to entry: SolverEntry) -> Self {
    let own: [String: SchedulerClass] = ["lcm": .lcm, "tcd": .tcd]
    guard kind == .discrete, let scheduler = own[entry.name],
      [.chain, .interpolated, .multistep].contains(sampling.scheduler?.layout ?? .chain)
    else { return self }
    var fitted = self
    fitted.sampling = SamplingConfiguration()
    fitted.sampling.className = scheduler.rawValue
    return fitted
  }

  /// What LCM multiplies timesteps by.
  public var consistencyTimeScale: Double { sampling.timestepScale ?? 10 }

  /// The solver that the scheduler stands for, by a name of ``SolverCatalog``; `nil` where no scheduler is named.
  public var solverName: String? {
    guard let scheduler = sampling.scheduler else {
      return kind == .discrete ? sampling.className : nil
    }
    let order = sampling.solverOrder ?? 2
    switch scheduler {
    case .ddpmParallel, .unCLIP: return "ddpm"
    case .ddimParallel: return "ddim"
    case .pndm: return sampling.skipsRungeKutta == true ? "plms" : "pndm"
    case .cosineMultistep:
      return sampling.solverType == "heun" ? "dpm++2m-sde-heun" : "dpm++2m-sde"
    case .dpmMultistep, .edmMultistep:
      switch sampling.algorithm ?? "dpmsolver++" {
      case "dpmsolver": return "dpm-multi"
      case "sde-dpmsolver++":
        if order == 3 { return "dpm++3m-sde" }
        return sampling.solverType == "heun" ? "dpm++2m-sde-heun" : "dpm++2m-sde"
      case "dpmsolver++", "deis":
        return order == 3 ? "dpm++3m" : "dpm++2m"
      default: return scheduler.rawValue
      }
    case .uniPC: return sampling.solverType == "bh1" ? "unipc-bh1" : "unipc"
    default: return scheduler.rawValue
    }
  }
}
