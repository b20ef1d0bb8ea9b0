import TensorCore
import Testing

/// Compares two tensors element by element and reports the worst one.
///
/// - Parameter tolerance: the largest difference allowed, as a share of the largest expected magnitude.
public func expectClose(
  _ actual: Tensor, _ expected: Tensor, tolerance: Double, _ name: String = "tensor",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.shape == expected.shape, "\(name): shapes differ", sourceLocation: sourceLocation)
  guard actual.shape == expected.shape else { return }
  let (a, e) = (actual.doubles, expected.doubles)
  let scale = e.map(abs).max() ?? 0
  let differences = zip(a, e).map { abs($0 - $1) }
  let worst = differences.indices.max { differences[$0] < differences[$1] } ?? 0
  guard let difference = differences.isEmpty ? nil : differences[worst] else { return }
  #expect(
    difference <= tolerance * max(scale, 1e-30) && !a.contains(where: \.isNaN),
    "\(name): element \(worst) is \(a[worst]), expected \(e[worst]), scale \(scale)",
    sourceLocation: sourceLocation)
}

/// Expects the same elements bit for bit, reporting the first that differs.
///
/// `#expect(a == b)` works out the difference of the two arrays where it fails, which takes minutes for large ones.
public func expectSame<Element: Equatable>(
  _ actual: [Element], _ expected: [Element], _ name: String = "values",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(actual.count == expected.count, "\(name): counts differ", sourceLocation: sourceLocation)
  if let index = zip(actual, expected).enumerated().first(where: { $1.0 != $1.1 })?.offset {
    Issue.record(
      "\(name): element \(index) is \(actual[index]), expected \(expected[index])",
      sourceLocation: sourceLocation)
  }
}
