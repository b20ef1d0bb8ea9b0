import Foundation
import TensorCheckpoints
import TensorCore

/// Why a case is beyond the engine's operations.
struct OnnxUnsupported: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}

/// A tensor of a case. Integers and truth values are held in float64, which is exact below 2^53.
struct OnnxValue {
  var tensor: Tensor
  var isInteger = false
}

/// One operator of a case's graph with its inputs looked up; an input that is left out is `nil`.
struct OnnxNode {
  let operation: String
  let inputs: [OnnxValue?]
  let outputCount: Int
  let opset: Int
  private let attributes: [String: Any]

  init(_ record: OnnxCase.Record, inputs: [OnnxValue?], opset: Int) {
    (operation, attributes) = (record.operation, record.attributes)
    (self.inputs, self.opset) = (inputs, opset)
    outputCount = record.outputs.count
  }

  /// Whether an input was given.
  func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

  /// An input as it is.
  func value(_ index: Int) throws -> OnnxValue {
    guard index < inputs.count, let value = inputs[index] else {
      throw OnnxUnsupported("input \(index) of \(operation) is not in the file")
    }
    return value
  }

  /// An input in a type that computes: 16-bit floats are widened.
  func tensor(_ index: Int) throws -> Tensor {
    let tensor = try value(index).tensor
    return tensor.dtype.computes ? tensor : tensor.converted(to: .float32)
  }

  func integers(_ index: Int) throws -> [Int] { try tensor(index).doubles.map { Int($0) } }

  func integer(_ name: String, _ standard: Int) -> Int {
    (attributes[name] as? NSNumber)?.intValue ?? standard
  }

  func number(_ name: String) -> Double? { (attributes[name] as? NSNumber)?.doubleValue }

  func list(_ name: String) -> [Int]? {
    (attributes[name] as? [NSNumber])?.map(\.intValue)
  }

  func text(_ name: String, _ standard: String) -> String {
    attributes[name] as? String ?? standard
  }

  /// A list that older versions have as an attribute and newer ones as an input.
  func list(_ name: String, input: Int) throws -> [Int]? {
    if let list = list(name) { return list }
    return has(input) ? try integers(input) : nil
  }
}

/// A case of the conformance folder: a small graph, its inputs and what should come out.
struct OnnxCase {
  struct Record {
    let operation: String
    let inputs: [String]
    let outputs: [String]
    let attributes: [String: Any]
  }

  let records: [Record]
  let opset: Int
  let values: [String: OnnxValue]
  let expected: [(name: String, value: OnnxValue)]

  init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    func json(_ name: String) throws -> Any {
      let text = file.metadata[name] ?? "null"
      return try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }
    func named(_ name: String) throws -> [(name: String, value: OnnxValue)] {
      let list = try json(name) as? [[String: String]] ?? []
      return try list.map { ($0["name"] ?? "", try Self.read($0["key"] ?? "", file)) }
    }
    records = (try json("nodes") as? [[String: Any]] ?? []).map {
      Record(
        operation: $0["op"] as? String ?? "", inputs: $0["inputs"] as? [String] ?? [],
        outputs: $0["outputs"] as? [String] ?? [],
        attributes: $0["attrs"] as? [String: Any] ?? [:])
    }
    opset = (try json("opset") as? [String: Int])?[""] ?? 1
    var values = Dictionary(
      try named("inputs").map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    for entry in file.entries where entry.name.hasPrefix("init.") {
      values[String(entry.name.dropFirst(5))] = try Self.read(entry.name, file)
    }
    self.values = values
    expected = try named("outputs")
  }

  private static func read(_ name: String, _ file: SafetensorsFile) throws -> OnnxValue {
    guard let entry = file.entry(named: name) else {
      throw OnnxUnsupported("the file has no tensor \(name)")
    }
    if entry.type.dtype != nil { return OnnxValue(tensor: try file.tensor(named: name)) }
    guard entry.type.isInteger else {
      throw OnnxUnsupported("the engine has no tensors of type \(entry.type.rawValue)")
    }
    let numbers = try file.integers(named: name).map(Double.init)
    return OnnxValue(tensor: Tensor(numbers, shape: entry.shape), isInteger: true)
  }

  /// Runs the graph and gives what differs from what is expected, or `nil`.
  func difference() throws -> String? {
    var values = values
    for record in records {
      let inputs = record.inputs.map { $0.isEmpty ? nil : values[$0] }
      let results = try OnnxNode(record, inputs: inputs, opset: opset).run()
      for (name, value) in zip(record.outputs, results) { values[name] = value }
    }
    for (name, value) in expected {
      guard let found = values[name] else {
        throw OnnxUnsupported("output \(name) is not computed")
      }
      if let text = Self.compare(found.tensor, value) { return "\(name): \(text)" }
    }
    return nil
  }

  /// Scalars stand in the files as `[1]`. Integers are to be exact.
  private static func compare(_ found: Tensor, _ expected: OnnxValue) -> String? {
    let want = expected.tensor
    guard found.shape == want.shape || (found.count == 1 && want.count == 1) else {
      return "shape \(found.shape), expected \(want.shape)"
    }
    let tolerance: Double =
      switch want.dtype {
      case .float16: 2e-3
      case .bfloat16, .q8_0: 1e-2
      case .float32: 1e-5
      case .float64: expected.isInteger ? 0 : 1e-7
      }
    let (a, b) = (found.doubles, want.doubles)
    let scale = b.filter(\.isFinite).map(abs).max() ?? 0
    let wrong = a.indices.first { index in
      if a[index].isNaN || b[index].isNaN { return a[index].isNaN != b[index].isNaN }
      if a[index] == b[index] { return false }
      return !(abs(a[index] - b[index]) <= tolerance * max(scale, 1e-6))
    }
    return wrong.map { "element \($0) is \(a[$0]), expected \(b[$0]), scale \(scale)" }
  }
}
