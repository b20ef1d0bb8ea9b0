import TensorCore

/// How a parameter's axes lie in a checkpoint and in memory: the one place that knows.
public enum ParameterLayout: Sendable, Hashable, CaseIterable {
  /// The same in both: a bias, a norm's weight, a table of frequencies, a single number.
  case vector
  /// The weight of a linear layer, `[out, in]` in both.
  case linear
  /// The table of an embedding, `[count, width]` in both.
  case embedding
  /// The weight of a convolution: `[out, in/groups, kh, kw]` in the file, `[kh, kw, in/groups, out]` in memory.
  case convolution
  /// The weight of a transposed convolution: `[in, out/groups, kh, kw]` in the file, `[kh, kw, out/groups, in]` in
  /// memory (that of the convolution whose gradient it is).
  case transposedConvolution

  /// The file's axis for each axis in memory; `nil` where they are the same.
  private var fileAxes: [Int]? {
    switch self {
    case .vector, .linear, .embedding: nil
    case .convolution, .transposedConvolution: [2, 3, 1, 0]
    }
  }

  /// The shape in memory of what has `shape` in the file.
  public func memoryShape(ofFile shape: [Int]) -> [Int] {
    guard let axes = fileAxes, shape.count == axes.count else { return shape }
    return axes.map { shape[$0] }
  }

  /// The shape in the file of what has `shape` in memory.
  public func fileShape(ofMemory shape: [Int]) -> [Int] {
    guard let axes = fileAxes, shape.count == axes.count else { return shape }
    return Self.inverse(axes).map { shape[$0] }
  }

  /// A tensor that lies as in the file, as it lies in memory. Any element type.
  public func memory(ofFile tensor: Tensor) -> Tensor {
    guard let axes = fileAxes, tensor.rank == axes.count else { return tensor }
    return tensor.permuted(axes)
  }

  /// A tensor that lies as in memory, as it lies in the file. Any element type.
  public func file(ofMemory tensor: Tensor) -> Tensor {
    guard let axes = fileAxes, tensor.rank == axes.count else { return tensor }
    return tensor.permuted(Self.inverse(axes))
  }

  private static func inverse(_ axes: [Int]) -> [Int] {
    axes.indices.map { axis in axes.firstIndex(of: axis) ?? axis }
  }
}
