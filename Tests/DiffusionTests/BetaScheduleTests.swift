import Diffusion
import Testing

/// Every digit of the table of discrete schedules (facts.md 3.1, computed there in float64).
@Suite struct BetaScheduleTests {
  struct Row: Sendable {
    let schedule: BetaSchedule
    let count: Int
    /// Timestep and alpha-bar, as printed.
    let squaredSignals: [(Int, String)]
    let largestRatio: String
    var smallestRatio: String?
  }

  static let rows = [
    Row(
      schedule: .ddpm, count: 1000,
      squaredSignals: [(0, ".9999"), (499, ".0785872428818"), (999, "4.03582976538e-5")],
      largestRatio: "157.4072808"),
    Row(
      schedule: .stableDiffusion, count: 1000,
      squaredSignals: [(0, ".99915"), (499, ".277669650456"), (999, ".00466009851308")],
      largestRatio: "14.61464123", smallestRatio: ".02916715815"),
    Row(
      schedule: .latentDiffusion, count: 1000,
      squaredSignals: [(0, ".9985"), (999, "1.42303975192e-4")], largestRatio: "83.82249447"),
    Row(
      schedule: .upscaler, count: 1000,
      squaredSignals: [(0, ".9999"), (999, "7.33412459581e-4")], largestRatio: "36.91191195"),
    Row(
      schedule: .cosine(), count: 1000,
      squaredSignals: [
        (0, ".999958715775"), (499, ".493843590441"), (998, "2.42876690703e-6"),
        (999, "2.42876690703e-9"),
      ], largestRatio: "20291.16961"),
    Row(
      schedule: .cosine(), count: 4000,
      squaredSignals: [
        (0, ".999990134181"), (1999, ".493843590441"), (3999, "1.51798046885e-10"),
      ], largestRatio: "81164.6"),
  ]

  @Test(arguments: rows)
  func agreesWithThePrintedDigits(_ row: Row) throws {
    let process = DiscreteProcess(row.schedule, count: row.count)
    for (timestep, printed) in row.squaredSignals {
      try expectPrinted(process.squaredSignal(timestep), printed)
    }
    try expectPrinted(process.levels[row.count - 1].ratio, row.largestRatio)
    if let smallest = row.smallestRatio { try expectPrinted(process.levels[0].ratio, smallest) }
  }

  /// `value` rounds to `printed`: it is off by at most half a unit of the last place (and a float64's rounding).
  private func expectPrinted(_ value: Double, _ printed: String) throws {
    let expected = try #require(Double(printed))
    let parts = printed.split(separator: "e")
    let digits = parts[0].split(separator: ".", omittingEmptySubsequences: false).last?.count ?? 0
    let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    var unit = 1.0
    for _ in 0..<abs(exponent - digits) { unit *= exponent < digits ? 0.1 : 10 }
    #expect(abs(value - expected) <= unit * 0.500001, "\(value) is not \(printed)")
  }

  @Test func firstBetaOfTheCosineSchedule() {
    #expect(abs(BetaSchedule.cosine().betas(1000)[0] - 4.12842248e-5) < 0.5e-13)
    #expect(BetaSchedule.cosine().betas(1000)[999] == 0.999)
  }

  @Test func linearAndScaledLinearMeetTheirEnds() {
    #expect(BetaSchedule.ddpm.betas(1000)[0] == 1e-4)
    #expect(abs(BetaSchedule.ddpm.betas(1000)[999] - 0.02) < 1e-17)
    #expect(relative(BetaSchedule.stableDiffusion.betas(1000)[999], 0.012) < 1e-14)
    #expect(BetaSchedule.linear(from: 0.1, to: 0.2).betas(1) == [0.1])
  }

  @Test func sigmoidIsSymmetricAboutTheMiddle() {
    let betas = BetaSchedule.sigmoid(from: 1e-4, to: 0.02).betas(1001)
    #expect(relative(betas[500], 0.01005) < 1e-12)
    for index in [0, 100, 499] {
      #expect(relative(betas[index] + betas[1000 - index], 0.0201) < 1e-12)
    }
    // 1 / (1 + e^6) of the way
    #expect(relative(betas[0], 1e-4 + 0.0199 * 0.0024726231566347743) < 1e-12)
  }
}
