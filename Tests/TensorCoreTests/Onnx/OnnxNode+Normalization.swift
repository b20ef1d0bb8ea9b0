import TensorCore

extension OnnxNode {
  func runNormalization() throws -> [OnnxValue]? {
    let epsilon = number("epsilon") ?? 1e-5
    switch operation {
    case "Softmax", "LogSoftmax": return [OnnxValue(tensor: try softmax())]
    case "LayerNormalization", "RMSNormalization": return try rowNormalization(epsilon)
    case "GroupNormalization":
      return [OnnxValue(tensor: try groupNormalization(integer("num_groups", 1), epsilon))]
    case "InstanceNormalization":
      return [OnnxValue(tensor: try groupNormalization(try tensor(0).shape[1], epsilon))]
    case "BatchNormalization":
      let x = try tensor(0)
      let shape = [-1] + Array(repeating: 1, count: x.rank - 2)
      let parts = try (1...4).map { try tensor($0).reshaped(shape) }
      return [
        OnnxValue(
          tensor: (x - parts[2]) / (parts[3] + epsilon).sqrt() * parts[0] + parts[1])
      ]
    default: return nil
    }
  }

  private func softmax() throws -> Tensor {
    let x = try tensor(0)
    let axis = x.normalizedAxis(integer("axis", opset >= 13 ? -1 : 1), operation)
    // Before version 13 all axes from this one on are one.
    let rows =
      opset >= 13
      ? x : x.reshaped([x.shape[..<axis].reduce(1, *), x.shape[axis...].reduce(1, *)])
    let place = opset >= 13 ? axis : 1
    let result = operation == "Softmax" ? rows.softmax(axis: place) : rows.logSoftmax(axis: place)
    return result.reshaped(x.shape)
  }

  private func rowNormalization(_ epsilon: Double) throws -> [OnnxValue] {
    let x = try tensor(0)
    let axis = x.normalizedAxis(integer("axis", -1), operation)
    let length = x.shape[axis...].reduce(1, *)
    let rows = x.reshaped([x.count / length, length])
    let weight = try tensor(1).reshaped([length])
    if operation == "RMSNormalization" {
      let result = rows.rmsNormalized(weight: weight, epsilon: epsilon)
      return [OnnxValue(tensor: result.reshaped(x.shape))]
    }
    let bias = has(2) ? try tensor(2).reshaped([length]) : nil
    let result = rows.layerNormalized(weight: weight, bias: bias, epsilon: epsilon)
    let kept = Array(x.shape[..<axis]) + Array(repeating: 1, count: x.rank - axis)
    let deviation = (rows.variance(axes: [1]) + epsilon).sqrt()
    return [
      result.reshaped(x.shape), rows.mean(axes: [1]).reshaped(kept), (1 / deviation).reshaped(kept),
    ]
    .map { OnnxValue(tensor: $0) }
  }

  private func groupNormalization(_ groups: Int, _ epsilon: Double) throws -> Tensor {
    let x = try tensor(0)
    var order = Array(0..<x.rank)
    order.append(order.remove(at: 1))
    var back = Array(0..<x.rank - 1)
    back.insert(x.rank - 1, at: 1)
    return x.permuted(order).groupNormalized(
      groups: groups, weight: try tensor(1), bias: try tensor(2), epsilon: epsilon
    ).permuted(back)
  }
}
