import CTensorKernels
import Foundation
import KernelChecks
import Testing

/// Every kernel at every instruction set that the processor has, on random shapes against plain loops in double: see
/// Tests/KernelChecks. `TEST_SEED` chooses other shapes.
@Suite struct KernelPropertyTests {
  private static let seed =
    ProcessInfo.processInfo.environment["TEST_SEED"].flatMap { UInt64($0) } ?? 1
  private static let rounds =
    ProcessInfo.processInfo.environment["SLOW_TESTS"] == "1" ? 3000 : 250

  private static let levels = [TK_BASELINE, TK_AVX2, TK_AVX512].filter {
    $0.rawValue <= tk_processor_level().rawValue
  }

  @Test(arguments: 0..<kernel_check_topics(), levels.indices)
  func agreesWithItsOracle(topic: Int32, level: Int) {
    for type in [TK_FLOAT32, TK_FLOAT64] {
      var report = kernel_check(topic, Self.levels[level], type, Self.seed, Self.rounds)
      let failure = withUnsafeBytes(of: &report.failure) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      let name = kernel_check_name(topic).map { String(cString: $0) } ?? ""
      #expect(
        failure.isEmpty,
        """
        \(name) at level \(level) in \(type == TK_FLOAT32 ? "float32" : "float64"), \
        TEST_SEED=\(Self.seed), case \(report.cases): \(failure)
        """)
      #expect(report.cases > 0)
    }
  }
}
