import TensorCore

/// A table of vectors, one for each of `count` classes or tokens. PyTorch's `nn.Embedding`.
public struct Embedding: Module {
  /// `[count, width]`.
  public var weight: Tensor

  /// Draws from the standard normal distribution, as PyTorch does.
  public init(count: Int, width: Int, initializer: inout ParameterInitializer) {
    weight = initializer.normal([count, width])
  }

  /// The rows that `indices` name, `[indices.count, width]`.
  public func callAsFunction(_ indices: [Int]) -> Tensor {
    weight.whileUsed { weight.embedding(indices) }
  }

  /// `weight`.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    try list.parameter("weight", &weight, .embedding)
  }
}
