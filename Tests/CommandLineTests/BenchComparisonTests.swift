import Foundation
import Testing

/// `bench --compare`: exit code 1 where a time is worse by more than the noise of both runs.
@Suite struct BenchComparisonTests {
  /// Compares a run with an earlier one whose times were so many times this machine's.
  private func outcome(earlier factor: Double, name: String? = nil) throws -> Program.Outcome {
    let program = try Program(binary: Program.products.appendingPathComponent("bench"))
    defer { program.remove() }
    let work = ["gemm", "--shape", "32x32x32", "--repeat", "3"]
    let first = try program.run(work + ["--json", "earlier.json"])
    #expect(first.code == 0, "\(first.errors)")
    let file = program.file("earlier.json")
    let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
    var document = try #require(object as? [String: Any])
    var results = try #require(document["results"] as? [[String: Any]])
    let seconds = try #require(results.first?["median_seconds"] as? Double)
    results[0]["median_seconds"] = seconds * factor
    results[0]["noise"] = 0.01
    if let name { results[0]["name"] = name }
    document["results"] = results
    try JSONSerialization.data(withJSONObject: document).write(to: file)
    return try program.run(work + ["--compare", "earlier.json"])
  }

  @Test func worseTimesFail() throws {
    let outcome = try outcome(earlier: 1e-4)
    #expect(outcome.code == 1 && outcome.output.contains("WORSE"), "\(outcome)")
  }

  @Test func betterTimesPass() throws {
    let outcome = try outcome(earlier: 1e4)
    #expect(outcome.code == 0 && outcome.output.contains("better"), "\(outcome)")
  }

  @Test func otherWorkIsNotCompared() throws {
    let outcome = try outcome(earlier: 1, name: "something else")
    #expect(
      outcome.code == 1 && outcome.errors.contains("no result of the same name"), "\(outcome)")
  }
}
