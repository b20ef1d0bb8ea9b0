import TestSupport
import Testing

/// A row that differs: a line of diffusers 0.42.0 is at fault. Its suite runs it as the reference does, which gives the
/// reference's number, and as the engine does, which does not.
struct ReferenceFault: Sendable, CustomStringConvertible {
  let file: String, test: String, quantity: String
  /// File and line of the reference.
  let line: String
  /// What is wrong there.
  let reason: String

  var description: String { "\(file) \(test) \(quantity): \(line), \(reason)" }

  init(_ file: String, _ test: String, _ quantity: String, _ line: String, _ reason: String) {
    self.file = "test_scheduler_\(file).py"
    (self.test, self.quantity, self.line, self.reason) = (test, quantity, line, reason)
  }

  static let all: [ReferenceFault] = [
    ReferenceFault(
      "ddpm", "test_full_loop_with_noise", "result_sum", "scheduling_ddpm.py:508",
      "beta as 1 - alpha in float32: the weights of the mean add up to 0.99995 at timestep 1"),
    ReferenceFault(
      "ddpm_parallel", "test_full_loop_with_noise", "result_sum",
      "scheduling_ddpm_parallel.py:523", "the same"),
    ReferenceFault(
      "unclip", "test_full_loop", "result_sum", "scheduling_unclip.py:283",
      "1 - alpha in float32: data counts 0.99947 times in the last step, where it is all there is"),
    ReferenceFault(
      "unclip", "test_full_loop_skip_timesteps", "result_sum", "scheduling_unclip.py:283",
      "the same"),
    ReferenceFault(
      "lms", "test_full_loop_with_noise", "result_sum", "scheduling_lms_discrete.py:606",
      "the order is the place in the schedule: weights of slopes that a late start lacks are lost"),
    ReferenceFault(
      "lms", "test_full_loop_with_noise", "result_mean", "scheduling_lms_discrete.py:606",
      "the same"),
    ReferenceFault(
      "ddim_inverse", "test_full_loop_with_v_prediction", "result_sum",
      "scheduling_ddim_inverse.py:341",
      "v asked for at one timestep is read with the alphas of the one before, and is no v of either"
    ),
    ReferenceFault(
      "ddim_inverse", "test_full_loop_with_v_prediction", "result_mean",
      "scheduling_ddim_inverse.py:341", "the same"),
    ReferenceFault(
      "ipndm", "test_full_loop_no_noise", "result_mean", "scheduling_ipndm.py:273",
      "clean data at a signal of 0 is 0 / 1e-8, where v says it"),
  ]
}

extension ConformanceRow {
  /// Why the row differs; `nil` where it is met.
  var fault: ReferenceFault? {
    ReferenceFault.all.first {
      $0.file == self["file"] && $0.test == self["test"] && $0.quantity == self["quantity"]
    }
  }

  /// Runs the row: by the engine's solvers alone, or, of one that differs, as the reference does, and shows that the
  /// engine's number is another.
  func meets(
    _ plain: () throws -> Double, imitated: () throws -> Double = { .nan },
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    guard let fault else {
      try expect(plain(), sourceLocation: sourceLocation)
      return
    }
    try expect(imitated(), sourceLocation: sourceLocation)
    let value = try plain()
    #expect(try !accepts(value), "\(fault) makes no difference: \(value)")
  }
}

/// All rows that hold on a CPU: each is in one suite, and at most ten differ.
@Suite(.enabled(if: Shared.isPresent, "\(Shared.absence)"))
struct ConformanceTests {
  @Test func everyRowIsMetButForTen() throws {
    let suites = [
      SchedulerConformanceTests.rows, DeterministicConformanceTests.rows,
      StochasticConformanceTests.rows, DistilledConformanceTests.rows,
      InversionConformanceTests.rows, PseudoConformanceTests.rows, UnCLIPConformanceTests.rows,
    ].joined()
    let names = Set(suites.map { "\($0), \($0["condition"])" })
    #expect(names.count == 223 && suites.count == 223, "\(names.count) of \(suites.count) rows")
    let differing = suites.filter { $0.fault != nil }
    #expect(differing.count == ReferenceFault.all.count)
    #expect(differing.count <= 10, "\(differing)")
  }
}
