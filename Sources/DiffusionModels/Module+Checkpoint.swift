import TensorCheckpoints
import TensorCore
import TensorLayers

extension Module {
  /// Takes the parameters from those tensors of a checkpoint whose names begin with `prefix`, in float32.
  ///
  /// With a prefix, tensors of other names are left alone; without one, every tensor of the file has to be a parameter.
  ///
  /// - Throws: `CheckpointError.mismatch` unless exactly the expected names are there in their shapes.
  public mutating func load<Source: CheckpointSource>(
    from source: Source, prefix: String = ""
  ) throws(CheckpointError) {
    let found = source.entries.filter { $0.name.hasPrefix(prefix) }.map { ($0.name, $0.shape) }
    let report = LoadReport(expected: fileShapes(prefix: prefix), found: found)
    guard report.isClean else { throw .mismatch(path: source.path, report: report) }
    try fill(from: source, prefix: prefix)
  }

  /// The parameters' names, after a prefix, with their shapes in the file.
  package func fileShapes(
    prefix: String = "", trainableOnly: Bool = false
  ) -> [(name: String, shape: [Int])] {
    zip(parameterList(), parameters()).compactMap { parameter, value in
      if trainableOnly && !parameter.isTrainable { return nil }
      return (prefix + parameter.name, parameter.layout.fileShape(ofMemory: value.tensor.shape))
    }
  }

  /// Takes the parameters from a checkpoint that is known to have them.
  package mutating func fill<Source: CheckpointSource>(
    from source: Source, prefix: String, trainableOnly: Bool = false
  ) throws(CheckpointError) {
    var visitor = Filling(source: source, prefix: prefix, trainableOnly: trainableOnly)
    try visit(&visitor)
  }
}

extension CheckpointWriter {
  /// Adds a module's parameters, as they lie in files, under their names after a prefix; in another element type where
  /// one is given.
  public mutating func add<Network: Module>(
    _ module: Network, prefix: String = "", as dtype: DType? = nil, trainableOnly: Bool = false
  ) {
    for (parameter, value) in zip(module.parameterList(), module.parameters()) {
      if trainableOnly && !parameter.isTrainable { continue }
      let tensor = parameter.layout.file(ofMemory: value.tensor.detached)
      add(prefix + parameter.name, dtype.map { tensor.converted(to: $0) } ?? tensor)
    }
  }
}

private struct Filling<Source: CheckpointSource>: ParameterVisitor {
  let source: Source
  let prefix: String
  let trainableOnly: Bool

  mutating func visit(
    _ tensor: inout Tensor, as parameter: Parameter
  ) throws(CheckpointError) {
    if trainableOnly && !parameter.isTrainable { return }
    let stored = try source.tensor(named: prefix + parameter.name)
    tensor = parameter.layout.memory(ofFile: stored.converted(to: .float32))
  }
}
