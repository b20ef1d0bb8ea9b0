import TensorCore

extension OnnxNode {
  /// The outputs, by the engine's operations.
  func run() throws -> [OnnxValue] {
    if let result = try runOfOneNumber() { return [result] }
    if let result = try runArithmetic() { return [result] }
    if let results = try runReduction() { return results }
    if let results = try runShape() { return results }
    if let results = try runPicture() { return results }
    if let results = try runNormalization() { return results }
    switch operation {
    case "Attention": return try attention()
    case "SoftmaxCrossEntropyLoss": return try crossEntropy()
    case "MatMul": return [OnnxValue(tensor: try tensor(0).matmul(try tensor(1)))]
    case "Gemm": return [OnnxValue(tensor: try matrixProduct())]
    case "Einsum": return [OnnxValue(tensor: try contraction())]
    default: throw OnnxUnsupported("the engine has no operation \(operation)")
    }
  }

  private func matrixProduct() throws -> Tensor {
    let (alpha, beta) = (number("alpha") ?? 1, number("beta") ?? 1)
    let (a, b) = (try tensor(0), try tensor(1))
    let (transposeA, transposeB) = (integer("transA", 0) == 1, integer("transB", 0) == 1)
    if transposeB && !transposeA && alpha == 1 && beta == 1 && has(2), try tensor(2).rank == 1 {
      return a.linear(b, try tensor(2))
    }
    let product = a.matmul(b, transposeA: transposeA, transposeB: transposeB) * alpha
    return has(2) ? product + (try tensor(2)) * beta : product
  }

  private func contraction() throws -> Tensor {
    let a = try tensor(0)
    switch text("equation", "").filter({ $0 != " " }) {
    case "bij,bjk->bik", "i,i": return a.matmul(try tensor(1))
    case "ij->i": return a.sum(axes: [1])
    case "ij->ji": return a.transposed
    case "->": return a
    default: throw OnnxUnsupported("the engine has no general einsum")
    }
  }

  private func crossEntropy() throws -> [OnnxValue] {
    let (scores, targets) = (try tensor(0), try integers(1))
    let ignored = number("ignore_index").map { Int($0) }
    var order = Array(0..<scores.rank)
    order.append(order.remove(at: 1))
    let logits = scores.permuted(order)
    guard let reduction = LossReduction(rawValue: text("reduction", "mean")) else {
      throw OnnxUnsupported("no such reduction")
    }
    let logarithms = OnnxValue(tensor: scores.logSoftmax(axis: 1))
    if !has(2) {
      let loss = logits.crossEntropy(targets, reduction: reduction, ignoring: ignored)
      return [OnnxValue(tensor: loss), logarithms]
    }
    let table = try tensor(2).reshaped([-1, 1])
    let shape = Array(logits.shape.dropLast())
    let known = targets.map { $0 == ignored ? 0 : $0 }
    let counted = Tensor(targets.map { $0 == ignored ? 0.0 : 1 }, shape: shape)
    let weights =
      table.embedding(known, shape: shape).reshaped(shape) * counted.converted(to: table.dtype)
    let losses =
      logits.crossEntropy(targets, reduction: .none, ignoring: ignored) * weights
    switch reduction {
    case .none: return [OnnxValue(tensor: losses), logarithms]
    case .sum: return [OnnxValue(tensor: losses.sum()), logarithms]
    case .mean: return [OnnxValue(tensor: losses.sum() / weights.sum()), logarithms]
    }
  }
}
