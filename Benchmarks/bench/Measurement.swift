import Foundation
import TensorCore

/// Wall time.
enum Stopwatch {
  /// How long `body` took.
  static func seconds(_ body: () -> Void) -> Double {
    let clock = ContinuousClock()
    let duration = clock.measure(body)
    return Double(duration.components.seconds) + 1e-18 * Double(duration.components.attoseconds)
  }
}

/// One result. What does not apply is left out of the JSON.
struct Measurement: Codable {
  let name: String
  let medianSeconds: Double
  let minSeconds: Double
  /// How far the times scatter: the median distance from the median, as a share of it.
  var noise: Double?
  /// Multiplications and additions a second at the median time, in thousand millions.
  var gflops: Double?
  /// ... as a share of the machine's measured peak.
  var peakShare: Double?
  /// Bytes of operands and result a second at the median time: what has to be moved at least.
  var bytesPerSecond: Double?
  /// ... as a share of the measured rate of reading memory; above 1 where the caches hold the operands.
  var bandwidthShare: Double?
  /// The most memory the process ever held.
  var peakRssBytes: Int?
  /// Blocks asked of the system while timing: 4 KiB and more (pool misses), and smaller ones.
  var allocations: Int?
  var smallAllocations: Int?
  /// How far the answer is from one in float64, in units of that one's root mean square.
  var rmsError: Double?
  var largestError: Double?

  /// Times `body` after two turns to warm up.
  ///
  /// - Parameters:
  ///   - operations: multiplications and additions of one turn, as the plain algorithm counts them, where known.
  ///   - bytes: of the operands and the result, where that says anything.
  static func of(
    _ name: String, repeat count: Int, operations: Double?, bytes: Double?, on machine: Machine,
    _ body: () -> Void
  ) -> Measurement {
    for _ in 0..<2 { body() }
    let before = StoragePool.shared.statistics
    let times = (0..<count).map { _ in Stopwatch.seconds(body) }.sorted()
    let after = StoragePool.shared.statistics
    let median = Self.median(times)
    let gflops = operations.map { $0 / median * 1e-9 }
    let rate = bytes.map { $0 / median }
    return Measurement(
      name: name, medianSeconds: median, minSeconds: times[0],
      noise: Self.median(times.map { abs($0 - median) }.sorted()) / median, gflops: gflops,
      peakShare: gflops.map { $0 / machine.peakGflops }, bytesPerSecond: rate,
      bandwidthShare: rate.map { $0 / machine.readBytesPerSecond }, peakRssBytes: peakResidentBytes,
      allocations: after.misses - before.misses, smallAllocations: after.small - before.small)
  }

  private static func median(_ sorted: [Double]) -> Double {
    (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }

  private static var peakResidentBytes: Int {
    var usage = rusage()
    // RUSAGE_SELF, which the two systems import as different types.
    getrusage(0, &usage)
    #if os(Linux)
      return usage.ru_maxrss * 1024
    #else
      return usage.ru_maxrss
    #endif
  }
}
