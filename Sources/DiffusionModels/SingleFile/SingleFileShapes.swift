import TensorCheckpoints

/// The shapes in a single file, looked up by name: what its configuration is read from.
struct SingleFileShapes {
  private let shapes: [TensorName: [Int]]
  private let prefix: String

  init(_ source: any CheckpointSource, under prefix: String) {
    shapes = Dictionary(
      source.entries.map { (TensorName($0.name), $0.shape) }, uniquingKeysWith: { $1 })
    self.prefix = prefix
  }

  /// The shape of the tensor of this name behind the prefix.
  subscript(_ name: String) -> [Int]? { shapes[TensorName(prefix + name)] }

  /// The length of an axis.
  func length(_ name: String, _ axis: Int) -> Int? {
    self[name].flatMap { $0.indices.contains(axis) ? $0[axis] : nil }
  }

  /// How many of `name.0.rest`, `name.1.rest` and so on there are, one behind the other.
  func count(_ name: String, _ rest: String, from first: Int = 0) -> Int {
    var count = 0
    while self["\(name).\(first + count).\(rest)"] != nil { count += 1 }
    return count
  }
}

extension ModelError {
  /// A single file that is no part of the kind that was asked for.
  static func shapes(_ path: String, _ expected: String) -> ModelError {
    .configuration(
      path: path, key: "",
      problem: "expected \(expected); `diffusion inspect` lists what is there")
  }
}
