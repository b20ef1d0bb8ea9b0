import TensorCore

extension OnnxNode {
  func runOfOneNumber() throws -> OnnxValue? {
    guard has(0), let function = try functionOfOneNumber() else { return nil }
    return OnnxValue(tensor: function(try tensor(0)), isInteger: try value(0).isInteger)
  }

  private func functionOfOneNumber() throws -> ((Tensor) -> Tensor)? {
    let alpha = number("alpha")
    switch operation {
    case "Abs": return { $0.magnitude() }
    case "Neg": return { -$0 }
    case "Exp": return { $0.exp() }
    case "Log": return { $0.log() }
    case "Sqrt": return { $0.sqrt() }
    case "Erf": return { $0.erf() }
    case "Tanh": return { $0.tanh() }
    case "Sigmoid": return { $0.sigmoid() }
    case "Softplus": return { $0.softplus() }
    case "Relu": return { $0.relu() }
    case "LeakyRelu": return { $0.leakyReLU(slope: alpha ?? 0.01) }
    case "Swish":
      let slope = alpha ?? 1
      return { slope == 1 ? $0.silu() : $0 * ($0 * slope).sigmoid() }
    case "Gelu":
      let form: GELU = text("approximate", "none") == "tanh" ? .tanh : .erf
      return { $0.gelu(form) }
    case "Elu": return { Self.exponentialLinear($0, alpha ?? 1) }
    case "Selu":
      let gamma = number("gamma") ?? 1.0507009873554805
      return { Self.exponentialLinear($0, alpha ?? 1.6732632423543772) * gamma }
    case "Clip": return try clipping()
    case "Cast":
      guard
        let target = [1: DType.float32, 10: .float16, 11: .float64, 16: .bfloat16][
          integer("to", 0)]
      else { throw OnnxUnsupported("the engine has no tensors of ONNX's type \(integer("to", 0))") }
      let source = try value(0).tensor
      return { _ in source.converted(to: target) }
    default: return nil
    }
  }

  private static func exponentialLinear(_ x: Tensor, _ alpha: Double) -> Tensor {
    x.clamped(0) + (x.clamped(-.infinity, 0).exp() - 1) * alpha
  }

  private func clipping() throws -> (Tensor) -> Tensor {
    let low = has(1) ? try tensor(1).item : number("min") ?? -.infinity
    let high = has(2) ? try tensor(2).item : number("max") ?? .infinity
    if low <= high { return { $0.clamped(low, high) } }
    // ONNX lets the upper bound win; the engine refuses such bounds.
    return {
      Tensor.minimum(
        Tensor.maximum($0, Tensor(low, dtype: $0.dtype)), Tensor(high, dtype: $0.dtype))
    }
  }

  func runArithmetic() throws -> OnnxValue? {
    guard let function = try functionOfTwo() else { return nil }
    var result = try value(0)
    result.tensor = try tensor(0)
    for index in 1..<max(inputs.count, 1) {
      let isInteger = try result.isInteger && (value(index).isInteger || operation == "Pow")
      let other = aligned(try tensor(index), to: result.tensor)
      result = OnnxValue(tensor: function(result.tensor, other), isInteger: isInteger)
    }
    return result
  }

  private func functionOfTwo() throws -> ((Tensor, Tensor) -> Tensor)? {
    switch operation {
    case "Add", "Sum": return { $0 + $1 }
    case "Sub": return { $0 - $1 }
    case "Mul": return { $0 * $1 }
    case "Div":
      if try value(0).isInteger { throw OnnxUnsupported("the engine does not divide integers") }
      return { $0 / $1 }
    case "Pow": return { $0.power($1) }
    case "Max": return { Tensor.maximum($0, $1) }
    case "Min": return { Tensor.minimum($0, $1) }
    case "PRelu": return { $0.clamped(0) + $0.clamped(-.infinity, 0) * $1 }
    default: return nil
    }
  }

  /// In the first one's type, and, for versions before 7, its axes beginning at `axis` of the first.
  private func aligned(_ other: Tensor, to first: Tensor) -> Tensor {
    let converted = other.converted(to: first.dtype)
    var axis = number("axis").map { Int($0) }
    if operation == "PRelu" && other.rank == 1 && other.count > 1 { axis = 1 }
    guard let axis, other.rank > 0 else { return converted }
    let trailing = first.rank - axis - other.rank
    if trailing <= 0 { return converted }
    return converted.reshaped(other.shape + Array(repeating: 1, count: trailing))
  }
}
