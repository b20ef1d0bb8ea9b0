extension ProcessConfiguration {
  /// The options of the solver that the scheduler stands for, of those that its entry in ``SolverCatalog`` takes.
  public var solverOptions: SolverOptions {
    var options = SolverOptions(noiseScale: sampling.noiseScale, variance: variance)
    let order = sampling.solverOrder ?? 2
    let isExact = sampling.solverType == "heun"
    switch sampling.scheduler {
    case .deis:
      (options.order, options.finalOrder) = (order, finalOrder)
    case .dpmSinglestep:
      options.order = order
      options.finalOrder = sampling.lowerOrderFinal == true ? .lowered : .kept
      if isExact { options.rule = .exact }
    case .uniPC:
      options.order = order
      options.coordinates = sampling.predictsData == false ? .noise : .data
      options.finalOrder = sampling.lowerOrderFinal == false ? .kept : .lowered
      options.uncorrectedSteps = sampling.uncorrectedSteps
    case .saSolver:
      options.order = sampling.predictorOrder ?? 2
      options.correctorOrder = sampling.correctorOrder ?? 2
      options.finalOrder = sampling.lowerOrderFinal == false ? .kept : .lowered
      // The file cannot hold diffusers' tau: it is 1 at timesteps 200 to 800, whatever the chain's length.
      let last = trainingTimesteps - 1
      options.lowestRatio = process.levels[min(200, last)].ratio
      options.highestRatio = process.levels[min(800, last)].ratio
    case .dpmMultistep, .edmMultistep: multistepOptions(order, isExact, &options)
    case .pndm where parameterization == .velocity: options.averaged = .velocity
    default: break
    }
    return options
  }

  /// Those of DPM-Solver's multistep forms; the solver of the SDE has order and rule in its name.
  private func multistepOptions(_ order: Int, _ isExact: Bool, _ options: inout SolverOptions) {
    switch sampling.algorithm ?? "dpmsolver++" {
    case "sde-dpmsolver++": return
    case "dpmsolver": options.order = order
    default: if order == 1 { options.order = 1 }
    }
    if isExact { options.rule = .exact }
    options.finalOrder = finalOrder
  }

  /// `lower_order_final` and `euler_at_final`.
  private var finalOrder: FinalOrder {
    let isLowered = sampling.lowerOrderFinal != false
    if sampling.eulerAtFinal != true { return isLowered ? .loweredBelow15 : .kept }
    return isLowered ? .loweredBelow15FirstOrderLast : .firstOrderLast
  }
}
