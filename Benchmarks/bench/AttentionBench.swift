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
  var shape: [String] = ["1x8x4096x4096x40", "1x8x4096x77x40", "1x8x1024x1024x80"]

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
        report.add(
          Measurement.of(
            "attention \(name)", repeat: options.repeat,
            operations: 4 * rows * Double(queries) * Double(keys),
            bytes: 4 * rows * 2 * Double(queries + keys), on: report.machine
          ) { _ = Tensor.attention(query: query, key: key, value: value) })
      }
    }
  }
}
