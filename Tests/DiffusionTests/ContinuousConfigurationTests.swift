import Diffusion
import Foundation
import TestSupport
import Testing

/// Configurations of continuous processes: what they name, and the levels of a run.
@Suite struct ContinuousConfigurationTests {
  private static func configuration(_ json: String) throws -> ProcessConfiguration {
    try ProcessConfiguration(json: Data(json.utf8))
  }

  @Test func eachKindNamesItsProcess() throws {
    let level = NoiseLevel(sigma: 0.3)
    let kinds: [(String, any Diffusion.Process)] = [
      (#"{"kind": "vp"}"#, VariancePreserving()),
      (#"{"kind": "sub_vp", "beta_max": 10}"#, SubVariancePreserving(beta: LinearBeta(to: 10))),
      (#"{"kind": "ve", "sigma_max": 5}"#, VarianceExploding(to: 5)),
      (#"{"kind": "edm", "sigma_min": 0.01}"#, EDM(from: 0.01)),
    ]
    for (json, expected) in kinds {
      let configuration = try Self.configuration(json)
      #expect(configuration.samplingProcess.time(of: level) == expected.time(of: level), "\(json)")
      let again = try JSONDecoder().decode(
        ProcessConfiguration.self, from: JSONEncoder().encode(configuration))
      #expect(again == configuration)
    }
  }

  /// EDM's 18 levels (its table), VE's and VP's from their last time to the papers' first, and NCSN's geometric ones.
  @Test func runsGoOverThePapersLevels() throws {
    let edm = try Self.configuration(#"{"kind": "edm"}"#).plan(18)
    #expect(edm.count == 18 && edm.intervals[17].to.noise == 0)
    for (interval, sigma) in zip(edm.intervals, [80, 57.58598, 40.78557, 28.37458]) {
      #expect(abs(interval.from.noise - sigma) < 1e-5)
    }
    let ends: [(String, NoiseLevel, NoiseLevel)] = [
      (
        #"{"kind": "ve"}"#, NoiseLevel(sigma: 50),
        VarianceExploding().level(at: 1e-5)
      ),
      (
        #"{"kind": "vp"}"#, VariancePreserving().level(at: 1), VariancePreserving().level(at: 1e-3)
      ),
      (
        #"{"kind": "vp", "sampling_eps": 0.01}"#, VariancePreserving().level(at: 1),
        VariancePreserving().level(at: 0.01)
      ),
    ]
    for (json, first, last) in ends {
      let plan = try Self.configuration(json).plan(7)
      #expect(relative(plan.start.noise, first.noise) < 1e-12)
      #expect(relative(plan.intervals[6].from.noise, last.noise) < 1e-12)
      #expect(plan.intervals[6].to == .clean)
    }
    let levels = try Self.configuration(#"{"kind": "ve", "sigma_max": 1, "noise_levels": 10}"#)
      .plan(10).intervals.map(\.from.noise)
    for (level, next) in zip(levels, levels.dropFirst()) {
      #expect(abs(next / level - 0.599484250) < 1e-9)
    }
  }

  @Test func diffusersScoreSchedulersAreKnown() throws {
    let text = """
      {"_class_name": "ScoreSdeVeScheduler", "num_train_timesteps": 2000, "snr": 0.15,
       "sigma_min": 0.01, "sigma_max": 1348, "sampling_eps": 1e-05, "correct_steps": 1}
      """
    let exploding = try Self.configuration(text)
    #expect(exploding.parameterization == .score && exploding.threshold == nil)
    #expect(relative(exploding.plan(10).start.noise, 1348) < 1e-12)
    let notes = try ProcessConfiguration.unknownParts(json: Data(text.utf8))
    #expect(notes.count == 2 && !notes.contains { $0.contains("scheduler") })
    let preserving = try Self.configuration(
      #"{"_class_name": "ScoreSdeVpScheduler", "beta_min": 0.1, "beta_max": 20}"#)
    #expect(preserving.parameterization == .epsilon)
    #expect(preserving.samplingProcess is VariancePreserving)
  }

  @Test(arguments: [
    (#"{"kind": "edm", "sigma_max": 0.001}"#, "sigma_max"),
    (#"{"kind": "ve", "sigma_min": 0}"#, "sigma_min"),
    (#"{"kind": "vp", "beta_max": 0.05}"#, "beta_max"),
    (#"{"kind": "vp", "sampling_eps": 1}"#, "sampling_eps"),
    (#"{"kind": "ve", "noise_levels": 1}"#, "noise_levels"),
  ])
  func impossibleValuesNameTheKey(_ json: String, _ key: String) throws {
    let error = #expect(throws: DecodingError.self) { _ = try Self.configuration(json) }
    guard case .dataCorrupted(let context) = error else {
      Issue.record("\(json): \(String(describing: error))")
      return
    }
    #expect(context.codingPath.map(\.stringValue) == [key])
  }
}
