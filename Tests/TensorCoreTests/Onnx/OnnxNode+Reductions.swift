import TensorCore

extension OnnxNode {
  func runReduction() throws -> [OnnxValue]? {
    guard operation.hasPrefix("Reduce") else { return nil }
    let x = try tensor(0)
    let keeps = integer("keepdims", 1) == 1
    let given = try list("axes", input: 1) ?? []
    let isInteger = try value(0).isInteger
    if given.isEmpty && integer("noop_with_empty_axes", 0) == 1 { return [try value(0)] }
    let axes: [Int]? = given.isEmpty ? nil : given
    func none(_ reason: String) throws {
      if x.count == 0 { throw OnnxUnsupported(reason) }
    }
    let result: Tensor
    switch operation {
    case "ReduceSum": result = x.sum(axes: axes, keepingDimensions: keeps)
    case "ReduceSumSquare": result = (x * x).sum(axes: axes, keepingDimensions: keeps)
    case "ReduceMean": result = x.mean(axes: axes, keepingDimensions: keeps)
    case "ReduceMax":
      try none("the engine refuses the largest of no elements")
      result = x.max(axes: axes, keepingDimensions: keeps)
    case "ReduceLogSumExp":
      try none("the engine refuses the log-sum-exp of no elements")
      result = x.logSumExp(axes: axes, keepingDimensions: keeps)
    default: return nil
    }
    return [OnnxValue(tensor: result, isInteger: isInteger)]
  }
}
