import ArgumentParser
import TensorCore

/// `bench gemm`: matrix products.
struct GemmBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "gemm",
    abstract: "Times matrix products: A [M, K] times the transpose of B [N, K].",
    discussion: "Example: bench gemm --shape 4096x320x2880")

  @Option(help: ArgumentHelp("A product to time, once or more.", valueName: "MxNxK"))
  var shape: [String] = [
    "4096x320x2880", "1024x640x5760", "1024x1024x1024", "4096x320x320", "1024x640x640",
    "256x1280x1280", "64x1280x1280", "4096x2560x320", "1024x5120x640", "256x10240x1280",
    "4096x320x1280", "1024x640x2560", "256x1280x5120", "77x768x768", "1x1280x1280",
  ]

  @OptionGroup var options: BenchOptions

  func validate() throws {
    for name in shape where Shape.parsed(name, count: 3) == nil {
      throw ValidationError("--shape takes three lengths as in 4096x320x2880, not \(name).")
    }
  }

  func run() throws {
    try options.run { report in
      report.say("OpenBLAS: \(report.machine.blas); kernels \(report.machine.blasKernels)")
      for name in shape {
        guard let lengths = Shape.parsed(name, count: 3) else { continue }
        let (m, n, k) = (lengths[0], lengths[1], lengths[2])
        let (a, b) = (Shape.filled([m, k]), Shape.filled([n, k]))
        report.add(
          Measurement.of(
            "gemm \(name)", repeat: options.repeat, operations: 2 * Double(m * n) * Double(k),
            bytes: 4 * Double(m * k + n * k + m * n), on: report.machine
          ) { _ = a.matmul(b, transposeB: true) })
      }
    }
  }
}
