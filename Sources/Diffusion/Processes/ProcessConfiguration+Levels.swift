import Foundation
import TensorCore

// Where a run goes, as the scheduler that the configuration names chooses it.

extension ProcessConfiguration {
  /// The falling levels of a run of `steps` steps with the end that they go to, in the scaling of the scheduler.
  ///
  /// Without a scheduler's name, those of ``timesteps(_:)`` and clean data (or the first timestep's level). Rounding is that
  /// of diffusers 0.42, the arithmetic float64.
  ///
  /// - Parameter shift: the shift of a flow whose shift follows the resolution; see ``flowShift(tokens:)``.
  public func levels(_ steps: Int, shift: Double? = nil) -> [NoiseLevel] {
    if kind != .discrete { return continuousLevels(steps) }
    return switch sampling.scheduler?.layout ?? .chain {
    case .chain: chainLevels(timesteps(steps))
    case .interpolated: interpolatedLevels(steps)
    case .multistep: multistepLevels(steps, shift: shift)
    case .edm, .cosineEDM: edmLevels(steps)
    case .angle: angleLevels(steps)
    case .consistency: consistencyLevels(steps)
    case .flow: flowLevels(steps, shift: shift)
    case .distilled: chainLevels(distilledTimesteps(steps))
    case .unCLIP: chainLevels(TimestepSpacing.linspace.timesteps(steps, of: trainingTimesteps))
    }
  }

  /// Why a run cannot have so many steps; `nil` where it can.
  public func problem(steps: Int) -> String? {
    if kind != .discrete { return steps < 1 ? "expected 1 or more, found \(steps)" : nil }
    let layout = sampling.scheduler?.layout ?? .chain
    var most = trainingTimesteps
    if layout == .distilled { most = min(most, sampling.originalSteps ?? 50) }
    if layout == .multistep { most -= 1 }
    guard (1...most).contains(steps) else { return "expected 1 to \(most), found \(steps)" }
    let isLeading = spacing == .leading && sampling.grid == nil
    let last =
      switch layout {
      case .chain, .interpolated: trainingTimesteps / steps * (steps - 1) + timestepOffset
      case .multistep: trainingTimesteps / (steps + 1) * steps + timestepOffset
      default: 0
      }
    return isLeading && last >= trainingTimesteps
      ? "\(steps) steps with the model's offset lead past its \(trainingTimesteps) timesteps" : nil
  }

  /// The legs of a run of `steps` steps. Where the levels end at the same level twice (DEIS on Karras' grid, in diffusers),
  /// the leg that goes nowhere is left out.
  public func plan(_ steps: Int, shift: Double? = nil) -> SamplingPlan {
    var levels = levels(steps, shift: shift)
    if levels.count > 2, levels[levels.count - 1] == levels[levels.count - 2] {
      levels.removeLast()
    }
    return SamplingPlan(levels: levels)
  }

  /// The given shift, or the configuration's own where it does not follow the resolution.
  private func resolved(_ shift: Double?, own: Double?) -> Double {
    require(
      shift != nil || sampling.shiftsDynamically != true, "levels",
      "the shift follows the resolution: give that of flowShift(tokens:)")
    return shift ?? own ?? 1
  }

  /// The shift of a picture of so many tokens, where the configuration has it follow the resolution; `nil` where not.
  public func flowShift(tokens: Int) -> Double? {
    guard sampling.shiftsDynamically == true else { return nil }
    var rule = RectifiedFlow.ResolutionShift()
    rule.base = sampling.baseShift ?? rule.base
    rule.largest = sampling.largestShift ?? rule.largest
    rule.baseTokens = sampling.baseTokens ?? rule.baseTokens
    rule.largestTokens = sampling.largestTokens ?? rule.largestTokens
    rule.isExponential = sampling.shiftType != "linear"
    return rule(tokens: tokens)
  }

  // MARK: - Timesteps of a chain

  private func chainLevels(_ timesteps: [Int]) -> [NoiseLevel] {
    let process = process
    // LCM's last answer is clean data whatever the file says.
    let isClean = endsClean || sampling.scheduler == .lcm
    return timesteps.map { process.levels[$0] } + [isClean ? .clean : process.levels[0]]
  }

  /// Every so many of the timesteps that a model was distilled on (LCMScheduler.set_timesteps).
  private func distilledTimesteps(_ steps: Int) -> [Int] {
    let original = sampling.originalSteps ?? 50
    require(
      (1...original).contains(steps), "timesteps",
      "\(steps) steps of a model distilled on \(original): ask for 1 to \(original)")
    let stride = trainingTimesteps / original
    return (0..<steps).map { (original - $0 * original / steps) * stride - 1 }
  }

  /// Timesteps that may be fractional, at which sigma is interpolated; with a grid, levels between the first and the last
  /// of them.
  private func interpolatedLevels(_ steps: Int) -> [NoiseLevel] {
    var process = process
    process.interpolation = .linear
    var times = spacing.timesteps(steps, of: trainingTimesteps, offset: timestepOffset)
      .map(Double.init)
    if spacing == .linspace, steps > 1 {
      let stride = Double(trainingTimesteps - 1) / Double(steps - 1)
      times = (0..<steps).reversed().map { Double($0) * stride }
    }
    var ratios = times.map { process.level(at: $0).ratio }
    if let grid = sampling.grid {
      ratios = grid.sigmas(
        steps, from: sampling.sigmaMax ?? ratios[0], to: sampling.sigmaMin ?? ratios[steps - 1])
    }
    return (ratios + [lastRatio(process)]).map(NoiseLevel.init(sigma:))
  }

  /// The ratio that a run goes to in the end.
  private func lastRatio(_ process: DiscreteProcess) -> Double {
    sampling.finalSigmas == "sigma_min" ? process.levels[0].ratio : 0
  }

  // MARK: - The multistep solvers

  private func multistepLevels(_ steps: Int, shift: Double?) -> [NoiseLevel] {
    if sampling.flow == true, sampling.grid == nil { return multistepFlow(steps, shift: shift) }
    let process = process
    let (smallest, largest) = (process.levels[0].ratio, process.levels[process.count - 1].ratio)
    var ratios: [Double]
    if let grid = sampling.grid {
      ratios = grid.sigmas(
        steps, from: sampling.sigmaMax ?? largest, to: sampling.sigmaMin ?? smallest)
    } else {
      ratios = multistepTimesteps(steps).map { process.levels[$0].ratio }
    }
    // DEIS and SA-Solver end at the least level of the chain, and twice at that of a grid, which UniPC does when asked.
    let scheduler = sampling.scheduler
    let endsLow = scheduler == .deis || scheduler == .saSolver
    let endsTwice =
      sampling.grid != nil
      && (endsLow || scheduler == .uniPC && sampling.finalSigmas == "sigma_min")
    ratios.append(endsTwice ? ratios[steps - 1] : endsLow ? smallest : lastRatio(process))
    if sampling.flow == true {
      return ratios.map { RectifiedFlow().ownLevel(of: NoiseLevel(sigma: $0)) }
    }
    return ratios.map(NoiseLevel.init(variancePreservingRatio:))
  }

  /// Whole timesteps of one step more, without the last; none where signal over noise is less than the least.
  private func multistepTimesteps(_ steps: Int) -> [Int] {
    let least = sampling.leastLambda ?? -.infinity
    let count = process.levels.count(where: { -log($0.ratio) >= least })
    let scheduler = sampling.scheduler
    switch scheduler == .dpmSinglestep ? .linspace : spacing {
    case .linspace:
      let stride = Double(count - 1) / Double(steps)
      return (1...steps).reversed().map { Int((Double($0) * stride).rounded(.toNearestOrEven)) }
    case .leading:
      let stride = count / (steps + 1)
      return (1...steps).reversed().map { $0 * stride + timestepOffset }
    case .trailing:
      let stride = Double(trainingTimesteps) / Double(steps)
      return (0..<steps).map { Double(count) - Double($0) * stride }.filter { $0 > 0 }
        .map { max(0, Int($0.rounded(.toNearestOrEven)) - 1) }
    }
  }

  private func multistepFlow(_ steps: Int, shift: Double?) -> [NoiseLevel] {
    let process = RectifiedFlow(shift: resolved(shift, own: sampling.flowShift))
    let stride = (1 - 1 / Double(trainingTimesteps)) / Double(steps)
    // UniPC counts from noise, the others from data.
    let fromNoise = sampling.scheduler == .uniPC
    let levels = (0..<steps).map { index -> NoiseLevel in
      let time = fromNoise ? 1 - Double(index) * stride : Double(steps - index) * stride
      let level = process.level(at: time)
      return level.signal < 1e-6 ? NoiseLevel(signal: 1e-6, noise: 1 - 1e-6) : level
    }
    let endsLow =
      sampling.scheduler == .deis || sampling.scheduler == .saSolver
      || (fromNoise && sampling.finalSigmas == "sigma_min")
    return levels + [endsLow ? levels[steps - 1] : .clean]
  }

  // MARK: - Continuous processes

  private func edmLevels(_ steps: Int) -> [NoiseLevel] {
    let isCosine = sampling.scheduler == .cosineMultistep
    let smallest = sampling.sigmaMin ?? (isCosine ? 0.3 : 0.002)
    let largest = sampling.sigmaMax ?? (isCosine ? 500 : 80)
    let isExponential =
      (sampling.sigmaSchedule ?? (isCosine ? "exponential" : "karras"))
      == "exponential"
    let grid: SigmaGrid = isExponential ? .exponential : .karras(rho: sampling.rho ?? 7)
    let sigmas = grid.sigmas(steps, from: largest, to: smallest)
    let end = sampling.finalSigmas == "sigma_min" ? smallest : 0
    return (sigmas + [end]).map(NoiseLevel.init(sigma:))
  }

  /// iPNDM's: the noise is the squared sine of the falling share of a right angle.
  private func angleLevels(_ steps: Int) -> [NoiseLevel] {
    let levels = (0..<steps).map { index -> NoiseLevel in
      let sine = sin(.pi / 2 * Double(steps - index) / Double(steps))
      let noise = sine * sine
      return NoiseLevel(signal: ((1 - noise) * (1 + noise)).squareRoot(), noise: noise)
    }
    return levels + [.clean]
  }

  private func consistencyLevels(_ steps: Int) -> [NoiseLevel] {
    let (smallest, largest) = (sampling.sigmaMin ?? 0.002, sampling.sigmaMax ?? 80)
    let grid = SigmaGrid.karras(rho: sampling.rho ?? 7)
    let table = grid.sigmas(trainingTimesteps, from: largest, to: smallest)
    let stride = trainingTimesteps / steps
    return ((0..<steps).map { table[$0 * stride] } + [smallest]).map(NoiseLevel.init(sigma:))
  }

  private func flowLevels(_ steps: Int, shift: Double?) -> [NoiseLevel] {
    let process = RectifiedFlow(shift: resolved(shift, own: sampling.shift))
    // The least noise of training is shifted already, and is shifted again as a time; not where the resolution decides.
    let first = 1 / Double(trainingTimesteps)
    let least = sampling.shiftsDynamically == true ? first : process.level(at: first).noise
    var noises = SigmaGrid.linear.sigmas(steps, from: 1, to: least).map {
      process.level(at: $0).noise
    }
    if let terminal = sampling.terminal {
      let scale = (1 - terminal) / (1 - noises[steps - 1])
      noises = noises.map { 1 - (1 - $0) * scale }
    }
    if let grid = sampling.grid {
      noises = grid.sigmas(steps, from: noises[0], to: noises[steps - 1])
    }
    return (noises + [0]).map { NoiseLevel(signal: 1 - $0, noise: $0) }
  }
}
