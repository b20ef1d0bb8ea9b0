import DiffusionImages
import Foundation
import TestSupport
import Testing

/// `diffusion likelihood` with the embedded model.
@Suite struct LikelihoodTests {
  /// Three digits' worth of strokes, as PNG files with a manifest.
  private func pictures(in program: Program) throws {
    for index in 0..<3 {
      var samples = [UInt8](repeating: 0, count: 28 * 28)
      for row in 6..<22 {
        for column in 0..<3 { samples[row * 28 + 10 + 3 * index + column] = 255 }
      }
      try Image(width: 28, height: 28, channels: 1, samples: samples)
        .writePNG(to: program.file("p\(index).png").path)
    }
    let table = "file\tclass\np0.png\t1\np1.png\t1\np2.png\t1\n"
    try Data(table.utf8).write(to: program.file("manifest.tsv"))
  }

  private func bits(_ outcome: Program.Outcome) throws -> [Double] {
    let json = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any]
    let images = try #require(json?["images"] as? [[String: Any]])
    return images.compactMap { $0["bits_per_dimension"] as? Double }
  }

  @Test func resultsAreTheSameForAnyBatchAndThreads() throws {
    let program = try Program()
    defer { program.remove() }
    try pictures(in: program)
    let base = "likelihood --data . --seed 4 --probes 2 --tolerance 1e-3 --json"
    let all = try program.run("\(base) --threads 2")
    #expect(all.code == 0, "\(all.errors)")
    let values = try bits(all)
    #expect(values.count == 3 && values.allSatisfy { $0 > 0 && $0 < 8 })
    let some = try program.run("\(base) --limit 2 --batch 1 --threads 1")
    #expect(try bits(some) == Array(values.prefix(2)))
    #expect(all.errors.contains("the data has 1 classes") == false)
    let json = try JSONSerialization.jsonObject(with: Data(all.output.utf8)) as? [String: Any]
    // The numbers went through decimals: equal but for the last bit.
    let mean = try #require(json?["mean"] as? Double)
    #expect(abs(mean - values.reduce(0, +) / 3) < 1e-14)
    let first = try #require((json?["images"] as? [[String: Any]])?.first)
    #expect(first["standard_error"] is Double && first["picture"] as? String == "p0.png")
  }

  @Test func aDigitCostsLessThanNoise() throws {
    let program = try Program()
    defer { program.remove() }
    try pictures(in: program)
    let noise = (0..<28 * 28).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
    try Image(width: 28, height: 28, channels: 1, samples: noise)
      .writePNG(to: program.file("noise.png").path)
    try Data("file\np0.png\nnoise.png\n".utf8).write(to: program.file("both.csv"))
    let outcome = try program.run("likelihood --data both.csv --seed 4 --tolerance 1e-3 --json")
    let values = try bits(outcome)
    #expect(values.count == 2 && values[0] + 2 < values[1], "\(values)")
    #expect(outcome.errors.contains("the data has no classes"))
  }

  @Test(arguments: [
    ("likelihood", "Missing expected argument '--data"),
    ("likelihood --data . --probes 0", "--probes takes a number of 1 or more"),
    ("likelihood --data . --method bound --probes 2", "go with --method ode"),
    ("likelihood --data . --exact-trace --probes 2", "--exact-trace needs no --probes"),
  ])
  func refusesWrongUsage(_ line: String, _ complaint: String) throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run(line)
    #expect(outcome.code == 64 && outcome.errors.contains(complaint), "\(outcome.errors)")
  }

  @Test func missingDataIsAFailure() throws {
    let program = try Program()
    defer { program.remove() }
    let outcome = try program.run("likelihood --data nowhere")
    #expect(outcome.code == 1 && outcome.errors.contains("nowhere"))
    #expect(outcome.errorLines.count == 1)
  }
}
