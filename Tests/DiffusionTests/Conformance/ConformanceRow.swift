import Foundation
import TensorCore
import TestSupport
import Testing

/// A row of conformance/diffusers/expected_full_loops.tsv, by its column names: what a test of huggingface/diffusers,
/// tests/schedulers, expects of a scheduler.
struct ConformanceRow: Sendable, CustomStringConvertible {
  let fields: [String: String]

  subscript(_ name: String) -> String { fields[name] ?? "" }
  var description: String { "\(self["file"]):\(self["line"]) \(self["test"]) \(self["quantity"])" }

  /// Every row, in the file's order; none where the shared folder is absent.
  static let all: [ConformanceRow] = {
    let path = Shared.folder.appendingPathComponent("conformance/diffusers/expected_full_loops.tsv")
    guard let text = try? String(contentsOf: path, encoding: .utf8) else { return [] }
    let lines = text.split(separator: "\n").map {
      $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }
    return lines.dropFirst().map { line in
      ConformanceRow(fields: Dictionary(zip(lines[0], line)) { first, _ in first })
    }
  }()

  /// The rows of test files, by name without `test_scheduler_` and `.py`: `rows(of: "pndm", "lms")`.
  static func rows(of names: String...) -> [ConformanceRow] {
    all.filter { row in names.contains { row["file"] == "test_scheduler_\($0).py" } }
  }

  /// Whether the row's overrides, condition or configuration say `text`.
  func says(_ text: String) -> Bool {
    ["function_overrides", "condition", "base_config"].contains { self[$0].contains(text) }
  }

  /// The larger of the row's own tolerance and 1e-5 of the value.
  func expect(_ value: Double, sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(
      try accepts(value), "\(self): got \(value), expected \(self["expected"])",
      sourceLocation: sourceLocation)
  }

  /// Whether a value is within the tolerance.
  func accepts(_ value: Double) throws -> Bool {
    let expected = try #require(Double(self["expected"]))
    let tolerance = try #require(Double(self["tolerance"]))
    return abs(value - expected) <= max(tolerance, 1e-5 * abs(expected))
  }

  /// The sum or the mean of a sample's absolute values, whichever the row holds.
  func number(of result: Tensor) -> Double {
    let sum = result.doubles.reduce(0) { $0 + abs($1) }
    return self["quantity"].contains("mean") ? sum / Double(result.count) : sum
  }
}
