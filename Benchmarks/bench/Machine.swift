import Foundation
import TensorCore

/// The machine and what it can do at most, measured.
struct Machine: Encodable {
  let processor: String
  let cores: Int
  let threads: Int
  /// The instruction set of the engine's own kernels.
  let kernels: String
  let blas: String
  let blasKernels: String
  let warnings: [String]
  /// Multiplications and additions a second, in thousand millions, all threads, float32.
  let peakGflops: Double
  let readBytesPerSecond: Double
  let copyBytesPerSecond: Double

  static func measured() -> Machine {
    let peak = MachineLimits.multiplyAddRate(.float32, seconds: Stopwatch.seconds)
    let memory = MachineLimits.memoryRates(seconds: Stopwatch.seconds)
    return Machine(
      processor: processorName, cores: ProcessInfo.processInfo.activeProcessorCount,
      threads: Backend.threads, kernels: Backend.kernels, blas: Backend.blasConfiguration,
      blasKernels: Backend.blasKernels, warnings: Backend.warnings, peakGflops: peak * 1e-9,
      readBytesPerSecond: memory.read, copyBytesPerSecond: memory.copy)
  }

  /// What Linux calls the processor; elsewhere the architecture.
  private static var processorName: String {
    let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    for line in information.split(separator: "\n") where line.hasPrefix("model name") {
      if let name = line.split(separator: ":", maxSplits: 1).last {
        return name.trimmingCharacters(in: .whitespaces)
      }
    }
    #if arch(arm64)
      return "arm64"
    #else
      return "x86_64"
    #endif
  }
}
