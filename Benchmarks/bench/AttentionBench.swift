import ArgumentParser
import TensorCore

/// `bench attention`: scaled dot-product attention.
struct AttentionBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attention",
    abstract: "Times scaled dot-product attention of queries with keys and values.",
    discussion: "Example: bench attention --shape 1x8x4096x77x40")

  @Option(
    help: ArgumentHelp(
      "An attention to time, once or more.", valueName: "batch x heads x queries x keys x size"))
  var shape: [String] = [
    "1x8x4096x4096x40", "1x8x4096x77x40", "1x8x1024x1024x80", "1x8x1024x77x80",
    "1x8x256x256x160", "1x10x1024x1024x64", "1x1x4096x4096x512", "1x12x77x77x64",
  ]

  @Flag(help: "Time the gradients of query, key and value too.")
  var gradients = false

  @OptionGroup var options: BenchOptions

  func validate() throws {
    for name in shape where Shape.parsed(name, count: 5) == nil {
      throw ValidationError("--shape takes five lengths as in 1x8x4096x77x40, not \(name).")
    }
  }

  func run() throws {
    try options.run { report in
      for name in shape {
        guard let lengths = Shape.parsed(name, count: 5) else { continue }
        let (batch, heads, queries) = (lengths[0], lengths[1], lengths[2])
        let (keys, size) = (lengths[3], lengths[4])
        let query = Shape.filled([batch, queries, heads, size])
        let key = Shape.filled([batch, keys, heads, size])
        let value = Shape.filled([batch, keys, heads, size])
        let rows = Double(batch * heads * size)
        let operations = 4 * rows * Double(queries) * Double(keys)
        let bytes = 4 * rows * 2 * Double(queries + keys)
        report.add(
          Measurement.of(
            "attention \(name)", repeat: options.repeat, operations: operations, bytes: bytes,
            on: report.machine
          ) { _ = Tensor.attention(query: query, key: key, value: value) })
        guard gradients else { continue }
        let tape = Tape()
        let operands = [query, key, value].map { tape.watch($0) }
        let result = Tensor.attention(query: operands[0], key: operands[1], value: operands[2])
        let seed = result.detached
        // Five products as the usual algorithm counts them; two of them are computed twice.
        report.add(
          Measurement.of(
            "attention \(name) gradients", repeat: options.repeat,
            operations: 2.5 * operations, bytes: 2 * bytes, on: report.machine
          ) { _ = tape.gradients(of: result, seed: seed, withRespectTo: operands) })
      }
    }
  }
}
