import Foundation

/// The processes that a network can be trained on.
public enum ProcessKind: String, Sendable, Codable, CaseIterable {
  /// ``DiscreteProcess``.
  case discrete
  /// ``VariancePreserving``.
  case variancePreserving = "vp"
  /// ``SubVariancePreserving``.
  case subVariancePreserving = "sub_vp"
  /// ``VarianceExploding``; with a number of levels NCSN's and NCSNv2's.
  case varianceExploding = "ve"
  /// ``EDM``.
  case edm
}

extension ProcessConfiguration {
  /// What ``kind`` names.
  var continuousProcess: any Process {
    let beta = LinearBeta(from: smallestBeta ?? 0.1, to: largestBeta ?? 20)
    let (low, high) = deviations
    switch kind {
    case .discrete: return process
    case .variancePreserving: return VariancePreserving(beta: beta)
    case .subVariancePreserving: return SubVariancePreserving(beta: beta)
    case .varianceExploding: return VarianceExploding(from: low, to: high)
    case .edm: return EDM(from: low, to: high)
    }
  }

  /// diffusers' schedulers of score-based models, and what their networks answer: the score of google/ncsnpp's, told sigma,
  /// and the noise of VP's.
  static let scoreSchedulers: [String: (kind: ProcessKind, answer: Parameterization)] = [
    "ScoreSdeVeScheduler": (.varianceExploding, .score),
    "ScoreSdeVpScheduler": (.variancePreserving, .epsilon),
  ]

  /// What the keys of a file mean that one of those schedulers wrote.
  mutating func applyScoreDefaults(named name: String) {
    guard let found = Self.scoreSchedulers[name] else { return }
    (kind, parameterization, clampsEstimates) = (found.kind, found.answer, false)
  }

  /// The sampler that fits the process, by its name in ``SolverCatalog``: ancestral sampling, and for EDM Heun's method.
  public var defaultSampler: String {
    let fitting = kind == .edm ? ["heun", "ddim"] : ["ddpm"]
    return fitting.first { SolverCatalog.entry(named: $0) != nil } ?? "ddpm"
  }

  /// Times falling evenly to the last one (EDM: Karras' grid, Karras et al. 2022, equation 5), and then clean data.
  func continuousLevels(_ steps: Int) -> [NoiseLevel] {
    let process = continuousProcess
    if kind == .edm {
      let grid = SigmaGrid.karras(rho: sampling.rho ?? 7)
      let sigmas = grid.sigmas(steps, from: deviations.largest, to: lastTime(of: process))
      return (sigmas + [0]).map(NoiseLevel.init(sigma:))
    }
    let (first, last) = (process.times.upperBound, lastTime(of: process))
    return (0..<steps).map { index in
      let share = steps == 1 ? 0 : Double(index) / Double(steps - 1)
      return process.level(at: first + share * (last - first))
    } + [.clean]
  }

  private var deviations: (smallest: Double, largest: Double) {
    let isEDM = kind == .edm
    return (sampling.sigmaMin ?? (isEDM ? 0.002 : 0.01), sampling.sigmaMax ?? (isEDM ? 80 : 50))
  }

  /// 0.001 for VP and sub-VP and 0.00001 for VE (Song et al. 2021, appendix C), the first time for EDM and for NCSN's levels.
  private func lastTime(of process: any Process) -> Double {
    if let lastSamplingTime { return lastSamplingTime }
    switch kind {
    case .discrete, .edm: return process.times.lowerBound
    case .variancePreserving, .subVariancePreserving: return 1e-3
    case .varianceExploding: return levelCount == nil ? 1e-5 : 0
    }
  }

  var rangeComplaints: [(SamplingConfiguration.CodingKeys, String)] {
    guard kind == .edm || kind == .varianceExploding else { return [] }
    let (low, high) = deviations
    if !(low > 0) { return [(.sigmaMin, "expected a number above 0, found \(low)")] }
    if high > low && high.isFinite { return [] }
    return [(.sigmaMax, "expected a number above sigma_min \(low), found \(high)")]
  }

  var continuousComplaints: [(CodingKeys, String)] {
    var found: [(CodingKeys, String)] = []
    func expect(_ key: CodingKeys, _ holds: Bool, _ expected: String, _ value: Any) {
      if !holds { found.append((key, "expected \(expected), found \(value)")) }
    }
    let (first, last) = (smallestBeta ?? 0.1, largestBeta ?? 20)
    expect(.smallestBeta, first >= 0, "0 or more", first)
    expect(.largestBeta, last > first && last.isFinite, "a number above beta_min \(first)", last)
    if let levelCount { expect(.levelCount, levelCount >= 2, "2 or more", levelCount) }
    if let time = lastSamplingTime, found.isEmpty, rangeComplaints.isEmpty, kind != .discrete {
      let range = continuousProcess.times
      expect(
        .lastSamplingTime, time >= range.lowerBound && time < range.upperBound,
        "\(range.lowerBound) to below \(range.upperBound)", time)
    }
    return found
  }
}
