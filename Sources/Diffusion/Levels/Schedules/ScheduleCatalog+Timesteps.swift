import Foundation

extension ScheduleCatalog {
  /// Schedules that choose timesteps of a chain; over a continuous process they choose times alike.
  static let timesteps: [ScheduleEntry] = [
    ScheduleEntry(
      "linspace", source: "Lin et al. 2023, arXiv:2305.08891, table 2", allowed: upToChain
    ) { context throws(ScheduleError) in
      if let chain = context.chain {
        return TimestepSpacing.linspace.timesteps(context.steps, of: chain.count).map {
          chain.levels[$0]
        }
      }
      return context.levels(at: context.evenTimes(context.steps))
    },
    ScheduleEntry(
      "leading", options: [.timestepOffset], source: "Lin et al. 2023, arXiv:2305.08891, table 2",
      allowed: upToChain
    ) { context throws(ScheduleError) in
      if let chain = context.chain { return try leading(context, chain) }
      let (first, last) = (context.firstTime, context.lastTime)
      return context.levels(
        at: (0..<context.steps).reversed().map {
          max(first, last * Double($0) / Double(context.steps))
        })
    },
    ScheduleEntry(
      "trailing", aliases: ["flow"], source: "Lin et al. 2023, arXiv:2305.08891, table 2",
      allowed: upToChain
    ) { context throws(ScheduleError) in
      if let chain = context.chain {
        return TimestepSpacing.trailing.timesteps(context.steps, of: chain.count).map {
          chain.levels[$0]
        }
      }
      let (first, last) = (context.firstTime, context.lastTime)
      return context.levels(
        at: (1...context.steps).reversed().map {
          max(first, last * Double($0) / Double(context.steps))
        })
    },
    ScheduleEntry(
      "uniform", aliases: ["normal", "get_sigmas", "Uniform"], options: [.sigmas],
      source: "k-diffusion: linspace without rounding"
    ) { context throws(ScheduleError) in
      context.levels(at: context.evenTimes(context.steps))
    },
    ScheduleEntry(
      "sgm_uniform", aliases: ["SGM Uniform"], options: [.sigmas],
      source: "Stability's generative-models: the last of one step more is left out"
    ) { context throws(ScheduleError) in
      context.levels(at: context.evenTimes(context.steps + 1).dropLast())
    },
    ScheduleEntry(
      "quadratic", aliases: ["quad"],
      source: "Song, Meng and Ermon 2020, arXiv:2010.02502, section 5: the first four fifths",
      allowed: upToChain
    ) { context throws(ScheduleError) in
      context.levels(at: quadratic(context))
    },
    ScheduleEntry(
      "simple", source: "ComfyUI: every so many of the levels of training", allowed: upToTable
    ) { context throws(ScheduleError) in
      let table = context.table
      let stride = Double(table.count) / Double(context.steps)
      return (0..<context.steps).map { table[table.count - 1 - Int(Double($0) * stride)] }
    },
    ScheduleEntry(
      "ddim_uniform", aliases: ["DDIM"],
      source: "ComfyUI: counted up from the second level of training", allowed: upToTable
    ) { context throws(ScheduleError) in
      let table = context.table
      let step = max(table.count / context.steps, 1)
      return stride(from: 1, to: table.count, by: step).reversed().map { table[$0] }
    },
    ScheduleEntry(
      "beta", aliases: ["Beta"], source: "Lee et al. 2024, arXiv:2407.12173, a = b = 0.6",
      allowed: upToTable
    ) { context throws(ScheduleError) in
      let table = context.table
      let distribution = BetaDistribution(0.6, 0.6)
      let places = (0..<context.steps).map { index -> Int in
        let share = distribution.quantile(1 - Double(index) / Double(context.steps))
        return Int((share * Double(table.count - 1)).rounded(.toNearestOrEven))
      }
      return places.indices.filter { $0 == 0 || places[$0] != places[$0 - 1] }.map {
        table[places[$0]]
      }
    },
  ]

  /// As many steps as a chain has timesteps.
  private static let upToChain: @Sendable (any Process) -> ClosedRange<Int> = {
    1...(($0 as? DiscreteProcess)?.count ?? 100_000)
  }

  /// As many steps as there are levels of training.
  private static let upToTable: @Sendable (any Process) -> ClosedRange<Int> = {
    1...(($0 as? DiscreteProcess)?.count ?? 1000)
  }

  private static func leading(
    _ context: ScheduleContext, _ chain: DiscreteProcess
  ) throws(ScheduleError) -> [NoiseLevel] {
    let offset = context.options.timestepOffset
    let first = (context.steps - 1) * (chain.count / context.steps) + offset
    guard offset >= 0, first < chain.count else {
      throw .option(
        "timestep offset", expected: "0 to \(chain.count - 1 - first + offset), found \(offset)")
    }
    return TimestepSpacing.leading.timesteps(context.steps, of: chain.count, offset: offset)
      .map { chain.levels[$0] }
  }

  /// Squares of evenly spaced roots up to four fifths of the way, whole for a chain, falling; each once.
  private static func quadratic(_ context: ScheduleContext) -> [Double] {
    let steps = context.steps
    let (first, last) = (context.firstTime, context.lastTime)
    let isChain = context.chain != nil
    // A chain of T timesteps counts to T - 1, and four fifths are of T.
    let reach = isChain ? 0.8 * Double(context.chain?.count ?? 0) : 0.8 * (last - first)
    let times = (0..<steps).map { index -> Double in
      let root = steps == 1 ? 0 : Double(index) / Double(steps - 1)
      let time = first + root * root * reach
      return isChain ? min(time.rounded(.down), last) : time
    }
    let distinct = times.indices.filter { $0 == 0 || times[$0] > times[$0 - 1] }
    return distinct.reversed().map { times[$0] }
  }
}
