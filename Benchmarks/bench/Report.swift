import Foundation

/// Lines for people as results come, and all of them as one document for programs.
struct Report {
  let machine: Machine
  /// Whether lines go to standard error, because standard output is for JSON.
  let printsToError: Bool
  private(set) var results: [Measurement] = []

  init(machine: Machine, printsToError: Bool) {
    self.machine = machine
    self.printsToError = printsToError
  }

  /// What `--json` gives.
  struct Document: Encodable {
    let machine: Machine
    let results: [Measurement]
  }

  var document: Document { Document(machine: machine, results: results) }

  /// Adds a result and prints its line.
  mutating func add(_ result: Measurement) {
    results.append(result)
    var line = result.name.padding(
      toLength: max(36, result.name.count), withPad: " ", startingAt: 0)
    line += String(
      format: " %9.3f ms (min %.3f)", result.medianSeconds * 1e3, result.minSeconds * 1e3)
    if let gflops = result.gflops, let share = result.peakShare {
      line += String(format: "  %7.1f GFLOP/s, %3.0f %% of peak", gflops, share * 100)
    }
    if let bytes = result.bytesPerSecond, let share = result.bandwidthShare {
      line += String(format: "  %6.1f GB/s, %3.0f %% of memory", bytes * 1e-9, share * 100)
    }
    if let large = result.allocations, let small = result.smallAllocations {
      line += "  \(large) + \(small) allocations"
    }
    if let rms = result.rmsError, let largest = result.largestError {
      line += String(
        format: "\n  against float64: rms error %.2e, largest %.2e, of an answer of rms 1", rms,
        largest)
    }
    say(line)
  }

  /// Prints what the machine can do.
  func printMachine() {
    say(
      "\(machine.processor), \(machine.cores) cores, \(machine.threads) threads, kernels "
        + machine.kernels)
    say(
      String(
        format: "measured peak %.0f GFLOP/s (float32); memory read %.1f GB/s, copied %.1f GB/s",
        machine.peakGflops, machine.readBytesPerSecond * 1e-9, machine.copyBytesPerSecond * 1e-9))
    for warning in machine.warnings { say("warning: \(warning)") }
  }

  func say(_ line: String) {
    let handle = printsToError ? FileHandle.standardError : FileHandle.standardOutput
    handle.write(Data((line + "\n").utf8))
  }
}
