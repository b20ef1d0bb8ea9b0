// Making tensors from numbers, and reading them back.

extension Tensor {
  /// A tensor of `values` in row-major order; their number must be the product of `shape`.
  public init<Scalar: TensorScalar>(_ values: [Scalar], shape: [Int]) {
    self.init(uninitialized: shape, dtype: Scalar.dtype)
    require(
      values.count == count, "tensor",
      "shape \(shape) holds \(count) elements, got \(values.count) values")
    values.withUnsafeBytes { bytes in
      if let source = bytes.baseAddress {
        freshAddress.copyMemory(from: source, byteCount: bytes.count)
      }
    }
  }

  /// A vector of `values`.
  public init<Scalar: TensorScalar>(_ values: [Scalar]) {
    self.init(values, shape: [values.count])
  }

  /// A tensor of `shape` with `value` everywhere.
  public init(repeating value: Double, shape: [Int], dtype: DType = .float32) {
    self.init(uninitialized: shape, dtype: dtype)
    let address = freshAddress
    switch dtype {
    case .float32:
      address.initializeMemory(as: Float.self, repeating: Float(value), count: count)
    case .float64:
      address.initializeMemory(as: Double.self, repeating: value, count: count)
    case .float16, .bfloat16, .q8_0:
      self = Tensor(repeating: value, shape: shape, dtype: .float32).converted(to: dtype)
    }
  }

  /// A scalar: a tensor of shape `[]`.
  public init(_ value: Double, dtype: DType = .float32) {
    self.init(repeating: value, shape: [], dtype: dtype)
  }

  /// A tensor of zeros.
  public static func zeros(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    Tensor(repeating: 0, shape: shape, dtype: dtype)
  }

  /// A tensor of ones.
  public static func ones(_ shape: [Int], dtype: DType = .float32) -> Tensor {
    Tensor(repeating: 1, shape: shape, dtype: dtype)
  }

  /// The elements in row-major order as `Float`, whatever the element type.
  public var floats: [Float] {
    if dtype == .float32 { return withElements(as: Float.self) { Array($0) } }
    return converted(to: .float32).floats
  }

  /// The elements in row-major order as `Double`, whatever the element type.
  public var doubles: [Double] {
    if dtype == .float64 { return withElements(as: Double.self) { Array($0) } }
    return floats.map(Double.init)
  }

  /// The value of a tensor with one element.
  public var item: Double {
    require(count == 1, "item", "the tensor has \(count) elements, shape \(shape), not one")
    return doubles[0]
  }
}

extension Tensor: CustomStringConvertible {
  /// The shape, the type and the first few elements.
  public var description: String {
    let shown = doubles.prefix(8).map { "\($0)" }.joined(separator: ", ")
    return "Tensor(\(shape), \(dtype): \(shown)\(count > 8 ? ", ..." : ""))"
  }
}
