import Diffusion
import Testing

/// Options of solvers by name, as `--sampler-option` gives them.
@Suite struct SolverOptionsTests {
  private func entry(_ name: String) throws -> SolverEntry {
    try #require(SolverCatalog.entry(named: name))
  }

  /// Values of an option, one of which at least is not what a solver has anyway.
  private func values(of key: SolverOptions.Key, _ entry: SolverEntry) -> [String] {
    switch key {
    case .order: ["\(entry.orders.lowerBound)", "\(entry.orders.upperBound)"]
    case .rule: ["plain"]
    case .coordinates: ["noise"]
    case .averaged: ["velocity"]
    case .finalOrder: ["kept", "lowered"]
    case .uncorrected: ["0,3"]
    case .correctorOrder: ["1"]
    case .levelSteps, .restartTimes: ["2"]
    case .restartLevels: ["5"]
    case .restartHighest: ["7"]
    default: ["0.4"]
    }
  }

  /// What an entry says that it takes changes what is sampled with.
  @Test(arguments: SolverCatalog.all.map(\.name))
  func everyOptionCounts(_ name: String) throws {
    let entry = try entry(name)
    let plan = SamplingPlan(
      levels: [20, 9, 4, 1.5, 0.6, 0.2, 0.05].map(NoiseLevel.init(sigma:)))
    func text(_ options: SolverOptions) -> String {
      let sampler = entry.make(options)
      return "\(sampler.solver) \(sampler.plan(plan))"
    }
    let usual = text(SolverOptions())
    for key in SolverOptions.Key.allCases where entry.options.contains(key) {
      let texts = try values(of: key, entry).map { value in
        var options = SolverOptions()
        try options.set(key.rawValue, to: value, for: entry)
        try options.check(for: entry)
        return text(options)
      }
      #expect(texts.contains { $0 != usual }, "\(name): \(key.rawValue)")
    }
  }

  @Test(arguments: [
    ("heun", "snr", "1", "snr: the sampler heun has no such option; it has noise-scale, churn, "),
    ("heun", "nonsense", "1", "nonsense: the sampler heun has no such option"),
    ("midpoint", "churn", "-1", "churn: expected a number of 0 or more, found -1"),
    ("rk45", "rtol", "0", "rtol: expected a number above 0, found 0"),
    ("rk45", "rtol", "small", "rtol: expected a number above 0, found small"),
    ("euler-ge", "order", "1", "order: the sampler euler-ge has no such option; it has none"),
    ("deis", "order", "4", "order: deis has 1 to 3, found 4"),
    ("ddim", "eta", "1.5", "eta: expected 0 to 1, found 1.5"),
    (
      "unipc", "uncorrected", "0,x", "uncorrected: expected numbers of steps such as 0,1, found 0,x"
    ),
    ("unipc", "coordinates", "x", "coordinates: expected noise or data, found x"),
    ("restart", "restart-levels", "1", "restart-levels: expected a whole number of 2 or more"),
  ])
  func wrongOnesAreRefused(_ name: String, _ key: String, _ value: String, _ text: String) throws {
    let entry = try entry(name)
    let error = #expect(throws: InvalidSolverOption.self) {
      var options = SolverOptions()
      try options.set(key, to: value, for: entry)
    }
    #expect("\(String(describing: error))".contains(text), "\(String(describing: error))")
  }

  /// Ranges are looked at when all is set.
  @Test(arguments: [("heun", "noise-from", "noise-to"), ("restart", "restart-from", "restart-to")])
  func rangesRise(_ name: String, _ low: String, _ high: String) throws {
    let entry = try entry(name)
    var options = SolverOptions()
    try options.set(low, to: "3", for: entry)
    try options.set(high, to: "2", for: entry)
    let error = #expect(throws: InvalidSolverOption.self) { try options.check(for: entry) }
    #expect(
      error?.name == low && error?.problem.contains("below 2.0, where the range ends") == true)
    try options.set(high, to: "4", for: entry)
    try options.check(for: entry)
  }
}
