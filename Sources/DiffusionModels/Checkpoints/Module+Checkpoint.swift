import TensorCheckpoints
import TensorCore
import TensorLayers

extension Module {
  /// What a checkpoint of this module has: every parameter's name and shape, in the file's layout.
  public func checkpointShapes(
    under prefix: String = ""
  ) -> [(name: String, shape: [Int])] {
    var visitor = Describing()
    var copy = self
    copy.visit(&visitor, under: prefix)
    return visitor.shapes
  }

  /// Takes every parameter from `source`, which must have exactly the module's names and shapes; nothing changes where
  /// it has not.
  ///
  /// A foreign format is read through a `MappedCheckpoint`. Parameters that lie in the file as they do in memory, and in
  /// the type that is asked for, are not copied: the mapped file serves until they are written.
  ///
  /// - Parameters:
  ///   - prefix: what every name begins with in the source, without the dot.
  ///   - dtype: what the parameters are converted to.
  ///   - weights: how matrices, convolutions and tables are kept.
  ///   - weightType: the type that these are rounded to; `nil` for what `weights` says.
  /// - Throws: ``TensorCheckpoints/CheckpointError``; a mismatch carries the report of all missing, unexpected and
  ///   mismatched tensors.
  public mutating func load<Source: CheckpointSource>(
    from source: Source, under prefix: String = "", dtype: DType = .float32,
    weights: WeightStorage = .widened, weightType: DType? = nil
  ) throws(CheckpointError) {
    let report = source.report(expected: checkpointShapes(under: prefix))
    guard report.isClean else { throw .mismatch(path: source.path, report: report) }
    var loading = Loading(source: source, dtype: dtype, weights: weights, weightType: weightType)
    var loaded = self
    try loaded.visit(&loading, under: prefix)
    self = loaded
  }

  /// Adds every parameter to `writer` under its name, in the file's layout and in its own element type.
  public func save(to writer: inout CheckpointWriter, under prefix: String = "") {
    var saving = Saving(writer: writer)
    var copy = self
    copy.visit(&saving, under: prefix)
    writer = saving.writer
  }
}

private struct Describing: ParameterVisitor {
  var shapes: [(name: String, shape: [Int])] = []

  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    shapes.append((parameter.name, parameter.layout.fileShape(ofMemory: tensor.shape)))
  }
}

private struct Loading<Source: CheckpointSource>: ParameterVisitor {
  let source: Source
  let dtype: DType
  let weights: WeightStorage
  let weightType: DType?

  mutating func visit(
    _ tensor: inout Tensor, as parameter: Parameter
  ) throws(CheckpointError) {
    let elements = try source.elements(named: parameter.name)
    let layout = parameter.layout
    let rounded = weightType.flatMap {
      WeightStorage.rounded(to: $0, layout, shape: elements.entry.shape)
    }
    let kept = rounded ?? weights.type(of: elements.entry.type, layout) ?? dtype
    if weights == .streamed, WeightStorage.isWeight(layout) {
      let isMoved = layout.memoryShape(ofFile: [2, 3, 5, 7]) != [2, 3, 5, 7]
      let moved: @Sendable (Tensor) -> Tensor = { layout.memory(ofFile: $0) }
      if let streamed = elements.streamed(
        as: kept, shape: layout.memoryShape(ofFile: elements.entry.shape),
        rearranging: isMoved ? moved : nil)
      {
        tensor = streamed
        return
      }
    }
    tensor = layout.memory(ofFile: try elements.tensor(as: kept))
    elements.releasePages()
  }
}

private struct Saving: ParameterVisitor {
  var writer: CheckpointWriter

  mutating func visit(_ tensor: inout Tensor, as parameter: Parameter) {
    writer.add(parameter.name, parameter.layout.file(ofMemory: tensor.detached))
  }
}
