import TensorCore

/// How the tensors of a checkpoint compare with those that were expected.
public struct LoadReport: Hashable, Sendable, CustomStringConvertible {
  /// A tensor that both have, with different shapes.
  public struct Mismatch: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// The shape that was expected.
    public let expected: [Int]
    /// The shape in the checkpoint.
    public let found: [Int]
  }

  /// A tensor that only one side has.
  public struct Absence: Hashable, Sendable {
    /// Its name.
    public let name: String
    /// Its shape, on the side that has it.
    public let shape: [Int]
  }

  /// Expected, and not in the checkpoint.
  public private(set) var missing: [Absence] = []
  /// In the checkpoint, and not expected.
  public private(set) var unexpected: [Absence] = []
  /// In both, with different shapes.
  public private(set) var mismatched: [Mismatch] = []

  /// Compares what a checkpoint has with what is expected of it: names by their UTF-8 bytes, and shapes.
  public init(expected: [(name: String, shape: [Int])], found: [(name: String, shape: [Int])]) {
    let shapes = Dictionary(
      found.map { (TensorName($0.name), $0.shape) }, uniquingKeysWith: { $1 })
    for (name, shape) in expected {
      switch shapes[TensorName(name)] {
      case nil: missing.append(Absence(name: name, shape: shape))
      case .some(let other) where other != shape:
        mismatched.append(Mismatch(name: name, expected: shape, found: other))
      default: break
      }
    }
    let names = Set(expected.map { TensorName($0.name) })
    unexpected = found.filter { !names.contains(TensorName($0.name)) }
      .map { Absence(name: $0.name, shape: $0.shape) }
  }

  /// Whether everything expected is there in its shape, and nothing else.
  public var isClean: Bool { missing.isEmpty && unexpected.isEmpty && mismatched.isEmpty }

  /// One line: how many tensors of each kind, then up to three of each with their shapes.
  public var description: String {
    if isClean { return "every tensor is there and fits" }
    let counts = [
      (missing.count, "missing"), (unexpected.count, "unexpected"),
      (mismatched.count, "of another shape"),
    ]
    .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    let examples =
      missing.prefix(3).map { "missing \(quoted($0.name)) of shape \($0.shape)" }
      + unexpected.prefix(3).map { "unexpected \(quoted($0.name)) of shape \($0.shape)" }
      + mismatched.prefix(3).map {
        "\(quoted($0.name)): expected shape \($0.expected), found \($0.found)"
      }
    let rest = missing.count + unexpected.count + mismatched.count - examples.count
    let more = rest > 0 ? ["and \(rest) more"] : []
    return "\(counts): " + (examples + more).joined(separator: "; ")
  }
}

extension CheckpointSource {
  /// Compares the names and shapes with those that are expected.
  public func report(expected: [(name: String, shape: [Int])]) -> LoadReport {
    LoadReport(expected: expected, found: entries.map { ($0.name, $0.shape) })
  }

  /// The tensors of the expected names, in that order. Throws ``CheckpointError/mismatch(path:report:)`` unless the
  /// checkpoint has exactly these, in these shapes.
  public func load(
    _ expected: [(name: String, shape: [Int])]
  ) throws(CheckpointError) -> [Tensor] {
    let report = report(expected: expected)
    guard report.isClean else { throw .mismatch(path: path, report: report) }
    var tensors: [Tensor] = []
    for (name, _) in expected { tensors.append(try tensor(named: name)) }
    return tensors
  }
}
